"""Tables one below the other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tlc.errors import ColumnError, OptionError
from tlc.format.commit import INPUT
from tlc.format.layout import url_beside
from tlc.format.manifest import Concat, Parent, Stack, TableManifest, new_id, now
from tlc.format.publish import claim
from tlc.format.rebase import rebase_stack
from tlc.schemas.arrow import arrow_type
from tlc.table.class_maps import mapped_paths, merge_classes, renumbered
from tlc.table.draft import Draft
from tlc.table.paths import split_path, with_part
from tlc.table.reading import Reading
from tlc.table.reuse import publish, reused, reuses
from tlc.table.schemas_alike import check_alike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.schemas import Schema
    from tlc.table.class_maps import Renumbering
    from tlc.url import Url

T = TypeVar("T", bound=Reading)
Changes = list[dict[str, "Renumbering"]]
"""For each table, what numbers become at a path."""


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
    missing: str | None,
) -> T:
    """Write a table with the rows of `tables` one below the other; see `Table.join_tables`."""
    parts = [part if isinstance(part, Reading) else cls.from_url(part) for part in tables]
    if not parts:
        raise ColumnError("There is no table to join.", hint="give at least one.")
    if missing not in (None, "null"):
        raise OptionError(f"missing={missing!r} is not possible.", hint="it is None or 'null'.")
    name = "joined" if table_name is None else table_name
    wanted = url_beside(parts[0].url, name, dataset_name, project_name, root_url)
    folder = claim(wanted, if_exists, "table")
    if reuses(folder, if_exists):
        return reused(cls, folder, parts)
    schema, changes = _joined_schema(parts, missing)
    stacks = [
        _stack(part, schema, changed, folder) for part, changed in zip(parts, changes, strict=True)
    ]
    rows = sum(stack.row_count for stack in stacks)
    manifest = TableManifest(
        id=new_id(),
        created=now(),
        description=description or "",
        parents=tuple(_parent(part, folder) for part in parts),
        operation={"edits": [_operation(parts, changes, missing)]},
        rows_schema=schema.to_dict(),
        stack=Stack(rows, (Concat(tuple(stacks)),)),
    )
    return publish(cls, folder, manifest, if_exists, parts)


def _operation(parts: Sequence[Reading], changes: Changes, missing: str | None) -> dict[str, Any]:
    renumbered = [
        {
            "table": number,
            "column": path,
            "numbers": {str(old): new for old, new in numbers.items()},
        }
        for number, changed in enumerate(changes)
        for path, numbers in changed.items()
    ]
    operation: dict[str, Any] = {"type": "join", "tables": len(parts)}
    if renumbered:
        operation["renumbered"] = renumbered
    if missing:
        operation["missing"] = missing
    return operation


def _parent(table: Reading, folder: Url) -> Parent:
    return Parent(table.url.to_relative(folder).to_str(), table.id, INPUT)


def _stack(table: Reading, schema: Schema, changed: dict[str, Renumbering], folder: Url) -> Stack:
    """Return the layers of a table with the columns and the numbers of the joined one."""
    import pyarrow as pa

    stack = rebase_stack(table._manifest.stack, table.url, folder)
    lacking = [name for name in schema.values if name not in table._schema.values]
    if not changed and not lacking:
        return stack
    draft = Draft(stack, table._schema, folder)
    for name in lacking:
        column = schema.values[name]
        draft.put_column(name, column, pa.nulls(len(table), arrow_type(column)))
    columns: dict[str, Any] = {}
    for path, numbers in changed.items():
        name, *parts = split_path(table._schema, path)
        cells = columns.get(name)
        cells = table.column(name) if cells is None else cells
        columns[name] = with_part(cells, parts, partial(renumbered, changes=numbers))
    for name, cells in columns.items():
        draft.put_column(name, schema.values[name], cells.cast(arrow_type(schema.values[name])))
    return draft.stack()


def _joined_schema(tables: Sequence[Reading], missing: str | None) -> tuple[Schema, Changes]:
    """Return the schema of all rows, and what changes in each table.

    Raises:
        ColumnError: The tables do not have the same columns.
        SchemaError: A column is another thing in one table than in the others.
    """
    schema = tables[0].rows_schema
    for table in tables[1:]:
        differing = sorted(set(schema.values) ^ set(table.columns))
        if differing and not missing:
            raise ColumnError(
                f"{tables[0].url} and {table.url} do not have the same columns: "
                f"{', '.join(map(repr, differing))} in one of them only.",
                hint='delete_column and add_column make them alike; missing="null" fills them.',
            )
        for name, other in table.rows_schema.values.items():
            if name in schema.values:
                check_alike(schema.values[name], other, name, table.url)
            else:
                schema.add_sub_schema(name, other)
    changes: Changes = [{} for _ in tables]
    for name, column in schema.values.items():
        having = [table if name in table._schema.values else None for table in tables]
        for path, part in mapped_paths(column, name):
            merged = merge_classes(path, part, having, column)
            for changed, numbers in zip(changes, merged, strict=True):
                if numbers:
                    changed[path] = numbers
    return schema, changes
