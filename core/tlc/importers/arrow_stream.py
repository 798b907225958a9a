"""Frames of any library that hands out its columns as an Arrow stream."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from tlc._optional import loaded
from tlc.errors import ColumnError
from tlc.format.plain import combine
from tlc.importers.columns import check_names, check_schema, from_pandas
from tlc.importers.source import Batch, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from tlc.schemas import Schema

_ROWS = 65_536


def from_arrow(frame: Any, schema: Mapping[str, Schema] | None) -> Source:
    """Take the columns of a frame, batch by batch.

    Args:
        frame: Anything with ``__arrow_c_stream__``, such as a frame of polars, a relation of DuckDB
            or an Arrow table; a data frame of pandas as `from_pandas` takes it. A reader of batches
            is read once.
        schema: Schemas of columns; the others follow from the Arrow types.

    Raises:
        ColumnError: It is no frame; a schema names a column that is not there; or two columns have
            one name.
    """
    import pyarrow as pa

    pandas = loaded("pandas")
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        return from_pandas(frame, schema)
    reader = _reader(frame)
    names: list[str] = reader.schema.names
    schemas = check_schema(schema, check_names(names))
    if isinstance(frame, pa.RecordBatchReader):
        # What comes only once cannot be compared with a table that there is.
        return Source("arrow", _Once(reader), schemas, {"stream": uuid.uuid4().hex})
    return Source("arrow", lambda: _batches(_reader(frame)), schemas)


class _Once:
    """The batches of a reader, for one import."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self._reader: pa.RecordBatchReader | None = reader

    def __call__(self) -> Iterator[Batch]:
        reader, self._reader = self._reader, None
        if reader is None:
            raise ColumnError(
                "The reader of batches has been read already, and can be read only once.",
                hint="give what it reads from, or reader.read_all().",
            )
        return _batches(reader)


def _reader(frame: Any) -> pa.RecordBatchReader:
    import pyarrow as pa

    if hasattr(frame, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(frame)
    collect = hasattr(frame, "collect")
    raise ColumnError(
        f"{type(frame).__name__} is no frame of columns that Arrow can read.",
        hint="collect it first: frame.collect()."
        if collect
        else "frames of pandas, polars, DuckDB and Arrow are; give other columns to from_dict.",
    )


def _batches(reader: pa.RecordBatchReader) -> Iterator[Batch]:
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in reader:
        waiting.append(batch)
        count += batch.num_rows
        if count >= _ROWS:
            yield _columns(pa.Table.from_batches(waiting))
            waiting, count = [], -1  # something was handed out
    if waiting or count == 0:
        yield _columns(pa.Table.from_batches(waiting, reader.schema))


def _columns(table: pa.Table) -> Batch:
    return {
        name: _without_views(combine(column))
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _without_views(cells: pa.Array) -> pa.Array:
    """Return categories of polars in a type that Arrow can look up."""
    import pyarrow as pa

    if not (pa.types.is_dictionary(cells.type) and pa.types.is_string_view(cells.type.value_type)):
        return cells
    return pa.DictionaryArray.from_arrays(cells.indices, cells.dictionary.cast(pa.string()))
