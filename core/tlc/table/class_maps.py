"""Classes of several tables made one: merged by name, with new numbers where numbers collide."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tlc.constants import BACKGROUND
from tlc.errors import SchemaError
from tlc.schemas.values import BoolValue, NumericValue
from tlc.table.arrow_arrays import array_of
from tlc.table.paths import cells_at, elements_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tlc.schemas import MapElement, Schema
    from tlc.schemas.value_maps import Number, ValueMap
    from tlc.table.reading import Reading

Renumbering = dict["Number", "Number"]


@dataclass
class _Merger:
    """Merges the classes of one path, table by table.

    Attributes:
        path: The path, for messages.
        merged: The classes so far.
        next_number: The next number that no table uses.
    """

    path: str
    merged: ValueMap
    next_number: int
    known: dict[str, list[Number]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, element in self.merged.items():
            self.known.setdefault(_name(number, element), []).append(number)

    def add(self, classes: Mapping[Number, MapElement], where: str) -> Renumbering:
        """Take in the classes of a table, and return which of its numbers become which."""
        changed: Renumbering = {}
        names = Counter(_name(number, element) for number, element in classes.items())
        for number, element in classes.items():
            name = _name(number, element)
            there = self.merged.get(number)
            if there is not None and _name(number, there) == name:
                continue
            numbers = self.known.get(name, [])
            if numbers and len(numbers) + names[name] > 2:
                raise SchemaError(
                    f"Column {self.path!r}: {name!r} is the name of several numbers, "
                    f"{sorted({*numbers, number})}, in {where} or the tables before.",
                    hint="give each class a name of its own with set_value_map.",
                )
            if not numbers:
                numbers = [self._free(number)]
                self.merged[numbers[0]] = element
                self.known[name] = numbers
            if numbers[0] != number:
                changed[number] = numbers[0]
        return changed

    def _free(self, number: Number) -> Number:
        if number not in self.merged:
            return number
        self.next_number += 1
        return self.next_number - 1


def merge_classes(
    path: str, schema: Schema, tables: Sequence[Reading | None], column: Schema
) -> list[Renumbering]:
    """Merge the classes at a path into `schema`; return what changes in each table.

    Args:
        path: The path.
        schema: The schema there, of the new table; it gets the classes.
        tables: The tables; None for one that lacks the column.
        column: The schema of the whole column.

    Raises:
        SchemaError: A name stands for several numbers, or a number for several names in a place
            where it cannot be changed; or a number without a name would get one.
    """
    maps = [None if t is None else t._schema.get_value_map(path) for t in tables]
    value = schema.value
    named = [each for each in maps if each]
    if value is None or not named:
        return [{} for _ in tables]
    if all(_names(each) == _names(named[0]) for each in named) and len(named) == len(tables):
        value.map = dict(named[0])
        return [{} for _ in tables]
    unnamed = [_unnamed(table, path, each) for table, each in zip(tables, maps, strict=True)]
    used = {number for each in (*maps, *unnamed) for number in each or ()}
    used.add(_background(column))
    first = next(iter(named))
    merger = _Merger(path, dict(first), math.floor(max(used)) + 1)
    changed = [merger.add(each or {}, _url(t)) for t, each in zip(tables, maps, strict=True)]
    for table, each, numbers in zip(tables, maps, unnamed, strict=True):
        _check_unnamed(path, table, each, numbers, [m for m in maps if m], merger.merged)
    if any(changed):
        _check_changeable(path, schema, merger.merged)
    value.map = merger.merged
    return changed


def renumbered(cells: pa.Array, changes: Renumbering) -> pa.Array:
    """Return numbers with some of them replaced, all at once."""
    import pyarrow.compute as pc

    places = pc.index_in(cells, value_set=array_of(list(changes), cells.type))
    new = array_of(list(changes.values()), cells.type).take(places)
    return pc.if_else(places.is_valid(), new, cells)


def mapped_paths(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Yield the paths of all numbers and texts in a column, and their schemas."""
    if schema.value is not None:
        yield path, schema
    for name, part in schema.values.items():
        yield from mapped_paths(part, f"{path}.{name}")


def _name(number: Number, element: MapElement) -> str:
    return element.name or f"(number {number} without a name)"


def _names(classes: ValueMap) -> dict[Number, str]:
    return {number: _name(number, element) for number, element in classes.items()}


def _url(table: Reading | None) -> str:
    return "" if table is None else str(table.url)


def _background(column: Schema) -> int:
    found = column.metadata.get(BACKGROUND)
    return int(found) if isinstance(found, int | float) else 0


def _unnamed(table: Reading | None, path: str, classes: ValueMap | None) -> set[Number]:
    """Return the numbers in the cells of a table that it has no names for."""
    if table is None:
        return set()
    values = elements_of(cells_at(table, path)).values.dictionary_encode().dictionary.to_pylist()
    return {value for value in values if isinstance(value, int | float)} - set(classes or ())


def _check_unnamed(
    path: str,
    table: Reading | None,
    classes: ValueMap | None,
    numbers: set[Number],
    maps: Sequence[ValueMap],
    merged: ValueMap,
) -> None:
    """Refuse that a number without a name gets one, unless the table has no names at all.

    Then it takes those of the other tables, if they agree.
    """
    for number in sorted(numbers & set(merged)):
        names = {_name(number, each[number]) for each in maps if number in each}
        if not classes and names == {_name(number, merged[number])}:
            continue
        raise SchemaError(
            f"Column {path!r}: {_url(table)} has cells with the number {number}, which has no name "
            f"there, but is {' or '.join(sorted(map(repr, names)))} in another table.",
            hint="name it with set_value_map, or change these cells with set_values.",
        )


def _check_changeable(path: str, schema: Schema, merged: ValueMap) -> None:
    """Refuse numbers that the column cannot hold."""
    value = schema.value
    if not isinstance(value, NumericValue | BoolValue):
        raise SchemaError(
            f"Column {path!r}: one number is the name of several classes, and the numbers are "
            "pixels of images, which are not changed.",
            hint="write the images of one table with other numbers.",
        )
    try:
        array_of(list(merged), schema_type(schema))
    except (ValueError, OverflowError) as error:  # Arrow's are ValueErrors
        raise SchemaError(
            f"Column {path!r}: {value.arrow} has no room for {len(merged)} classes: {error}.",
            hint="give it a wider type with set_schema.",
        ) from error


def schema_type(schema: Schema) -> pa.DataType:
    """Return the Arrow type of single values of an atomic schema."""
    import pyarrow as pa

    assert schema.value is not None
    return pa.type_for_alias(schema.value.arrow)
