"""Which columns are reduced, and what the new ones are called."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from tlc.constants import NUMBER_ROLE_NN_EMBEDDING
from tlc.errors import ColumnError, ColumnNotFoundError, OptionError
from tlc.format.names import check_column_name
from tlc.reduction.create import create_reducer
from tlc.reduction.vectors import holds_vectors
from tlc.schemas import Float32Schema
from tlc.table.paths import split_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tlc.reduction.reducer import Reducer
    from tlc.schemas import Schema
    from tlc.table import Table


@dataclass(frozen=True)
class Job:
    """One column that becomes another one.

    Attributes:
        source: Dotted path of the vectors.
        target: Dotted path of what becomes of them.
        reducer: What does it.
        retains: Whether the source stays.
    """

    source: str
    target: str
    reducer: Reducer
    retains: bool


@dataclass(frozen=True)
class Wanted:
    """What somebody wants of the columns of some tables.

    Attributes:
        method: Name of the method.
        arguments: Arguments of the reducer.
        source: The column; None for all that hold embeddings.
        target: Name of the new column; None for one after the source.
        retains: Whether the source stays.
    """

    method: str
    arguments: dict[str, Any]
    source: str | None
    target: str | None
    retains: bool


def wanted_of(method: str, options: Mapping[str, Any]) -> Wanted:
    """Return what keywords say is wanted; see `tlc.reduction.reduce_embeddings`.

    Raises:
        OptionError: A keyword has an impossible value, or there is no such method or keyword.
        MissingExtraError: The package of the method is not installed.
        BrokenExtraError: It cannot be imported.
    """
    arguments = dict(options)
    source = arguments.pop("source_embedding_column", None)
    target = arguments.pop("target_embedding_column", None)
    retains = bool(arguments.pop("retain_source_embedding_column", False))
    if not isinstance(source, str | None):
        raise OptionError(
            f"source_embedding_column={source!r} is not possible.",
            hint="it is the path of one column, or None for all with the role of embeddings.",
        )
    create_reducer(method, arguments)  # what is wrong is told before anything is read
    return Wanted(method, arguments, source, target, retains)


def jobs_for(fit: Table, tables: Iterable[Table], wanted: Sequence[Wanted]) -> list[Job]:
    """Return what is to be done, with names that are free in all of some tables.

    Raises:
        ColumnNotFoundError: The table to fit on has no such column, or none of embeddings.
        ColumnError: A column holds no vectors, or the target is there already.
        OptionError: There are several columns for one name.
    """
    schema = fit.rows_schema
    retained = {path for each in wanted if each.retains for path in sources_of(fit, each.source)}
    names = _Names([table.rows_schema for table in tables])
    jobs = []
    for each in wanted:
        sources = sources_of(fit, each.source)
        if each.target is not None and len(sources) > 1:
            raise OptionError(
                f"target_embedding_column={each.target!r} is one name for {len(sources)} columns: "
                f"{', '.join(sources)}.",
                hint="choose one with source_embedding_column=.",
            )
        for source in sources:
            above = ".".join(split_path(schema, source)[:-1])
            reducer = create_reducer(each.method, each.arguments)
            retains = source in retained
            target = names.take(source, above, each.target, reducer.method, retains)
            jobs.append(Job(source, target, reducer, retains))
    return jobs


def sources_of(table: Table, named: str | None) -> list[str]:
    """Return the paths of the vectors to reduce.

    Args:
        table: The table.
        named: The one that is wanted; None for all with the role of embeddings.

    Raises:
        ColumnNotFoundError: There is none.
        ColumnError: The one named holds no vectors.
    """
    schema = table.rows_schema
    if named is None:
        found = [path for path, part in _parts(schema) if _is_embedding(part)]
        if not found:
            raise ColumnNotFoundError(
                f"{table.url} has no column of embeddings.",
                hint="name a column of vectors with source_embedding_column=, or give it an "
                "EmbeddingSchema.",
            )
        return found
    if not has_path(schema, named):
        raise ColumnNotFoundError(
            f"{table.url} has no column {named!r} of vectors to reduce.",
            hint=f"its columns are {', '.join(map(repr, table.columns)) or 'none'}.",
        )
    part = schema.find(named)
    *above, _ = split_path(schema, named)
    if not holds_vectors(part) or any(
        schema.find(".".join(above[: depth + 1])).shape for depth in range(len(above))
    ):
        raise ColumnError(
            f"Column {named!r} of {table.url} holds no vectors: lists of numbers.",
            hint="name one that does with source_embedding_column=.",
        )
    return [named]


def has_sources(table: Table, wanted: Sequence[Wanted]) -> bool:
    """Whether a table has all columns that are wanted."""
    try:
        for each in wanted:
            sources_of(table, each.source)
    except ColumnNotFoundError:
        return False
    return True


def has_path(schema: Schema, path: str) -> bool:
    """Whether a schema has a part at a dotted path."""
    try:
        schema.find(path)
    except ColumnNotFoundError:
        return False
    return True


def schema_of(job: Job, source: Schema) -> Schema:
    """Return the schema of a new column."""
    reducer, settings = job.reducer, job.reducer.settings
    name = source.display_name or job.source.rpartition(".")[2]
    return Float32Schema(
        description=f"{name}, reduced to {reducer.n_components} numbers by {reducer.method}",
        shape=(*source.shape[:-1], reducer.n_components),
        writable=False,
        metadata={
            "reduction": {
                "method": reducer.method,
                "source": job.source,
                "seed": settings.seed,
                "standard_scaler_normalize": settings.standard_scaler_normalize,
                "arguments": settings.arguments,
                "packages": reducer.packages,
            }
        },
    )


class _Names:
    """Names of columns that are taken in some tables, or will be."""

    def __init__(self, schemas: Sequence[Schema]) -> None:
        self._schemas = schemas
        self._new: set[str] = set()

    def take(self, source: str, above: str, named: str | None, method: str, retains: bool) -> str:
        """Return the path of a new column, from now on taken."""
        prefix = f"{above}." if above else ""
        if named is not None:
            target = prefix + check_column_name(named)
            is_replaced = target == source and not retains
            if not self._is_free(target) and not is_replaced:
                raise ColumnError(
                    f"There is a column {target!r} already.",
                    hint="choose another name with target_embedding_column=.",
                )
        else:
            target = next(filter(self._is_free, _numbered(f"{source}_{method}")))
        self._new.add(target)
        return target

    def _is_free(self, path: str) -> bool:
        return path not in self._new and not any(has_path(schema, path) for schema in self._schemas)


def _numbered(name: str) -> Iterator[str]:
    yield name
    for number in count(1):
        yield f"{name}_{number}"


def _parts(schema: Schema, above: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield the atomic parts of a schema that no list lies around, with their paths."""
    for name, part in schema.values.items():
        path = f"{above}.{name}" if above else name
        if part.value is not None:
            yield path, part
        elif not part.shape:
            yield from _parts(part, path)


def _is_embedding(schema: Schema) -> bool:
    role = getattr(schema.value, "number_role", "")
    return role == NUMBER_ROLE_NN_EMBEDDING and holds_vectors(schema)
