"""CSV files, piece by piece: first the types of all columns, then the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.importers.csv_parser import CsvForm, CsvParser
from tlc.importers.csv_piece import CsvPiece
from tlc.importers.csv_rows import RowLines
from tlc.importers.report import Problem, Problems
from tlc.importers.text_pieces import CsvRecords, TextPieces, lines_in
from tlc.schemas import DatetimeStringSchema, Schema
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tlc.importers.csv_types import CsvFacts
    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.url import Url


class CsvFile:
    """Reads a file twice, so that types follow from all cells whatever the pieces are.

    Args:
        file: The file.
        form: How it is written.
        encoding: Its encoding; None for UTF-8 that was not asked for.
        schema: Schemas of columns; what has one is read as that: 007 is a text where it says so.
        on_error: ``"raise"`` or ``"skip"``.

    Attributes:
        text: The pieces of the file.
        schema: Schemas, also of columns whose type does not say it all; complete after `survey`.
        is_doubtful: Whether rows may be wrong; known after `survey`.
    """

    def __init__(
        self,
        file: Url,
        form: CsvForm,
        encoding: str | None,
        schema: Mapping[str, Schema],
        on_error: str,
    ) -> None:
        self._records = CsvRecords(form.delimiter)
        self.text = TextPieces(file, encoding, self._records.last_end)
        self.schema = dict(schema)
        self.is_doubtful = False
        self._form = form
        self._on_error = on_error
        self._problems = Problems(on_error)
        self._declared = {name: arrow_type(part) for name, part in schema.items()}
        self._kinds: dict[str, CsvFacts] = {}
        self._only: CsvPiece | None = None
        self._rows = 0

    @property
    def names(self) -> list[str]:
        """The columns, known after `survey`."""
        return list(self._kinds)

    def survey(self) -> None:
        """Find out the types of the columns.

        Raises:
            AnnotationFileError: The file cannot be read.
        """
        import pyarrow as pa

        for count, piece in enumerate(self._pieces()):
            for name, facts in piece.facts().items():
                known = self._kinds.get(name)
                self._kinds[name] = known.merged(facts) if known else facts
            self.is_doubtful |= piece.is_doubtful
            self._only = None if count else piece
        for name, facts in self._kinds.items():
            self.is_doubtful |= facts.has_infinity
            is_time = pa.types.is_temporal(facts.kind) is True
            if is_time and name not in self._declared:
                self.schema[name] = DatetimeStringSchema()

    def batches(self) -> Iterator[Batch]:
        """Read the rows, and note those that are wrong.

        Raises:
            AnnotationFileError: With ``on_error="raise"``, rows are wrong.
        """
        # They may be asked for again: for a check, and then for writing.
        self._problems, self._rows = Problems(self._on_error), 0
        for number, piece in enumerate([self._only] if self._only else self._pieces()):
            columns = piece.columns(self._kinds, self._problems)
            count = max(map(len, columns.values()))
            self._rows += count
            if count or not number:
                yield columns
        self._problems.check()
        self._note_decimal_commas()

    def report(self) -> ImportReport:
        """Return what was found."""
        return self._problems.report(self._rows)

    def _pieces(self) -> Iterator[CsvPiece]:
        header, waiting = b"", None
        for text in self.text:
            if waiting is not None:
                yield CsvPiece(waiting, self._declared, is_last=False)
            data = header + text.data
            lines = RowLines(data, self._form.delimiter, lines_in(header), text.line)
            waiting = CsvParser(data, self.text.file, self._form, lines)
            if not header:
                header = data[: self._records.header_end(data)]
        if waiting is not None:
            yield CsvPiece(waiting, self._declared, is_last=True)

    def _note_decimal_commas(self) -> None:
        """Note columns of text that would be numbers with a decimal comma."""
        for name, facts in self._kinds.items():
            if facts.has_commas and name not in self.schema:
                self._problems.note(
                    Problem(
                        code="CSV_DECIMAL_COMMA",
                        file=str(self.text.file),
                        record=f"column {name!r}",
                        value=repr(facts.first),
                        message="all cells are numbers with a comma, and are taken as text",
                        hint='pass decimal_point="," (and delimiter=";").',
                    )
                )
