"""Aggregates of a metrics table that is complete: of one that several processes have written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.constants import EXAMPLE_ID, FOREIGN_TABLE_ID
from tlc.format.plain import is_numeric, numbers_of

if TYPE_CHECKING:
    from collections.abc import Collection as Names
    from collections.abc import Sequence

    import pyarrow as pa

    from tlc.metrics.aggregators import Aggregator
    from tlc.metrics.collectors.metrics_collector_base import MetricsCollector
    from tlc.table import Table

__all__ = ["aggregated"]


def aggregated(
    collectors: Sequence[MetricsCollector], columns: Sequence[Names[str]], table: Table
) -> list[Aggregator | None]:
    """Return aggregators that have taken in all rows of a metrics table.

    Args:
        collectors: The collectors.
        columns: The columns of each; empty if this process had no batch: then each gets all.
        table: The metrics table.
    """
    aggregators = [collector.start_aggregates() for collector in collectors]
    schemas = table.rows_schema.values
    constants = table.metrics_info.constants if table.metrics_info else {}
    own = {name for name in schemas if name not in {EXAMPLE_ID, FOREIGN_TABLE_ID, *constants}}
    wanted = [own.intersection(names) for names in columns] or [own] * len(collectors)
    pairs = [(each, names) for each, names in zip(aggregators, wanted, strict=True) if each]
    read = sorted(set().union(*(names for _, names in pairs)))
    for part in table.column_parts(read) if read else ():
        values = {name: _values(cells) for name, cells in part.items()}
        for aggregator, names in pairs:
            aggregator.aggregate_batch({name: values[name] for name in sorted(names)}, schemas)
    return aggregators


def _values(cells: pa.Array) -> Any:
    """Return cells as an array, without a list of each, where that can be."""
    import pyarrow as pa

    if cells.null_count:
        return cells.to_pylist()
    if is_numeric(cells.type):
        return numbers_of(cells)
    if pa.types.is_fixed_size_list(cells.type):
        inner = _values(cells.flatten())
        if not isinstance(inner, list):
            return inner.reshape(len(cells), cells.type.list_size, *inner.shape[1:])
    return cells.to_pylist()
