"""What revisions should be: plain lists, edited the way that revisions are said to be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tlc.schemas import (
    CategoricalLabelSchema,
    Float32Schema,
    Int32Schema,
    SampleWeightSchema,
    Schema,
    StringSchema,
)
from tlc.table import Table

if TYPE_CHECKING:
    import random

CLASSES = ["cat", "dog", "cow"]
Row = dict[str, Any]
Key = tuple[str, int]


def _struct() -> Schema:
    return Schema(values={"a": Int32Schema(), "b": StringSchema()})


SCHEMAS = {
    "int": Int32Schema,
    "text": StringSchema,
    "list": lambda: Float32Schema(shape=(-1,)),
    "struct": _struct,
    "label": lambda: CategoricalLabelSchema(CLASSES),
    "weight": SampleWeightSchema,
}
CELLS = {
    "int": lambda r: r.choice([None, 0, 1, -7, 2**31 - 1]),
    "text": lambda r: r.choice([None, "", "a", "ä\n", "x" * 40]),
    "list": lambda r: r.choice([None, [], [0.5], [1.0, -2.0, 0.25]]),
    "struct": lambda r: r.choice([None, {"a": 1, "b": None}, {"a": None, "b": "y"}]),
    "label": lambda r: r.choice([0, 1, 2]),
    "weight": lambda r: r.choice([0.0, 0.25, 1.0, 3.0]),
}
NAMES = ["int0", "int1", "text0", "list0", "struct0", "label0", "weight0"]


def schema(name: str) -> Schema:
    return SCHEMAS[name[:-1]]()


def cell(name: str, generator: random.Random) -> Any:
    return CELLS[name[:-1]](generator)


@dataclass(frozen=True)
class Model:
    """What a table should hold, and where it should come from.

    Attributes:
        columns: Names of the columns, in order.
        rows: One dict a row, which nobody changes.
        keys: Stable key of each row.
        maps: Names of values, of columns that have such.
        number: How many revisions lie before it.
        parent: Id of the table that it is a revision of.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    keys: tuple[Key, ...]
    maps: dict[str, list[str]] = field(default_factory=dict)
    number: int = 0
    parent: str | None = None

    def with_cells(self, name: str, rows: list[int], values: list[Any]) -> Model:
        changed = list(self.rows)
        for row, value in zip(rows, values, strict=True):
            changed[row] = {**changed[row], name: value}
        return replace(self, rows=tuple(changed))

    def with_column(self, name: str, values: list[Any]) -> Model:
        rows = tuple({**row, name: value} for row, value in zip(self.rows, values, strict=True))
        maps = {**self.maps, name: CLASSES} if name.startswith("label") else self.maps
        return replace(self, columns=(*self.columns, name), rows=rows, maps=maps)

    def without_column(self, name: str) -> Model:
        columns = tuple(each for each in self.columns if each != name)
        rows = tuple({each: row[each] for each in columns} for row in self.rows)
        maps = {each: names for each, names in self.maps.items() if each != name}
        return replace(self, columns=columns, rows=rows, maps=maps)

    def without_rows(self, gone: list[int]) -> Model:
        left = [number for number in range(len(self.rows)) if number not in gone]
        return replace(
            self,
            rows=tuple(self.rows[number] for number in left),
            keys=tuple(self.keys[number] for number in left),
        )

    def with_names(self, name: str, names: list[str]) -> Model:
        return replace(self, maps={**self.maps, name: names})

    def joined(self, other: Model) -> Model:
        rows = tuple({name: row[name] for name in self.columns} for row in other.rows)
        return replace(
            self, rows=self.rows + rows, keys=self.keys + other.keys, number=0, parent=None
        )

    def as_revision_of(self, table: Table) -> Model:
        return replace(self, number=self.number + 1, parent=table.id)

    def as_origin(self) -> Model:
        """The model of a table of its own, made from this one."""
        return replace(self, number=0, parent=None)

    def generated(self, name: str, generator: random.Random) -> list[Any]:
        """Return a value for each row."""
        return [cell(name, generator) for _ in self.rows]


def check(table: Table, model: Model) -> Table:
    """Assert that a table is what its model says; return it, opened anew."""
    table = Table.from_url(table.url)
    assert tuple(table.columns) == model.columns
    assert len(table) == table.row_count == len(table.table_rows) == len(model.rows)
    assert tuple(table.table_rows) == model.rows
    origins, indices = table.row_keys()
    assert tuple(zip(origins.to_pylist(), indices.tolist(), strict=True)) == model.keys
    assert table._manifest.revision == model.number
    for name, names in model.maps.items():
        assert table.get_simple_value_map(name) == dict(enumerate(names))
    return table


def check_readings(table: Table, model: Model) -> None:
    """Assert that a table is what its model says, whichever way it is read."""
    table = check(table, model)
    rows, count = list(model.rows), len(model.rows)
    assert [table.table_rows[number] for number in range(-count, count)] == rows * 2
    visible = [name for name in model.columns if not name.startswith("weight")]
    samples = [{name: row[name] for name in visible} for row in rows]
    assert [table[number] for number in range(-count, 0)] == samples
    assert list(table) == samples
    assert table.__getitems__(list(range(count))[::-1]) == samples[::-1]
    table = Table.from_url(table.url)
    arrow = table.to_arrow()
    assert arrow.column_names == list(model.columns)
    assert arrow.slice(1, 2).to_pylist() == rows[1:3] or not model.columns
    for name in model.columns:
        assert table.column(name).to_pylist() == [row[name] for row in rows]
    assert list(table) == samples
