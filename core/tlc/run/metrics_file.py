"""Metrics that are complete already, as one metrics table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.constants import EXAMPLE_ID
from tlc.errors import MetricsError
from tlc.format.encode import common_length
from tlc.format.metrics import ForeignTable, MetricsBuilder
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas import Schema
    from tlc.url import Url


def foreign_table(table: Table | TableView | Url | str | None) -> ForeignTable | None:
    """Return what a metrics table needs to know of the table that it is about.

    Args:
        table: The table; None or an empty url for none.

    Raises:
        ObjectNotFoundError: There is no table at that url.
    """
    if isinstance(table, TableView):
        table = table.source
    if not isinstance(table, Table):
        if table is None or not str(table):
            return None
        table = Table.from_url(table)
    return ForeignTable(table.url, table.id, len(table))


def write_metrics(
    run: Url,
    metrics: Mapping[str, Any],
    *,
    schema: Mapping[str, Schema],
    foreign: ForeignTable | None,
    constants: Mapping[str, Any],
    split: str | None,
) -> Table:
    """Write a metrics table of a run; see `Run.add_metrics`."""
    columns = dict(metrics)
    count = common_length(columns)
    if foreign is not None and EXAMPLE_ID not in columns:
        if count != foreign.row_count:
            raise MetricsError(
                f"The metrics have {count} values per column, but {foreign.url} has "
                f"{foreign.row_count} rows, so they cannot belong together row by row.",
                hint=f"add the row numbers that the values belong to as {EXAMPLE_ID!r}.",
            )
        columns = {EXAMPLE_ID: range(count), **columns}
    builder = MetricsBuilder(run, foreign, schema=schema, constants=constants, split=split)
    try:
        builder.add_batch(columns)
        return Table.from_url(builder.finish(linked=True))
    except BaseException:
        builder.discard()
        raise
