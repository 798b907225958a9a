"""How the layers of a table make its columns.

A column starts at the highest layer that holds all of it; the layers above change it. Only the
files that take part are opened. See `tlc.format.stack` for the layers themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import CorruptObjectError
from tlc.format.manifest import Concat, Data, FileEntry, Patch, Stack, Take
from tlc.format.parquet import data_file
from tlc.format.parquet import read_column as read_file_column
from tlc.format.patching import numbers_as_cells, patched
from tlc.format.plain import combine, numbers_of
from tlc.format.relative import resolve
from tlc.format.stack import StackReader
from tlc.url import Url

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tlc.schemas import Schema

__all__ = ["patched", "read_column", "read_keys", "read_patch", "read_rows"]

KEY_ORIGIN, KEY_INDEX = "origin", "index"
_MANY = 1 << 24


def read_column(
    stack: Stack, name: str, folder: Url, type_: pa.DataType, *, schema: Schema | None = None
) -> pa.Array:
    """Return one column of a stack as a single Arrow array of `type_`.

    Args:
        stack: The layers.
        name: The column.
        folder: The object's folder, which the paths of the files are relative to.
        type_: Arrow type to return; cells are cast if they were stored otherwise.
        schema: Schema of the column; its urls that are relative to the table that wrote them are
            made absolute. None if it has none.

    Raises:
        CorruptObjectError: A file is missing or damaged, or no layer has the column.
    """
    reader = StackReader(stack, folder, {name: type_}, {} if schema is None else {name: schema})
    return reader.read_column(name)


def read_keys(stack: Stack, folder: Url) -> tuple[pa.Array, np.ndarray]:
    """Return the stable keys of the rows: origin table id (strings) and index there (int64).

    Raises:
        CorruptObjectError: A file is missing or damaged, or the layers contradict each other.
    """
    import pyarrow as pa

    try:
        origins, indices = _keys(stack, folder)
        if len(origins) == len(indices) == stack.row_count and str(origins.type) == "string":
            return origins, indices
        reason = f"there are {len(origins)} for {stack.row_count} rows"
    except (pa.ArrowException, MemoryError, IndexError, TypeError) as error:
        reason = str(error)
    raise CorruptObjectError(f"The keys of the rows of {folder} are damaged: {reason}.")


def _keys(stack: Stack, folder: Url) -> tuple[pa.Array, np.ndarray]:
    import pyarrow as pa

    origins: pa.Array = pa.array([], pa.string())
    indices: pa.Array = pa.array([], pa.int64())
    for number, layer in enumerate(stack.layers):
        if isinstance(layer, Concat):
            parts = [_keys(part, folder) for part in layer.inputs]
            origins = pa.concat_arrays([part[0] for part in parts])
            indices = pa.concat_arrays([pa.array(part[1]) for part in parts])
        elif isinstance(layer, Data) and number == 0:
            origins, indices = _data_keys(layer, folder)
        elif isinstance(layer, Take):
            rows = read_rows(layer, folder)
            origins, indices = origins.take(rows), indices.take(rows)
    return origins, numbers_of(indices)


def read_rows(take: Take, folder: Url) -> pa.Array:
    """Return the row numbers (int64) of a selection of rows."""
    return _file_column(take.file, "row", folder)


def read_patch(
    patch: Patch, folder: Url, schema: Schema | None = None
) -> tuple[pa.Array, pa.Array]:
    """Return the row numbers (int64) and the new values of a patch."""
    file = data_file(folder, patch.file)
    if len(file.group_rows()) != 1:
        rows = _file_column(patch.file, "row", folder)
        return rows, _file_column(patch.file, "value", folder, schema)
    cells = file.read(0, ["row", "value"])  # at once: most patches are small
    if schema is not None:
        cells["value"] = resolve(cells["value"], file.url.parent.parent, schema)
    return cells["row"], cells["value"]


def _file_column(
    entry: FileEntry, name: str, folder: Url, schema: Schema | None = None
) -> pa.Array:
    column = combine(read_file_column(folder, entry, name))
    if schema is None:
        return column
    return resolve(column, Url(entry.path).to_absolute(folder).parent.parent, schema)


def _data_keys(layer: Data, folder: Url) -> tuple[Any, Any]:
    import numpy as np
    import pyarrow as pa

    if layer.keys is not None:
        origins = _file_column(layer.keys, KEY_ORIGIN, folder)
        return origins, _file_column(layer.keys, KEY_INDEX, folder)
    count = sum(entry.rows for entry in layer.files)
    if count > _MANY:  # so many that there had better be as many
        count = sum(sum(data_file(folder, entry).group_rows()) for entry in layer.files)
    indices = np.arange(count, dtype=np.int64)
    return pa.repeat(layer.origin, count), numbers_as_cells(indices, pa.int64())
