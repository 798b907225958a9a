"""Whether a table that exists already can stand for one that would be made now."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from tlc.errors import ObjectExistsError, ReuseWarning
from tlc.format.bulk import FilesWanted, NoFiles
from tlc.format.encode import ColumnEncoder, common_length
from tlc.format.publish import object_exists, publish_table
from tlc.table.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pyarrow as pa

    from tlc.format.manifest import TableManifest
    from tlc.importers.source import Source
    from tlc.url import Url

T = TypeVar("T", bound=Reading)


def reuses(folder: Url, if_exists: str) -> bool:
    """Whether the table at `folder` is to be used instead of writing one."""
    return if_exists == "reuse" and object_exists(folder)


def reused(cls: type[T], folder: Url, inputs: Sequence[Reading]) -> T:
    """Open the table at `folder`, with a warning if it was made from other tables than `inputs`."""
    table = cls.from_url(folder)
    if [parent.id for parent in table._manifest.parents] != [each.id for each in inputs]:
        warn_of_reuse(folder)
    return table


def publish(
    cls: type[T], folder: Url, manifest: TableManifest, if_exists: str, inputs: Sequence[Reading]
) -> T:
    """Publish a table made from `inputs` and return it, or one that is to be used instead.

    Raises:
        ObjectExistsError: Somebody else was faster, and `if_exists` is ``"raise"``.
    """
    try:
        return cls.from_url(publish_table(folder, manifest, if_exists))
    except ObjectExistsError:
        if if_exists != "reuse":
            raise
        return reused(cls, folder, inputs)


def warn_of_reuse(url: Url, *, deeper: int = 0) -> None:
    """Warn the caller of the caller's caller's caller: the one who called a method of a table.

    Args:
        url: The table that is used.
        deeper: How many more calls there are in between.
    """
    warnings.warn(
        f"{url} exists and is used, but it was made from other data than those given now. "
        'Hint: pass if_exists="overwrite" or "rename", or another table_name.',
        ReuseWarning,
        stacklevel=5 + deeper,
    )


def same(table: Reading, source: Source, extras: Collection[str]) -> bool:
    """Whether `table` was made from the same input as `source`, as far as can be told cheaply.

    Args:
        table: What exists.
        source: What an importer returned.
        extras: Names of columns that the table may have beside those of the source.
    """
    stored = dict(table.source)
    if source.fingerprint:
        stored.pop("importer", None)
        return stored == dict(source.fingerprint)
    return _same_rows(table, source, extras)


def _same_rows(table: Reading, source: Source, extras: Collection[str]) -> bool:
    """Compare data in memory with the table, but for columns whose cells lie in files."""
    start, columns = 0, dict.fromkeys(source.schema)
    for batch in source.batches():
        count = common_length(batch)
        columns.update(dict.fromkeys(batch))
        if not batch.keys() <= set(table.columns) or start + count > len(table):
            return False
        if not all(_same_column(table, name, batch[name], start) for name in batch):
            return False
        start += count
    return start == len(table) and set(table.columns) <= columns.keys() | set(extras)


def _same_column(table: Reading, name: str, values: Any, start: int) -> bool:
    schema = table.rows_schema.values[name]
    encoder = ColumnEncoder(name, schema, NoFiles())
    try:
        cells = encoder.encode(values)
    except FilesWanted:
        return True
    except ValueError:
        return False
    return _same_cells(cells, table.column(name).slice(start, len(cells)))


def _same_cells(one: pa.Array, other: pa.Array) -> bool:
    """Whether two arrays of one type are equal, where NaN equals NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if one.equals(other):
        return True
    if len(one) != len(other) or not one.is_valid().equals(other.is_valid()):
        return False
    if pa.types.is_floating(one.type):
        numbers = [pc.if_else(pc.is_nan(cells), 0.0, cells) for cells in (one, other)]
        return bool(pc.is_nan(one).equals(pc.is_nan(other)) and numbers[0].equals(numbers[1]))
    if pa.types.is_struct(one.type):
        return all(map(_same_cells, one.flatten(), other.flatten()))
    if hasattr(one.type, "value_type"):
        lengths = [pc.list_value_length(cells) for cells in (one, other)]
        return lengths[0].equals(lengths[1]) and _same_cells(one.flatten(), other.flatten())
    return False
