"""How the layers of a table make its columns.

A column starts at the highest layer that holds all of it; the layers above change it. Only the
files that take part are opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import CorruptObjectError
from tlc.format import parquet
from tlc.format.manifest import Concat, Data, FileEntry, Layer, Patch, Stack, Take
from tlc.format.plain import combine
from tlc.format.relative import resolve
from tlc.url import Url

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tlc.schemas import Schema

KEY_ORIGIN, KEY_INDEX = "origin", "index"


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
    start = _highest_source(stack.layers, name)
    if start is None:
        raise CorruptObjectError(f"No layer of {folder} holds the column {name!r}.")
    column = _source(stack.layers[start], name, folder, type_, schema)
    for layer in stack.layers[start + 1 :]:
        column = _change(column, layer, name, folder, schema)
    return column


def read_keys(stack: Stack, folder: Url) -> tuple[pa.Array, np.ndarray]:
    """Return the stable keys of the rows: origin table id (strings) and index there (int64)."""
    import pyarrow as pa

    origins: pa.Array = pa.array([], pa.string())
    indices: pa.Array = pa.array([], pa.int64())
    for number, layer in enumerate(stack.layers):
        if isinstance(layer, Concat):
            parts = [read_keys(part, folder) for part in layer.inputs]
            origins = pa.concat_arrays([part[0] for part in parts])
            indices = pa.concat_arrays([pa.array(part[1]) for part in parts])
        elif isinstance(layer, Data) and number == 0:
            origins, indices = _data_keys(layer, folder)
        elif isinstance(layer, Take):
            rows = _file_column(layer.file, "row", folder)
            origins, indices = origins.take(rows), indices.take(rows)
    return origins, indices.to_numpy(zero_copy_only=False)


def read_patch(
    patch: Patch, folder: Url, schema: Schema | None = None
) -> tuple[pa.Array, pa.Array]:
    """Return the row numbers (int64) and the new values of a patch."""
    rows = _file_column(patch.file, "row", folder)
    return rows, _file_column(patch.file, "value", folder, schema)


def patched(column: pa.Array, rows: pa.Array, values: pa.Array) -> pa.Array:
    """Return `column` with ``values[k]`` in row ``rows[k]``; the last of equal rows counts."""
    import numpy as np
    import pyarrow as pa

    if len(rows) == 0:
        return column
    index = np.arange(len(column), dtype=np.int64)
    index[np.asarray(rows)] = np.arange(len(column), len(column) + len(rows), dtype=np.int64)
    return pa.concat_arrays([column, values.cast(column.type)]).take(pa.array(index))


def _highest_source(layers: tuple[Layer, ...], name: str) -> int | None:
    for number in range(len(layers) - 1, -1, -1):
        layer = layers[number]
        if isinstance(layer, Concat) or (isinstance(layer, Data) and name in layer.columns):
            return number
    return None


def _source(
    layer: Layer, name: str, folder: Url, type_: pa.DataType, schema: Schema | None
) -> pa.Array:
    import pyarrow as pa

    if isinstance(layer, Concat):
        parts = [read_column(part, name, folder, type_, schema=schema) for part in layer.inputs]
        return pa.concat_arrays(parts) if parts else pa.array([], type_)
    assert isinstance(layer, Data)
    columns = [_file_column(entry, name, folder, schema) for entry in layer.files]
    if not columns:
        return pa.array([], type_)
    column = columns[0] if len(columns) == 1 else pa.concat_arrays(columns)
    return column if column.type == type_ else column.cast(type_)


def _change(
    column: pa.Array, layer: Layer, name: str, folder: Url, schema: Schema | None
) -> pa.Array:
    if isinstance(layer, Take):
        return column.take(_file_column(layer.file, "row", folder))
    if isinstance(layer, Patch) and layer.column == name:
        return patched(column, *read_patch(layer, folder, schema))
    return column


def _file_column(
    entry: FileEntry, name: str, folder: Url, schema: Schema | None = None
) -> pa.Array:
    column = combine(parquet.read_column(folder, entry, name))
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
    return pa.repeat(layer.origin, count), pa.array(np.arange(count, dtype=np.int64))
