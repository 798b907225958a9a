"""The grammar of a CSV file: records, header, quotes. What cells mean is not decided here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tlc.errors import OptionError
from tlc.importers.report import Problem, shortened
from tlc.importers.text_file import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from tlc.importers.csv_rows import RowLines
    from tlc.importers.report import Problems
    from tlc.url import Url

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "NULL", "null")
"""What pandas and Arrow take for a missing number, but for NaN, which is a number."""

# A row must fit a block of the parser. Blocks are parsed side by side, so these are small at first.
_USUAL_BLOCK = 1 << 20
_LONGEST_BLOCK = 1 << 30
_LONG_ROW = "straddl"
_OTHER_DELIMITERS = (";", "\t", "|")


@dataclass(frozen=True)
class CsvForm:
    """How a file is written.

    Attributes:
        delimiter: What separates cells.
        decimal_point: What separates the whole part of a number from the rest.
        is_guessed: Whether nobody said what the delimiter is.
    """

    delimiter: str = ","
    decimal_point: str = "."
    is_guessed: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            OptionError: Delimiter or decimal point cannot be that.
        """
        for name in ("delimiter", "decimal_point"):
            value = getattr(self, name)
            if len(value) != 1 or not value.isascii() or value in '"\r\n':
                raise OptionError(
                    f"{name} is {value!r}.",
                    hint="it is one ASCII character, and neither a quote nor a new line.",
                )
        if self.delimiter == self.decimal_point:
            raise OptionError(
                f"delimiter and decimal_point are both {self.delimiter!r}.",
                hint='files with decimal commas have delimiter=";" or "\\t".',
            )


@dataclass
class CsvParser:
    """Parses some rows of a file as often as is needed to know the types of its columns.

    Attributes:
        data: The header and the rows, as UTF-8.
        file: Where it is, for messages.
        form: How it is written.
        lines: Lines of the file that the rows begin in.
        ragged: Rows with too few or too many cells, known once something was parsed.
    """

    data: bytes
    file: Url
    form: CsvForm
    lines: RowLines
    ragged: list[Any] = field(default_factory=list)
    _is_known: bool = False
    _block: int = _USUAL_BLOCK

    def parse(self, types: Mapping[str, pa.DataType], only: Sequence[str] = ()) -> pa.Table:
        """Return columns; rows with too few or too many cells are left out.

        A cell that has not the type that its column must have is Arrow's own error.

        Args:
            types: Arrow types of columns; the others are inferred.
            only: The columns wanted; empty for all.

        Raises:
            AnnotationFileError: The header is wrong, or it is no CSV file.
        """
        import pyarrow as pa

        ragged: list[Any] = []
        try:
            table = self._parse(types, only, ragged.append, use_threads=True)
        except pa.ArrowInvalid as error:
            if _LONG_ROW in str(error) and self._block == _USUAL_BLOCK:
                self._block = min(len(self.data) + 1, _LONGEST_BLOCK)
                return self.parse(types, only)
            if "conversion error" in str(error):
                raise
            raise refused("CSV", self.file, "", f"it is no CSV file: {error}") from error
        if not self._is_known:
            self._is_known = True
            if ragged:  # again, as only one thread tells which rows they are
                self._parse(types, only, self.ragged.append, use_threads=False)
                for row in self.ragged:
                    self.lines.leave_out(row.number)
            self._check_header(table.column_names)
        return table

    def _parse(
        self,
        types: Mapping[str, pa.DataType],
        only: Sequence[str],
        ragged: Callable[[Any], None],
        *,
        use_threads: bool,
    ) -> pa.Table:
        import pyarrow as pa
        from pyarrow import csv

        def leave_out(row: Any) -> str:
            ragged(row)
            return "skip"

        return csv.read_csv(
            pa.BufferReader(self.data),
            read_options=csv.ReadOptions(block_size=self._block, use_threads=use_threads),
            parse_options=csv.ParseOptions(
                delimiter=self.form.delimiter,
                newlines_in_values=True,
                invalid_row_handler=leave_out,
            ),
            convert_options=csv.ConvertOptions(
                strings_can_be_null=False,
                null_values=list(MISSING),
                column_types=dict(types),
                include_columns=list(only),
                decimal_point=self.form.decimal_point,
            ),
        )

    def tell(self, problems: Problems) -> None:
        """Note the rows that were left out."""
        for row in self.ragged:
            problems.add(
                Problem(
                    code="CSV_RAGGED",
                    file=str(self.file),
                    record=f"line {self.lines.of_record(row.number)}",
                    value=shortened(repr(row.text)),
                    message=f"the row has {row.actual_columns} cells, the header has "
                    f"{row.expected_columns}",
                    hint="put cells that hold a delimiter into quotes.",
                )
            )

    def tell_end(self, problems: Problems, rows: int) -> int | None:
        """Note a last row that is cut off in the middle of a cell; return it if it is one.

        Args:
            problems: Gets it.
            rows: How many there are.
        """
        line = self.lines.unfinished
        if line is None:
            return None
        problems.add(
            Problem(
                code="CSV_TRUNCATED",
                file=str(self.file),
                record=f"line {line}",
                message="the quotes of the last cell never end",
                hint="is the file whole?",
            )
        )
        return rows - 1 if rows and self.lines.of_row(rows - 1) == line else None

    def _check_header(self, names: list[str]) -> None:
        repeated = sorted({name for name in names if names.count(name) > 1 and name})
        other = [each for each in _OTHER_DELIMITERS if each in names[0]]
        if repeated:
            message = f"several columns are called {', '.join(map(repr, repeated))}"
            hint = "give every column a name of its own."
        elif "" in names:
            message = f"column {names.index('') + 1} has no name"
            hint = "name it; pandas writes such a column for its index, unless index=False."
        elif self.form.is_guessed and len(names) == 1 and other:
            message = f"there is one column only, called {names[0]!r}"
            hint = f'pass delimiter={other[0]!r}; or delimiter="," if that is its name.'
        else:
            return
        raise refused(
            "CSV_HEADER", self.file, f"line {self.lines.of_record(1)}", message, hint=hint
        )
