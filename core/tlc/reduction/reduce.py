"""Embeddings to columns that can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from tlc.errors import OptionError
from tlc.reduction.apply import Reduction, about_foreign_table, reduce_all
from tlc.reduction.foreign import by_foreign_table
from tlc.reduction.jobs import has_sources, wanted_of
from tlc.reduction.settings import SEED
from tlc.table import Table, TableView
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from tlc.reduction.jobs import Wanted

    AnyTable: TypeAlias = Table | TableView | Url | str

__all__ = [
    "reduce_embeddings",
    "reduce_embeddings_by_foreign_table_url",
    "reduce_embeddings_multiple_parameters",
    "reduce_embeddings_per_dataset",
    "reduce_embeddings_with_producer_consumer",
]


@overload
def reduce_embeddings(
    tables: AnyTable, method: str = ..., delete_source_tables: bool = ..., **options: Any
) -> Table: ...
@overload
def reduce_embeddings(
    tables: Iterable[AnyTable], method: str = ..., delete_source_tables: bool = ..., **options: Any
) -> dict[Url, Url]: ...
def reduce_embeddings(
    tables: AnyTable | Iterable[AnyTable],
    method: str = "pacmap",
    delete_source_tables: bool = False,
    *,
    n_components: int | None = None,
    source_embedding_column: str | None = None,
    target_embedding_column: str | None = None,
    retain_source_embedding_column: bool = False,
    standard_scaler_normalize: bool = False,
    seed: int | None = SEED,
    **reducer_args: Any,
) -> Table | dict[Url, Url]:
    """Reduce columns of embeddings to a few numbers per vector, of each table by itself.

    The result is a new table, ``reduced_0000`` and so on beside its source, in which nothing that
    stays is copied. Vectors with NaN or infinite numbers, and missing ones, become NaN and take no
    part in the fit.

    Args:
        tables: A table, or several, each of which gets a reducer of its own.
        method: ``"pacmap"``, ``"umap"`` or ``"pca"``; the first two need the extra ``reduction``.
        delete_source_tables: Whether to delete the tables that were reduced. What stays of them is
            copied then. Their files are cleared away by ``tlc gc``.
        n_components: Numbers that each vector becomes: 2 if None, and 3 for ``"umap"``.
        source_embedding_column: Dotted path of the column of vectors, such as ``"points"`` or
            ``"bbs.instances_additional_data.embedding"``; all with the role of embeddings if None.
        target_embedding_column: Name of the new column; ``<source>_<method>`` if None, with a
            number if that is taken.
        retain_source_embedding_column: Whether the new table has the source column, too.
        standard_scaler_normalize: Whether to bring each number of the vectors to mean 0 and
            standard deviation 1 first.
        seed: Equal seeds give equal results; None for another result each time. It may be called
            ``random_state``.
        reducer_args: Arguments of the package's own reducer. For ``"pacmap"`` such as `n_neighbors`
            (10; 10 + 15 (log10(n) - 4) for n > 10,000 vectors), `MN_ratio` (0.5), `FP_ratio` (2),
            `distance` (``"euclidean"``), `lr` (1), `num_iters` (100, 100, 250), `apply_pca` (True);
            for ``"umap"`` such as `n_neighbors` (15), `min_dist` (0.1), `metric`
            (``"euclidean"``). If there are too few vectors for these numbers of neighbours there
            are fewer, unless you have given one. ``"pca"`` has none.

    Returns:
        The new table; for several the url of each to that of the new one.

    Raises:
        OptionError: There is no such method or argument, or a value is impossible.
        MissingExtraError: The package of the method is not installed.
        BrokenExtraError: The package is installed, but cannot be imported.
        ColumnNotFoundError: There is no such column, or none of embeddings.
        ColumnError: Vectors differ in length, or the new column exists already.
        ReductionError: There are too few vectors, or the package fails. In all these cases nothing
            is written.
    """
    options = {
        **reducer_args,
        "n_components": n_components,
        "source_embedding_column": source_embedding_column,
        "target_embedding_column": target_embedding_column,
        "retain_source_embedding_column": retain_source_embedding_column,
        "standard_scaler_normalize": standard_scaler_normalize,
        **({} if "random_state" in reducer_args and seed == SEED else {"seed": seed}),
    }
    return _each_by_itself(tables, [wanted_of(method, options)], delete=delete_source_tables)


def reduce_embeddings_with_producer_consumer(
    producer: AnyTable,
    consumers: AnyTable | Iterable[AnyTable],
    method: str = "pacmap",
    delete_source_tables: bool = False,
    **options: Any,
) -> dict[Url, Url]:
    """Fit a reducer on one table, and apply it to that and to others.

    A vector of a consumer that the producer has, too, gets the same numbers.

    Args:
        producer: The table to fit on.
        consumers: The others.
        method: See `reduce_embeddings`.
        delete_source_tables: See there.
        options: The other arguments of `reduce_embeddings`.

    Returns:
        Url of each table, the producer too, to that of the new one.

    Raises:
        TlcError: As `reduce_embeddings`; and a consumer has no such column.
    """
    wanted = [wanted_of(method, options)]
    fit, *_ = _opened(producer)
    tables = _unique([fit, *_opened(consumers)])
    return reduce_all([Reduction(fit, tables, wanted)], delete=delete_source_tables)


def reduce_embeddings_by_foreign_table_url(
    tables: Iterable[AnyTable],
    foreign_table_url: AnyTable,
    method: str = "pacmap",
    delete_source_tables: bool = False,
    **options: Any,
) -> dict[Url, Url]:
    """Fit a reducer on the last metrics about a table, and apply it to all metrics given.

    Args:
        tables: Metrics tables, such as ``run.metrics_tables``; those without the columns to reduce
            are left out.
        foreign_table_url: The table that the metrics to fit on are about, or another revision of
            it.
        method: See `reduce_embeddings`.
        delete_source_tables: See there.
        options: The other arguments of `reduce_embeddings`.

    Returns:
        Url of each table that was reduced to that of the new one.

    Raises:
        TlcError: As `reduce_embeddings`.
        MetricsError: No metrics with these columns are about that table.
    """
    reduction = about_foreign_table(_opened(tables), foreign_table_url, method, options)
    return reduce_all([reduction], delete=delete_source_tables)


def reduce_embeddings_per_dataset(
    tables: Iterable[AnyTable],
    method: str = "pacmap",
    delete_source_tables: bool = False,
    **options: Any,
) -> dict[Url, Url]:
    """Fit a reducer for each table that metrics are about, and apply it to the metrics about it.

    Args:
        tables: Metrics tables; those about no table, or without the columns to reduce, are left
            out. Each reducer is fitted on the last one of its table.
        method: See `reduce_embeddings`.
        delete_source_tables: See there.
        options: The other arguments of `reduce_embeddings`.

    Returns:
        Url of each table that was reduced to that of the new one.

    Raises:
        TlcError: As `reduce_embeddings`.
    """
    wanted = [wanted_of(method, options)]
    having = [table for table in _opened(tables) if has_sources(table, wanted)]
    groups = [
        Reduction(group[-1], group, wanted, partial=True) for _, group in by_foreign_table(having)
    ]
    return reduce_all(groups, delete=delete_source_tables)


def reduce_embeddings_multiple_parameters(
    tables: AnyTable | Iterable[AnyTable],
    parameters: Sequence[Mapping[str, Any]],
    method: str = "pacmap",
    delete_source_tables: bool = False,
) -> Table | dict[Url, Url]:
    """Reduce the same embeddings in several ways: one new table, with a column for each.

    Args:
        tables: A table, or several, which get reducers of their own.
        parameters: Arguments of `reduce_embeddings`, such as ``{"n_neighbors": 5}``, for each
            column; ``{"method": "pca"}`` is possible, too. The source stays if one of them says so.
        method: Method of those that name none.
        delete_source_tables: See `reduce_embeddings`.

    Returns:
        The new table; for several the url of each to that of the new one.

    Raises:
        OptionError: There are no parameters.
        TlcError: As `reduce_embeddings`.
    """
    if not parameters:
        raise OptionError("There are no parameters to reduce by.", hint="give a list of dicts.")
    wanted = [
        wanted_of(each.get("method", method), {k: v for k, v in each.items() if k != "method"})
        for each in parameters
    ]
    return _each_by_itself(tables, wanted, delete=delete_source_tables)


def _each_by_itself(
    tables: AnyTable | Iterable[AnyTable], wanted: Sequence[Wanted], *, delete: bool
) -> Any:
    """Reduce tables by reducers of their own; return the one new table, or the urls of several."""
    opened = _opened(tables)
    written = reduce_all([Reduction(table, [table], wanted) for table in opened], delete=delete)
    if isinstance(tables, Table | TableView | Url | str):
        return Table.from_url(written[opened[0].url])
    return written


def _unique_datasets(tables: Iterable[AnyTable]) -> Iterator[tuple[Url, list[Table]]]:
    """Yield each table that metrics are about: its url, absolute, and the metrics tables."""
    yield from by_foreign_table(_opened(tables))


def _opened(tables: AnyTable | Iterable[AnyTable]) -> list[Table]:
    given = [tables] if isinstance(tables, Table | TableView | Url | str) else tables
    return _unique(map(_open, given))


def _open(table: AnyTable) -> Table:
    if isinstance(table, TableView):
        return table.source
    return table if isinstance(table, Table) else Table.from_url(table)


def _unique(tables: Iterable[Table]) -> list[Table]:
    return list({table.url: table for table in tables}.values())
