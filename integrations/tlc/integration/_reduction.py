"""Embeddings that a training has collected, reduced when it is over."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnError, MetricsError, ReductionError, TlcWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tlc.run import Run
    from tlc.table import Table

__all__ = ["EMBEDDINGS", "check_reducer", "reduce_collected"]

EMBEDDINGS = "embeddings"
"""The column that they are collected in."""


def check_reducer(method: str, arguments: Mapping[str, Any]) -> None:
    """Check that embeddings can be reduced: before a training, rather than after it.

    Args:
        method: Name of the method.
        arguments: Arguments of the reducer.

    Raises:
        OptionError: There is no such method, or it does not take an argument.
        MissingExtraError: Its package is not installed.
        BrokenExtraError: Its package cannot be imported.
    """
    from tlc.reduction import create_reducer  # late: few trainings collect embeddings

    create_reducer(method, arguments)


def reduce_collected(
    run: Run, tables: Iterable[Table], method: str, arguments: Mapping[str, Any]
) -> None:
    """Reduce the embeddings among the metrics of a run; what they were reduced from goes.

    A training that is over must not fail: if they cannot be reduced, for instance because there are
    too few, they stay as they are, and a warning says why.

    Args:
        run: The run.
        tables: The tables that the training was about. The reducer is fitted on the last metrics
            about the first of them that embeddings were collected of.
        method: Name of the method.
        arguments: Arguments of the reducer.
    """
    is_open = not run.state.status.is_final
    if is_open:
        run.set_status_post_processing()
    try:
        _reduce(run, tables, method, arguments)
    except (ReductionError, ColumnError) as error:
        warnings.warn(
            f"The embeddings of {run.url} stay as they were collected: {error}",
            TlcWarning,
            stacklevel=2,
        )
    finally:
        if is_open:
            run.set_status_running()


def _reduce(run: Run, tables: Iterable[Table], method: str, arguments: Mapping[str, Any]) -> None:
    for table in tables:
        try:
            run.reduce_embeddings_by_foreign_table_url(
                table,
                method,
                delete_source_tables=True,
                source_embedding_column=EMBEDDINGS,
                **arguments,
            )
        except MetricsError:  # none were collected of this one
            continue
        return
