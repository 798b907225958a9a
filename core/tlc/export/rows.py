"""The rows that are exported, as exporters need them.

In row form, but for two things that belong to the table's own place: urls are absolute, without the
aliases of this machine, and numbers of 32 bits are the shortest decimal numbers that mean them, so
that 0.1 is not written as 0.10000000149011612. Read as 32 bits again they are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import ExportError, WeightError
from tlc.format.relative import holds_urls
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from tlc.schemas import Schema
    from tlc.table import Table

_ROWS_AT_ONCE = 1024


def exported_rows(
    table: Table, weight_threshold: float = 0.0, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table in row form, with absolute urls.

    Args:
        table: The table.
        weight_threshold: Rows whose weight is below it are left out.
        columns: Names of the columns; None for all.

    Yields:
        A new dict for each row.

    Raises:
        ExportError: There is a threshold, but the table has no weights.
        WeightError: There is a threshold, but a row has no weight.
    """
    for part in exported_parts(table, weight_threshold, columns):
        for start in range(0, part.num_rows, _ROWS_AT_ONCE):
            yield from part.slice(start, _ROWS_AT_ONCE).to_pylist()


def exported_parts(
    table: Table,
    weight_threshold: float = 0.0,
    columns: Sequence[str] | None = None,
    *,
    as_stored: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Yield what `exported_rows` yields as Arrow data, many rows at a time.

    Args:
        table: The table.
        weight_threshold: Rows whose weight is below it are left out.
        columns: Names of the columns; None for all.
        as_stored: Whether to keep the types of numbers as they are.

    Raises:
        ExportError: There is a threshold, but the table has no weights.
        WeightError: There is a threshold, but a row has no weight.
    """
    schemas = table.rows_schema.values
    for batch in _chosen(table, weight_threshold, columns):
        cells = {name: batch.column(name) for name in batch.schema.names}
        if not as_stored:
            cells = {name: shortest_numbers(part) for name, part in cells.items()}
        yield _batch({n: _with_absolute_urls(part, schemas[n]) for n, part in cells.items()})


def _chosen(
    table: Table, weight_threshold: float, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    names = table.columns if columns is None else list(columns)
    weights = _weights_column(table, weight_threshold)
    read = names if weights is None or weights in names else [*names, weights]
    first = 0
    for part in table.column_parts(read):
        batch = _batch({name: part[name] for name in names})
        if weights:
            cells = part[weights]
            batch = batch.filter(_kept(table, cells, weight_threshold, first))
            first += len(cells)
        yield batch


def _weights_column(table: Table, weight_threshold: float) -> str | None:
    if weight_threshold <= 0:
        return None
    name = table.weights_column_name
    if name is None:
        raise ExportError(
            f"{table.url} has no weights, so none can be below {weight_threshold:g}.",
            hint="leave weight_threshold out, or add a column with a SampleWeightSchema.",
        )
    return name


def _kept(table: Table, weights: pa.Array, weight_threshold: float, first: int) -> pa.Array:
    import pyarrow.compute as pc

    missing = pc.is_null(weights, nan_is_null=True)
    if pc.any(missing).as_py():
        row = first + pc.index(missing, True).as_py()
        raise WeightError(
            f"Row {row} of {table.url} has no weight.",
            hint="give it one, or export without weight_threshold.",
        )
    return pc.greater_equal(weights, weight_threshold)


def _batch(columns: dict[str, pa.Array]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def shortest_numbers(cells: pa.Array) -> pa.Array:
    """Return cells with the shortest decimal numbers that mean numbers of 32 bits."""
    texts = _retyped(cells.type, {"float": "string"})
    if texts == cells.type:
        return cells
    return cells.cast(texts).cast(_retyped(cells.type, {"float": "double"}))


def _retyped(kind: Any, names: dict[str, str]) -> Any:
    """Return an Arrow type with some types of numbers in it replaced."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return pa.struct([pa.field(part.name, _retyped(part.type, names)) for part in kind])
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_retyped(kind.value_type, names), kind.list_size)
    if pa.types.is_list(kind):
        return pa.list_(_retyped(kind.value_type, names))
    return pa.type_for_alias(names[str(kind)]) if str(kind) in names else kind


def _with_absolute_urls(cells: pa.Array, schema: Schema) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not holds_urls(schema):
        return cells
    is_flat = pa.types.is_string(cells.type)
    if is_flat and not pc.any(pc.starts_with(cells, "<")).as_py():
        return cells
    return pa.array([_absolute(cell, schema) for cell in cells.to_pylist()], cells.type)


def _absolute(cell: Any, schema: Schema) -> Any:
    """Return a cell whose urls have no aliases."""
    if isinstance(cell, list):
        return [_absolute(item, schema) for item in cell]
    if isinstance(cell, dict):
        return {name: _absolute(part, schema.values[name]) for name, part in cell.items()}
    if isinstance(cell, str) and cell.startswith("<") and holds_urls(schema):
        return Url(cell).to_absolute().to_str()
    return cell
