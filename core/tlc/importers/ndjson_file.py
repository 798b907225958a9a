"""NDJSON files: one JSON dictionary per line, with every value as it stands in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.format.plain import combine
from tlc.importers.ndjson_lines import (
    DEEPEST,
    Lines,
    has_long_numbers,
    may_be_deep,
    may_have_null_records,
)
from tlc.importers.ndjson_nulls import parsed
from tlc.importers.ndjson_types import (
    Kinds,
    common_schema,
    holds_nothing,
    is_deeper,
    kinds_of,
    wanted_kinds,
    with_texts,
)
from tlc.importers.report import Problems
from tlc.importers.text_file import refused
from tlc.importers.text_pieces import TextPieces, last_line_end
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.importers.text_pieces import Piece
    from tlc.schemas import Schema
    from tlc.url import Url


class NdjsonFile:
    """Reads a file twice, so that types follow from all values whatever the pieces are.

    Args:
        file: The file.
        encoding: Its encoding; None for UTF-8 that was not asked for.
        schema: Schemas of columns.
        on_error: ``"raise"`` or ``"skip"``.

    Attributes:
        text: The pieces of the file.
        schema: Schemas of columns.
        is_doubtful: Whether lines may be wrong; known after `survey`.
    """

    def __init__(
        self, file: Url, encoding: str | None, schema: Mapping[str, Schema], on_error: str
    ) -> None:
        import pyarrow as pa

        self.text = TextPieces(file, encoding, last_line_end)
        self.schema = dict(schema)
        self.is_doubtful = False
        self._on_error = on_error
        self._problems = Problems(on_error)
        self._wanted = wanted_kinds(schema)
        kinds = {name: arrow_type(part) for name, part in schema.items()}
        large = [(name, kind) for name, kind in kinds.items() if kind == pa.uint64()]
        self._exact: pa.Schema = pa.schema(large)
        self._known: pa.Schema = pa.schema([])
        self._only: pa.Table | None = None
        self._rows = 0

    @property
    def names(self) -> list[str]:
        """The columns, known after `survey`."""
        return list(self._known.names)

    def survey(self) -> None:
        """Find out the types of the columns.

        Raises:
            AnnotationFileError: The file cannot be read, or there is nothing in it.
        """
        rows, schemas = 0, []
        for count, piece in enumerate(self.text):
            table = self._surveyed(piece)
            rows += table.num_rows
            schemas += [table.schema] if table.schema not in schemas else []
            self._only = None if count else table
        # Numbers of one piece may be too long for the floats of another.
        self.is_doubtful |= len(schemas) > 1
        if self.is_doubtful or schemas != [self._known]:
            self._only = None
        if rows == 0 and not (self.is_doubtful and self._on_error == "raise"):
            raise refused("JSON", self.text.file, "", "it has no records that can be read")
        if rows and not self.names:
            raise refused("JSON", self.text.file, "", "no record has a key")

    def batches(self) -> Iterator[Batch]:
        """Read the rows, and note lines that are wrong.

        Raises:
            AnnotationFileError: With ``on_error="raise"``, lines are wrong.
        """
        # They may be asked for again: for a check, and then for writing.
        self._problems, self._rows = Problems(self._on_error), 0
        for number, table in enumerate(self._tables()):
            self._rows += table.num_rows
            if table.num_rows or not number:
                yield {
                    name: column.to_pylist() if holds_nothing(column.type) else combine(column)
                    for name, column in zip(table.column_names, table.columns, strict=True)
                }
        self._problems.check()

    def report(self) -> ImportReport:
        """Return what was found."""
        return self._problems.report(self._rows)

    def _tables(self) -> Iterator[pa.Table]:
        if self._only is not None:
            yield self._only
        else:
            yield from map(self._read, self.text)

    def _surveyed(self, piece: Piece) -> pa.Table:
        """Add the types of the lines of a piece to those known, and return the lines."""
        lines = self._lines(piece, Problems("skip"))
        table = self._taken(lines, self._exact)
        known = common_schema(self._known, with_texts(table.schema)) if table is not None else None
        if table is None or known is None:
            lines.find_faults(self._kinds(piece))
            table = self._parsed(lines, self._exact)
            known = common_schema(self._known, with_texts(table.schema))
        if known is None:
            message = "values of a key are of different types"
            raise refused("JSON", self.text.file, f"line {piece.line + 1}", message)
        self._known = known
        self.is_doubtful |= bool(lines.bad) or _has_long_numbers(table)
        return table

    def _read(self, piece: Piece) -> pa.Table:
        """Return the lines of a piece that are right; the others are problems."""
        lines = self._lines(piece, self._problems)
        table = self._taken(lines, self._known)
        if table is None:
            lines.find_faults(self._kinds(piece))
            table = self._parsed(lines, self._known)
        if _has_long_numbers(table):
            lines.find_inexact(table.schema)
            table = self._parsed(lines, self._known)
        return table

    def _lines(self, piece: Piece, problems: Problems) -> Lines:
        lines = Lines(piece, self.text.file, problems)
        if may_be_deep(piece.data):
            lines.find_deep()
        return lines

    def _kinds(self, piece: Piece) -> Kinds:
        """Return what values must be, other than by what lines of the piece say themselves."""
        return {**self._wanted, **kinds_of(self._known)} if piece.line else self._wanted

    def _taken(self, lines: Lines, schema: pa.Schema) -> pa.Table | None:
        """Return lines if Arrow takes them all, None otherwise."""
        import pyarrow as pa

        if may_have_null_records(lines.rest):
            return None
        try:
            table = _parsed(lines.rest, schema)
        except pa.ArrowInvalid:
            return None
        if not is_deeper(table.schema, DEEPEST):
            return table
        lines.find_deep()
        return _parsed(lines.rest, schema)

    def _parsed(self, lines: Lines, schema: pa.Schema) -> pa.Table:
        import pyarrow as pa

        try:
            return _parsed(lines.rest, schema)
        except pa.ArrowInvalid as error:
            message = f"it cannot be read as NDJSON: {error}"
            raise refused("JSON", self.text.file, "", message) from error


def _parsed(data: bytes, schema: pa.Schema) -> pa.Table:
    return parsed(data, schema) if data.strip() else schema.empty_table()


def _has_long_numbers(table: pa.Table) -> bool:
    return any(has_long_numbers(chunk) for column in table.columns for chunk in column.chunks)
