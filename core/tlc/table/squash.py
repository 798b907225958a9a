"""Writing a table out in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tlc.format import parquet
from tlc.format.commit import INPUT, REVISION
from tlc.format.layers import KEY_INDEX, KEY_ORIGIN
from tlc.format.layout import url_beside
from tlc.format.manifest import Parent, TableManifest, new_id, now
from tlc.format.publish import claim
from tlc.format.writer_name import new_writer
from tlc.table import lineage
from tlc.table.reuse import publish, reused, reuses
from tlc.table.written_out import written_out

if TYPE_CHECKING:
    from tlc.format.manifest import FileEntry, Stack
    from tlc.table.reading import Reading
    from tlc.url import Url

T = TypeVar("T", bound="Reading")


def squash(
    table: T,
    *,
    table_name: str | None,
    dataset_name: str | None,
    project_name: str | None,
    root_url: Url | str | None,
    if_exists: str,
    description: str | None,
) -> T:
    """Write `table` out in full; see `Table.squash`."""
    names = (table_name, dataset_name, project_name, root_url)
    elsewhere = any(name is not None for name in names)
    number = table._manifest.revision + 1
    wanted = table.url.create_sibling(lineage.revision_name(table.name, number))
    if elsewhere:
        name = table.name if table_name is None else table_name
        wanted = url_beside(table.url, name, dataset_name, project_name, root_url)
    folder = claim(wanted, if_exists, "table")
    if reuses(folder, if_exists):
        return reused(type(table), folder, [table])
    relation = INPUT if elsewhere else REVISION
    manifest = TableManifest(
        id=new_id(),
        created=now(),
        description=description or "",
        revision=0 if elsewhere else number,
        parents=(Parent(table.url.to_relative(folder).to_str(), table.id, relation),),
        operation={"edits": [{"type": "squash"}]},
        rows_schema=table._schema.to_dict(),
        stack=_full_stack(table, folder),
    )
    return publish(type(table), folder, manifest, if_exists, [table])


def _full_stack(table: Reading, folder: Url) -> Stack:
    schemas = table._schema.values
    columns = {name: (schemas[name], table.column(name)) for name in table.columns}
    writer = new_writer()
    return written_out(columns, len(table), folder, writer, keys=write_keys(table, folder, writer))


def write_keys(table: Reading, folder: Url, writer: str) -> FileEntry:
    """Write the stable keys of a table's rows into the folder of one that has the same rows."""
    import pyarrow as pa

    origins, indices = table.row_keys()
    keys = pa.table({KEY_ORIGIN: origins, KEY_INDEX: pa.array(indices)})
    return parquet.write(folder, f"keys/{writer}.parquet", keys)
