"""Reducing the embeddings among the metrics of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.reduction.apply import about_foreign_table
from tlc.reduction.writing import delete_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.run.run import Run
    from tlc.table import Table, TableView
    from tlc.url import Url


def reduce_embeddings(
    run: Run,
    foreign_table: Table | TableView | Url | str,
    method: str,
    options: Mapping[str, Any],
    *,
    delete: bool,
) -> dict[Url, Url]:
    """Reduce embeddings; see `Run.reduce_embeddings_by_foreign_table_url`.

    The run lists the new tables before it forgets the old ones, and these are deleted last: whoever
    is killed in between loses nothing.
    """
    reduction = about_foreign_table(run.metrics_tables, foreign_table, method, options)
    reduction.compute()
    written = reduction.write(standalone=delete)
    for url in written.values():
        run.add_metrics_table(url)
    if delete:
        for url in written:
            run.remove_metrics_table(url)
        for url in written:
            delete_table(url)
    return written
