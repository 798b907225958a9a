"""Row groups to Arrow arrays, with an eye on how large they become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.format.dictionaries import expanded_size, is_coded_text, without_dictionaries
from tlc.format.memory import in_worker
from tlc.format.parquet.limits import limit_for, make_plan, too_large
from tlc.format.plain import combine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
) -> dict[str, pa.Array]:
    """Decode some columns of a row group.

    Args:
        source: The file.
        metadata: Its footer.
        group: Number of the row group.
        columns: Names of the columns, and the leaves of each.

    Raises:
        ValueError: A column is too large (a `LimitExceededError`), or its pages make no sense.
        OSError: They cannot be decoded.
    """
    plan = make_plan(metadata, group, columns.items(), source.read_at)
    coded = [path for paths in plan.as_dictionary.values() for path in paths]
    cells = _read(source, metadata, group, [*plan.direct, *plan.as_dictionary], coded)
    for name, count in plan.in_batches.items():
        cells[name] = _read_in_batches(source, metadata, group, name, count)
    rows = metadata.row_group(group).num_rows
    return {name: _checked(cells[name], name, rows) for name in columns}


def spans(metadata: pq.FileMetaData, group: int, columns: Iterable[Leaves]) -> list[Span]:
    """Return where columns of a row group lie in the file."""
    about = metadata.row_group(group)
    found = []
    for number in (number for leaves in columns for number, _ in leaves):
        chunk = about.column(number)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        found.append((start, start + chunk.total_compressed_size))
    return found


def reader(
    source: Source, metadata: pq.FileMetaData | None = None, coded: Iterable[str] = ()
) -> pq.ParquetFile:
    """Return what decodes a file, made once for the same columns.

    Args:
        source: The file.
        metadata: Its footer, if that was read before.
        coded: Paths of the leaves that are kept as codes of a dictionary.
    """
    import pyarrow.parquet as pq

    key = tuple(coded)
    if key not in source.readers:
        source.readers[key] = pq.ParquetFile(
            source.file,
            metadata=metadata,
            page_checksum_verification=True,
            pre_buffer=False,
            read_dictionary=list(key),
        )
    return source.readers[key]


def _read(
    source: Source, metadata: pq.FileMetaData, group: int, names: list[str], coded: list[str]
) -> dict[str, pa.Array]:
    if not names:
        return {}
    # Workers share the cores, and the memory that other threads have had comes back late.
    large = len(names) > 1 and metadata.row_group(group).num_rows > _ROWS_WORTH_THREADS
    threads = large and not in_worker()
    file = reader(source, metadata, coded)
    table = file.read_row_group(group, columns=names, use_threads=threads)
    return {name: combine(table.column(name)) for name in names}


def _read_in_batches(
    source: Source, metadata: pq.FileMetaData, group: int, name: str, count: int
) -> pa.Array:
    import pyarrow as pa

    file = reader(source, metadata)
    parts: list[pa.Array] = []
    size = 0
    for batch in file.iter_batches(
        batch_size=count, row_groups=[group], columns=[name], use_threads=False
    ):
        parts.append(batch.column(name))
        size += parts[-1].nbytes
        if size > limit_for(size):
            raise too_large(name, size)
    return pa.concat_arrays(parts) if parts else _read(source, metadata, group, [name], [])[name]


def _checked(cells: pa.Array, name: str, rows: int) -> pa.Array:
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
    size = expanded_size(cells)
    if size > limit_for(size):
        raise too_large(name, size)
    return cells if is_coded_text(cells) else cells.cast(plain)
