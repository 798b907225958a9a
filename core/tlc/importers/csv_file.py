"""CSV files: typed columns, with each cell as it stands in the file or an error that says where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tlc.format.plain import combine
from tlc.importers.csv_parser import MISSING, CsvParser
from tlc.importers.csv_rows import readable, unfit
from tlc.importers.report import Problem, shortened
from tlc.schemas import DatetimeStringSchema, Schema
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

# Numbers whose text says more than their value, such as 007 and 12345678901234567890.
_LEADING_ZERO = r"^\s*[+-]?0[0-9]"
_MORE_THAN_A_FLOAT = r"^\s*[+-]?(0[0-9]|[0-9]{16,}\s*$)"
_INFINITY = r"(?i)^\s*[+-]?inf(inity)?\s*$"
_DECIMAL_COMMA = r"^\s*[+-]?[0-9]+,[0-9]+\s*$"


class CsvColumns:
    """The columns of one CSV file.

    Args:
        parser: The file.
        schema: Schemas of columns; what has one is read as that: 007 is a text where it says so.
    """

    def __init__(self, parser: CsvParser, schema: Mapping[str, Schema]) -> None:
        self.schema = dict(schema)
        """Schemas, also of columns whose type does not say it all."""
        self._parser = parser
        self._bad: set[int] = set()

    def read(self) -> dict[str, Any]:
        """Return the columns by name.

        Raises:
            AnnotationFileError: The file cannot be read, or it has too many problems.
        """
        import pyarrow as pa

        types = {name: arrow_type(part) for name, part in self.schema.items()}
        nested = [name for name, type_ in types.items() if pa.types.is_nested(type_)]
        types |= dict.fromkeys(nested, pa.string())
        try:
            table = self._parser.parse(types)
        except pa.ArrowInvalid:  # a cell has not the type that it must have
            table = self._converted(self._parser.parse(dict.fromkeys(types, pa.string())), types)
        cut_off = self._parser.check_end(table.num_rows)
        if cut_off is not None:
            self._bad.add(cut_off)
        columns: dict[str, Any] = self._exact(table)
        columns |= {
            name: self._from_json(name, columns[name]) for name in nested if name in columns
        }
        self._parser.problems.check()
        return self._without_bad_rows(columns)

    def _converted(self, table: pa.Table, types: Mapping[str, pa.DataType]) -> pa.Table:
        """Return columns of text in their types; rows where that cannot be are bad."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for name in [name for name in types if name in table.column_names]:
            kind, texts = types[name], combine(table.column(name))
            if pa.types.is_binary(kind) or pa.types.is_string(kind):
                continue
            cells = readable(texts, kind, self._parser.decimal_point, MISSING)
            bad = list(unfit(cells, kind))
            message = f"the cell is no {kind}"
            self._tell(name, "CSV_TYPE", bad, texts, message, _hint(texts, bad))
            if bad:
                is_bad = pc.is_in(pa.array(range(len(cells))), pa.array(bad))
                cells = pc.if_else(is_bad, pa.scalar(None, pa.string()), cells)
            position = table.column_names.index(name)
            table = table.set_column(position, name, cells.cast(kind))
        return table

    def _exact(self, table: pa.Table) -> dict[str, Any]:
        """Return columns of numbers and times as texts where these say more than the values."""
        import pyarrow as pa

        columns = dict(zip(table.column_names, map(combine, table.columns), strict=True))
        doubted = [name for name, cells in columns.items() if self._is_doubted(name, cells)]
        if not doubted:
            return columns
        texts = self._parser.parse(dict.fromkeys(doubted, pa.string()), doubted)
        for name in doubted:
            text = combine(texts.column(name))
            if pa.types.is_temporal(columns[name].type):
                self.schema[name] = DatetimeStringSchema()
            elif name in self.schema or not _says_more(text, columns[name].type):
                self._find_infinite(name, columns[name], text)
                continue
            columns[name] = readable(text, pa.string(), ".", MISSING)
        return columns

    def _is_doubted(self, name: str, cells: pa.Array) -> bool:
        import pyarrow as pa
        import pyarrow.compute as pc

        if name in self.schema:
            return pa.types.is_floating(cells.type) and pc.any(pc.is_inf(cells)).as_py() is True
        checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_temporal)
        return any(check(cells.type) for check in checks)

    def _find_infinite(self, name: str, cells: pa.Array, texts: pa.Array) -> None:
        """Find numbers that are finite in the file, and too large for a float."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_floating(cells.type) and pc.any(pc.is_inf(cells)).as_py():
            meant = pc.match_substring_regex(texts, _INFINITY)
            rows = pc.indices_nonzero(pc.and_(pc.is_inf(cells), pc.invert(meant))).to_pylist()
            self._tell(name, "NUMBER_RANGE", rows, texts, "the number is too large")

    def _from_json(self, name: str, texts: pa.Array) -> list[Any]:
        """Return lists or dictionaries that are cells as JSON."""
        values: list[Any] = []
        bad: list[int] = []
        for row, text in enumerate(texts.to_pylist()):
            value = None
            try:
                value = json.loads(text) if text else None
            except (ValueError, RecursionError):
                bad.append(row)
            values.append(value)
        self._tell(name, "CSV_TYPE", bad, texts, "the cell is no JSON")
        return values

    def _tell(
        self, name: str, code: str, rows: Sequence[int], texts: Any, message: str, hint: str = ""
    ) -> None:
        """Note rows with a cell that is wrong."""
        self._bad.update(rows)
        parser = self._parser
        parser.problems.add_all(
            code,
            len(rows),
            lambda number: Problem(
                code=code,
                file=str(parser.file),
                record=f"line {parser.lines.of_row(rows[number])}, column {name!r}",
                value=shortened(repr(texts[rows[number]].as_py())),
                message=message,
                hint=hint,
            ),
        )

    def _without_bad_rows(self, columns: dict[str, Any]) -> dict[str, Any]:
        self._note_decimal_commas(columns)
        if not self._bad:
            return columns
        count = max(map(len, columns.values()))
        kept = [row for row in range(count) if row not in self._bad]
        return {
            name: [cells[row] for row in kept] if isinstance(cells, list) else cells.take(kept)
            for name, cells in columns.items()
        }

    def _note_decimal_commas(self, columns: Mapping[str, Any]) -> None:
        """Note columns of text that would be numbers with a decimal comma."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for name, cells in columns.items():
            if name in self.schema or not len(cells) or not pa.types.is_string(cells.type):
                continue
            first = cells[:1]
            for some in (first, cells):
                if not pc.all(pc.match_substring_regex(some, _DECIMAL_COMMA)).as_py():
                    break
            else:
                self._parser.problems.note(
                    Problem(
                        code="CSV_DECIMAL_COMMA",
                        file=str(self._parser.file),
                        record=f"column {name!r}",
                        value=repr(cells[0].as_py()),
                        message="all cells are numbers with a comma, and are taken as text",
                        hint='pass decimal_point="," (and delimiter=";").',
                    )
                )


def _says_more(texts: pa.Array, kind: pa.DataType) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    pattern = _LEADING_ZERO if pa.types.is_integer(kind) else _MORE_THAN_A_FLOAT
    return pc.any(pc.match_substring_regex(texts, pattern)).as_py() is True


def _hint(texts: Any, rows: Sequence[int]) -> str:
    import pyarrow.compute as pc

    commas = bool(rows) and pc.match_substring_regex(texts[rows[0] : rows[0] + 1], _DECIMAL_COMMA)
    return 'pass decimal_point="," and delimiter=";".' if commas and commas[0].as_py() else ""
