"""Row groups to Arrow arrays, with an eye on how large they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.format.dictionaries import expanded_size, is_coded_text, without_dictionaries
from tlc.format.parquet.limits import LimitExceededError, make_plan
from tlc.format.plain import combine

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    import pyarrow.parquet as pq

    from tlc.format.parquet.source import Source, Span

_ROWS_WORTH_THREADS = 4096

Leaves = list[tuple[int, str]]


def decode_group(
    source: Source,
    metadata: pq.FileMetaData,
    group: int,
    columns: Mapping[str, Leaves],
    limit: int,
) -> dict[str, pa.Array]:
    """Decode some columns of a row group.

    Args:
        source: The file.
        metadata: Its footer.
        group: Number of the row group.
        columns: Names of the columns, and the leaves of each.
        limit: Largest number of bytes that a column may decode to.

    Raises:
        LimitExceededError: A column is too large.
        ValueError: The pages make no sense.
        pyarrow.ArrowException, OSError: They cannot be decoded.
    """
    source.prefetch(_spans(metadata, group, columns.values()))
    plan = make_plan(metadata, group, columns.items(), source.read_at, limit)
    coded = [path for paths in plan.as_dictionary.values() for path in paths]
    cells = _read(source, metadata, group, [*plan.direct, *plan.as_dictionary], coded)
    for name, count in plan.in_batches.items():
        cells[name] = _read_in_batches(source, metadata, group, name, count, limit)
    rows = metadata.row_group(group).num_rows
    return {name: _checked(cells[name], name, rows, limit) for name in columns}


def _spans(metadata: pq.FileMetaData, group: int, leaves: Any) -> list[Span]:
    about = metadata.row_group(group)
    spans = []
    for number in (number for each in leaves for number, _ in each):
        chunk = about.column(number)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        spans.append((start, start + chunk.total_compressed_size))
    return spans


def _opened(source: Source, metadata: pq.FileMetaData, **options: Any) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    return pq.ParquetFile(
        source.file,
        metadata=metadata,
        page_checksum_verification=True,
        pre_buffer=False,
        **options,
    )


def _read(
    source: Source, metadata: pq.FileMetaData, group: int, names: list[str], coded: list[str]
) -> dict[str, pa.Array]:
    if not names:
        return {}
    threads = len(names) > 1 and metadata.row_group(group).num_rows > _ROWS_WORTH_THREADS
    file = _opened(source, metadata, read_dictionary=coded)
    table = file.read_row_group(group, columns=names, use_threads=threads)
    return {name: combine(table.column(name)) for name in names}


def _read_in_batches(
    source: Source, metadata: pq.FileMetaData, group: int, name: str, count: int, limit: int
) -> pa.Array:
    import pyarrow as pa

    file = _opened(source, metadata)
    parts: list[pa.Array] = []
    size = 0
    for batch in file.iter_batches(
        batch_size=count, row_groups=[group], columns=[name], use_threads=False
    ):
        parts.append(batch.column(name))
        size += parts[-1].nbytes
        if size > limit:
            raise _too_large(name, limit)
    return pa.concat_arrays(parts) if parts else _read(source, metadata, group, [name], [])[name]


def _checked(cells: pa.Array, name: str, rows: int, limit: int) -> pa.Array:
    """Return cells after a look at what they would be without dictionaries.

    Columns of text may keep a dictionary, if it is small.
    """
    if len(cells) != rows:
        raise ValueError(f"column {name!r} has {len(cells)} rows instead of {rows}")
    # In full because texts may be no UTF-8; numbers cost nothing.
    cells.validate(full=True)
    plain = without_dictionaries(cells.type)
    if plain == cells.type:
        return cells
    if expanded_size(cells) > limit:
        raise _too_large(name, limit)
    return cells if is_coded_text(cells) else cells.cast(plain)


def _too_large(name: str, limit: int) -> LimitExceededError:
    return LimitExceededError(f"column {name!r} decodes to more than {limit:,} bytes")
