"""From an importer's columns to a table on disk."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from tlc.constants import SAMPLE_WEIGHT
from tlc.errors import ReuseWarning
from tlc.format.builder import RowBuilder
from tlc.format.bulk import FilesWanted, NoFiles
from tlc.format.commit import commit
from tlc.format.encode import ColumnEncoder, common_length
from tlc.format.layout import table_url
from tlc.format.publish import claim, object_exists
from tlc.schemas import SampleWeightSchema, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tlc.importers.source import Source
    from tlc.table.reading import Reading
    from tlc.url import Url


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
    wanted = table_url(table_name, dataset_name, project_name, root_url)
    if if_exists == "reuse" and object_exists(wanted):
        if _same(existing.from_url(wanted), source):
            return wanted
        if table_name is not None:
            _warn_of_reuse(wanted)
            return wanted
        # Nobody asked for this table by name, so data that differ get a table of their own.
        if_exists = "rename"
    folder = claim(wanted, if_exists, "table")
    extras = {
        name: (schema, schema.default_value) for name, schema in (extra_columns or {}).items()
    }
    if add_weight_column:
        extras.setdefault(SAMPLE_WEIGHT, (SampleWeightSchema(), weight_column_value))
    builder = _filled(source, folder, extras)
    return commit(
        builder,
        if_exists,
        description=description,
        input_tables=input_tables,
        source={"importer": source.kind, **source.fingerprint},
    )


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


def _warn_of_reuse(url: Url) -> None:
    warnings.warn(
        f"{url} exists and is used, but it was made from other data than those given now. "
        'Hint: pass if_exists="overwrite" or "rename", or another table_name.',
        ReuseWarning,
        stacklevel=5,
    )


def _same(table: Reading, source: Source) -> bool:
    """Whether `table` was made from the same input as `source`, as far as can be told cheaply."""
    stored = dict(table.source)
    if source.fingerprint:
        stored.pop("importer", None)
        return stored == dict(source.fingerprint)
    return _same_rows(table, source)


def _same_rows(table: Reading, source: Source) -> bool:
    """Compare data in memory with the table, but for columns whose cells lie in files."""
    start = 0
    for batch in source.batches():
        count = common_length(batch)
        if set(batch) - set(table.columns) or start + count > len(table):
            return False
        for name, values in batch.items():
            if not _same_column(table, name, values, start):
                return False
        start += count
    return start == len(table)


def _same_column(table: Reading, name: str, values: Any, start: int) -> bool:
    schema = table.rows_schema.values[name]
    encoder = ColumnEncoder(name, schema, NoFiles())
    try:
        cells = encoder.encode(values)
    except FilesWanted:
        return True
    except ValueError:
        return False
    return bool(cells.equals(table.column(name).slice(start, len(cells))))
