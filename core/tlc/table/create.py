"""From an importer's columns to a table on disk."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from tlc.constants import SAMPLE_WEIGHT
from tlc.errors import ObjectExistsError
from tlc.format.builder import RowBuilder
from tlc.format.commit import commit, parents_of
from tlc.format.declared import checked_schemas
from tlc.format.encode import common_length
from tlc.format.layout import table_url
from tlc.format.publish import claim, numbered, object_exists
from tlc.schemas import SampleWeightSchema, Schema
from tlc.table.reuse import reuses, same, warn_of_reuse

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tlc.importers.source import Source
    from tlc.table.reading import Reading
    from tlc.url import Url


class Found(Enum):
    """What lies where a table is to be."""

    FREE = auto()
    ALIKE = auto()
    OTHER = auto()


def write_source(  # noqa: D417 - the keywords are those of `tlc.table.options`
    source: Source,
    existing: type[Reading],
    *,
    table_name: str | None = None,
    dataset_name: str | None = None,
    project_name: str | None = None,
    root_url: Url | str | None = None,
    if_exists: str = "reuse",
    add_weight_column: bool = True,
    weight_column_value: float = 1.0,
    description: str = "",
    extra_columns: Mapping[str, Schema] | None = None,
    input_tables: Sequence[Url | str] | None = None,
) -> Url:
    """Write the columns of `source` as a table and return its url; see `tlc.table.options`.

    Args:
        source: What an importer returned.
        existing: Class that opens a table which is there already.
    """
    declared = checked_schemas(extra_columns, "extra_columns")
    extras = {name: (schema, schema.default_value) for name, schema in declared.items()}
    if add_weight_column:
        extras.setdefault(SAMPLE_WEIGHT, (SampleWeightSchema(), weight_column_value))
    wanted = table_url(table_name, dataset_name, project_name, root_url)
    while True:
        folder = claim(wanted, if_exists, "table")
        if reuses(folder, if_exists):
            folder, found = _alike(folder, existing, source, extras, named=table_name is not None)
            if found is Found.OTHER:
                warn_of_reuse(folder)
            if found is not Found.FREE:
                return folder
        parents = parents_of(input_tables, folder)
        try:
            builder = _filled(source, folder, extras)
            report = source.report()
            return commit(
                builder,
                if_exists,
                description=description,
                parents=parents,
                source={"importer": source.kind, **source.fingerprint},
                operation={"report": report.to_dict()} if report else {},
            )
        except ObjectExistsError:
            if if_exists != "reuse":
                raise
            # Another process was faster, as with one program on many devices: its table may do.


def _alike(
    folder: Url,
    existing: type[Reading],
    source: Source,
    extras: Collection[str],
    *,
    named: bool,
) -> tuple[Url, Found]:
    """Return the table to use instead of writing one, or where to write it.

    Where nobody asked for a table by name, data that differ get a table of their own.
    """
    for url in numbered(folder):
        if not object_exists(url):
            return url, Found.FREE
        if same(existing.from_url(url), source, extras):
            return url, Found.ALIKE
        if named:
            break
    return folder, Found.OTHER


def _filled(source: Source, folder: Url, extras: Mapping[str, tuple[Schema, Any]]) -> RowBuilder:
    """Return a builder with all rows of `source`, and the extra columns that it lacks."""
    builder: RowBuilder | None = None
    for batch in source.batches():
        added = {name: extra for name, extra in extras.items() if name not in batch}
        if builder is None:
            declared = {name: schema for name, (schema, _) in added.items()}
            builder = RowBuilder(folder, {**source.schema, **declared})
        count = common_length(batch)
        builder.add_batch(
            {**batch, **{name: [value] * count for name, (_, value) in added.items()}}
        )
    if builder is None:
        declared = {name: schema for name, (schema, _) in extras.items() if source.schema}
        builder = RowBuilder(folder, {**declared, **source.schema})
    return builder
