"""Vectors of the rows of a table: from a column of it, or from what a run has stored."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypedDict, Unpack

import numpy as np

from tlc._wording import some
from tlc.constants import NUMBER_ROLE_NN_EMBEDDING
from tlc.dynamics.stored_vectors import StoredVectors
from tlc.dynamics.vectors import Vectors, as_vectors, stacked
from tlc.errors import ColumnError, ColumnNotFoundError, OptionError, TlcWarning
from tlc.run import Run
from tlc.run.metrics_reader import opened
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tlc.dynamics.epochs import AnyTable

__all__ = ["Embeddings", "Source", "Where", "embeddings"]

_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Embeddings:
    """A vector for each row of a table.

    Attributes:
        table: The table.
        vectors: float32 of shape ``(len(table), d)``; NaN in the rows that have none.
        column: Where they come from, for descriptions.

    Raises:
        ColumnError: There is not one vector per row.
    """

    table: Table
    vectors: Vectors
    column: str = "vectors"

    def __post_init__(self) -> None:
        vectors = np.asarray(self.vectors, np.float32)
        if vectors.ndim != 2 or len(vectors) != len(self.table):
            raise ColumnError(
                f"Vectors of shape {vectors.shape} do not fit the {len(self.table)} rows of "
                f"{self.table.url}.",
                hint="give an array of shape (rows, length).",
            )
        object.__setattr__(self, "vectors", vectors)


Source: TypeAlias = Run | Table | TableView | Embeddings
"""Where vectors come from."""


class Where(TypedDict, total=False):
    """Which vectors of a source are meant.

    Attributes:
        table: Of a run: the table whose rows are meant; None if the run is about one only.
        column: The column; None for the one of embeddings.
        split: Of a run: only metrics that were collected with this split.
        epoch: Of a run: the epoch; None for the last one that has the column.
    """

    table: AnyTable | None
    column: str | None
    split: str | None
    epoch: float | None


def embeddings(source: Source, **where: Unpack[Where]) -> Embeddings:
    """Return the vectors of all rows of a table.

    Rows that have none, or one with NaN or infinities in it, are told in a `TlcWarning`; what is
    computed of the vectors is NaN, or -1, for them.

    Args:
        source: A table, or view of one, with a column of vectors; a run that has stored them, as
            `tlc.metrics.EmbeddingsMetricsCollector` does; or `Embeddings`, which are returned as
            they are.
        **where: `table`, `column`, `split` and `epoch`: see `Where`.

    Raises:
        ColumnNotFoundError: There is no such column, or none of embeddings.
        ColumnError: There are several columns of embeddings; or vectors differ in length.
        MetricsError: The run is about several tables; or has nothing about this one.
        OptionError: Of a table more than `column` is given, or anything of `Embeddings`; or there
            is no such option.
    """
    if isinstance(source, Embeddings):
        _check_options(where, (), "of Embeddings")
        return source
    if isinstance(source, Run):
        _check_options(where, Where.__optional_keys__, "of a run")
        found = _of_run(source, **where)
    else:
        _check_options(where, ["column"], "of a table")
        table = source.source if isinstance(source, TableView) else source
        found = _of_table(table, where.get("column"))
    _tell_missing(found)
    return found


def _check_options(where: Where, known: Collection[str], what: str) -> None:
    unknown = [name for name, value in where.items() if name not in known and value is not None]
    if unknown:
        raise OptionError(
            f"There is no option {unknown[0]!r} {what}.",
            hint=f"known: {', '.join(sorted(known))}." if known else "vectors are taken as given.",
        )


def _of_table(table: Table, column: str | None) -> Embeddings:
    name = column or _only(_roles([table]), str(table.url))
    what = f"column {name!r} of {table.url}"
    parts = [as_vectors(part[name], what) for part in table.column_parts([name])]
    return Embeddings(table, stacked(parts, what), name)


def _of_run(
    run: Run,
    table: AnyTable | None = None,
    column: str | None = None,
    split: str | None = None,
    epoch: float | None = None,
) -> Embeddings:
    if column is None:
        parts = run.metrics.parts(opened(table), split)
        column = _only(_roles(part.metrics for part in parts if part.has_rows()), str(run.url))
    stored = StoredVectors(run, column, table, split)
    return Embeddings(stored.table, stored.at(epoch), column)


def _roles(tables: Iterable[Table]) -> list[str]:
    """Return the names of columns of embeddings."""
    return list(
        dict.fromkeys(
            name
            for table in tables
            for name, schema in table.rows_schema.values.items()
            if getattr(schema.value, "number_role", "") == NUMBER_ROLE_NN_EMBEDDING and schema.shape
        )
    )


def _only(names: list[str], where: str) -> str:
    if not names:
        raise ColumnNotFoundError(
            f"{where} has no column of embeddings.",
            hint="name a column of vectors: column=; or give it an EmbeddingSchema.",
        )
    if len(names) > 1:
        raise ColumnError(
            f"{where} has several columns of embeddings: {', '.join(names)}.",
            hint="name one: column=.",
        )
    return names[0]


def _tell_missing(found: Embeddings) -> None:
    missing = np.flatnonzero(~np.isfinite(found.vectors).all(axis=1))
    if len(missing):
        warnings.warn(
            f"{len(missing)} of {len(found.vectors)} rows of {found.table.url} have no vector in "
            f"{found.column!r}, and get no scores: {some(missing, _SHOWN)}.",
            TlcWarning,
            stacklevel=3,
        )
