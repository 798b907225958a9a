"""Tables one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tlc.errors import ColumnError, SchemaError
from tlc.format.commit import INPUT
from tlc.format.layout import url_beside
from tlc.format.manifest import Concat, Parent, Stack, TableManifest, new_id, now
from tlc.format.publish import claim
from tlc.format.rebase import rebase_stack
from tlc.schemas.arrow import arrow_type
from tlc.table.reading import Reading
from tlc.table.reuse import publish, reused, reuses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.schemas import Schema
    from tlc.url import Url

T = TypeVar("T", bound=Reading)


def join_tables(
    cls: type[T],
    tables: Sequence[Reading | Url | str],
    *,
    table_name: str | None,
    dataset_name: str | None,
    project_name: str | None,
    root_url: Url | str | None,
    if_exists: str,
    description: str | None,
) -> T:
    """Write a table with the rows of `tables` one below the other; see `Table.join_tables`."""
    parts = [part if isinstance(part, Reading) else cls.from_url(part) for part in tables]
    if not parts:
        raise ColumnError("There is no table to join.", hint="give at least one.")
    name = "joined" if table_name is None else table_name
    wanted = url_beside(parts[0].url, name, dataset_name, project_name, root_url)
    folder = claim(wanted, if_exists, "table")
    if reuses(folder, if_exists):
        return reused(cls, folder, parts)
    stacks = tuple(rebase_stack(part._manifest.stack, part.url, folder) for part in parts)
    rows = sum(stack.row_count for stack in stacks)
    manifest = TableManifest(
        id=new_id(),
        created=now(),
        description=description or "",
        parents=tuple(_parent(part, folder) for part in parts),
        operation={"edits": [{"type": "join", "tables": len(parts)}]},
        rows_schema=_joined_schema(parts).to_dict(),
        stack=Stack(rows, (Concat(stacks),)),
    )
    return publish(cls, folder, manifest, if_exists, parts)


def _parent(table: Reading, folder: Url) -> Parent:
    return Parent(table.url.to_relative(folder).to_str(), table.id, INPUT)


def _joined_schema(tables: Sequence[Reading]) -> Schema:
    schema = tables[0].rows_schema
    for table in tables[1:]:
        differing = sorted(set(schema.values) ^ set(table.columns))
        if differing:
            raise ColumnError(
                f"{tables[0].url} and {table.url} do not have the same columns: "
                f"{', '.join(map(repr, differing))} in one of them only.",
                hint="delete_column and add_column make them alike.",
            )
        for name, other in table._schema.values.items():
            _merge(schema.values[name], other, name, table.url)
    return schema


def _merge(schema: Schema, other: Schema, path: str, url: Url) -> None:
    """Take over the classes that only `other` has; refuse types and names that contradict."""
    if arrow_type(schema) != arrow_type(other):
        raise SchemaError(
            f"Column {path!r} holds {arrow_type(schema)} in the first table and "
            f"{arrow_type(other)} in {url}.",
            hint="set_schema makes them alike.",
        )
    for name, child in schema.values.items():
        _merge(child, other.values[name], f"{path}.{name}", url)
    mine, theirs = getattr(schema.value, "map", None), getattr(other.value, "map", None)
    for value, element in (theirs or {}).items():
        if mine is None:
            mine = schema.value.map = {}  # type: ignore[union-attr]
        known = mine.setdefault(value, element)
        if known.internal_name != element.internal_name:
            raise SchemaError(
                f"Column {path!r}: the value {value} is {known.internal_name!r} in the tables "
                f"before, but {element.internal_name!r} in {url}.",
                hint="give the classes of one table other values (set_values), then set_value_map.",
            )
