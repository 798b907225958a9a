"""Which files of bulk data the cells of tables refer to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tlc.errors import TlcError
from tlc.format import parquet
from tlc.format.relative import is_relative
from tlc.sample_types.content import without_part
from tlc.upkeep.places import BULK_NAME
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tlc.format.manifest import FileEntry
    from tlc.upkeep.references import References

_NAME = re.compile(BULK_NAME)
_FILE_NAME = re.compile(rf"{BULK_NAME}[.\-\w]*")
# What Arrow's own regular expressions understand of it.
_PATTERN = r"[0-9a-f]{8}(-[0-9a-f]{4}p[0-9a-f]+)?-[0-9]{7}"


class CellReferences:
    """Reads the texts in the cells of all tables, each file once.

    Attributes:
        unreadable: Files that cannot be read, and why: they may refer to anything.
    """

    def __init__(self) -> None:
        self.unreadable: dict[Url, str] = {}
        self._found: dict[Url, list[str]] = {}

    def add_to(self, references: References) -> None:
        """Add what the cells of the tables of `references` refer to."""
        for file, (base, entry) in references.tables.items():
            for text in self.texts(file, entry):
                _add(references, text, base)

    def texts(self, file: Url, entry: FileEntry | None) -> list[str]:
        """Return the texts in the cells of a file that may name bulk data; none if unreadable."""
        if file not in self._found:
            try:
                self._found[file] = list(_bulk_texts(parquet.DataFile(file, entry)))
            except TlcError as error:
                self.unreadable[file] = error.message
                self._found[file] = []
        return self._found[file]


def _add(references: References, text: str, base: Url) -> None:
    text = without_part(text)
    names = [match[0] for match in _NAME.finditer(text)]
    if len(names) == 1 and _FILE_NAME.fullmatch(text.rpartition("/")[2]):
        references.add(Url(text).to_absolute(base if is_relative(text) else None))
        return
    for name in names:  # part of something longer
        references.add_name(name)


def _bulk_texts(file: parquet.DataFile) -> Iterator[str]:
    """Yield the texts in a file that may name files of bulk data."""
    import pyarrow.compute as pc

    schema = file.metadata.schema.to_arrow_schema()
    names = [each.name for each in schema if _holds_text(each.type)]
    for group in range(len(file.group_rows()) if names else 0):
        for column in file.read(group, names).values():
            for cells in _leaves(column):
                hits = pc.match_substring_regex(cells, pattern=_PATTERN)
                yield from cells.filter(hits).to_pylist()


def _holds_text(type_: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(type_):
        return _holds_text(type_.value_type)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return True
    return any(_holds_text(type_.field(i).type) for i in range(type_.num_fields))


def _leaves(cells: Any) -> Iterator[Any]:
    """Yield the texts of a column, however deep they lie."""
    import pyarrow as pa

    if isinstance(cells, pa.ChunkedArray):
        for chunk in cells.chunks:
            yield from _leaves(chunk)
    elif pa.types.is_dictionary(cells.type):
        yield from _leaves(cells.dictionary)
    elif pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        yield cells
    elif pa.types.is_struct(cells.type):
        for part in cells.flatten():
            yield from _leaves(part)
    elif hasattr(cells.type, "value_type"):
        yield from _leaves(cells.flatten())
