"""How the columns of two tables differ, apart from their cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tlc.table.class_maps import mapped_paths
from tlc.table.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.schemas import MapElement, Schema
    from tlc.table.reading import Reading


@dataclass(frozen=True, eq=False)
class SchemaChange:
    """A column that means something else than it did, apart from the names of its values.

    Attributes:
        column: Name of the column.
        old: Its schema in the old table.
        new: Its schema in the new table.
    """

    column: str
    old: Schema
    new: Schema

    def __str__(self) -> str:
        shown = [describe(_without_names(each, self.column)) for each in (self.old, self.new)]
        if shown[0] != shown[1]:
            return f"schema was {shown[0]}, is {shown[1]}"
        parts = [_attributes(each, self.column) for each in (self.old, self.new)]
        names = sorted(key for key in {**parts[0], **parts[1]} if _differ(parts, key))
        return f"schema: other {', '.join(names)}"


@dataclass(frozen=True)
class ValueMapChange:
    """A value of a column that has another name than it had, or another description or colour.

    Attributes:
        path: Name of the column, or dotted path of a part of it.
        value: The value.
        old: What it stood for; None if it had no name.
        new: What it stands for now; None if it has no name.
    """

    path: str
    value: int | float
    old: MapElement | None
    new: MapElement | None

    @property
    def old_name(self) -> str | None:
        """The name it had; None if it had none."""
        return None if self.old is None else self.old.name

    @property
    def new_name(self) -> str | None:
        """The name it has; None if it has none."""
        return None if self.new is None else self.new.name

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.path}: {self.value} is new, {self.new_name!r}"
        if self.new is None:
            return f"{self.path}: {self.value} was {self.old_name!r}, has no name"
        if self.old_name != self.new_name:
            return f"{self.path}: {self.value} was {self.old_name!r}, is {self.new_name!r}"
        return f"{self.path}: {self.value}, {self.new_name!r}, is shown in another way"


def schema_changes(old: Reading, new: Reading, names: list[str]) -> dict[str, SchemaChange]:
    """Return the columns of some names whose schemas differ in more than names of values."""
    found = {}
    for name in names:
        was, now = old._schema.values[name], new._schema.values[name]
        if _without_names(was, name) != _without_names(now, name):
            found[name] = SchemaChange(name, _copy(was), _copy(now))
    return found


def value_map_changes(old: Reading, new: Reading, names: list[str]) -> Iterator[ValueMapChange]:
    """Yield the values in columns of some names that do not stand for what they did."""
    for name in names:
        maps = [_value_maps(table._schema.values[name], name) for table in (old, new)]
        for path in {**maps[0], **maps[1]}:
            was, now = maps[0].get(path, {}), maps[1].get(path, {})
            for value in {**was, **now}:
                if was.get(value) != now.get(value):
                    yield ValueMapChange(path, value, was.get(value), now.get(value))


def _value_maps(schema: Schema, name: str) -> dict[str, dict[int | float, MapElement]]:
    """Return the value maps in a column, by path."""
    parts = ((path, part.value) for path, part in mapped_paths(schema, name))
    return {path: dict(value.value_map) for path, value in parts if value and value.value_map}


def _without_names(schema: Schema, name: str) -> Schema:
    """Return a copy of a schema without names for values."""
    schema = _copy(schema)
    for _, part in mapped_paths(schema, name):
        if part.value is not None:
            part.value.map = None
    return schema


def _copy(schema: Schema) -> Schema:
    return type(schema).from_dict(schema.to_dict())


def _attributes(schema: Schema, name: str) -> dict[str, Any]:
    return _without_names(schema, name).to_dict()


def _differ(parts: list[dict[str, Any]], key: str) -> bool:
    return bool(parts[0].get(key) != parts[1].get(key))
