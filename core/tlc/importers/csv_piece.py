"""Some rows of a CSV file: their types, then their cells, or errors that say where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tlc.format.plain import combine
from tlc.importers.csv_parser import MISSING, CsvParser
from tlc.importers.csv_rows import readable, unfit
from tlc.importers.csv_types import DECIMAL_COMMA, CsvFacts, facts_of
from tlc.importers.report import Problem, Problems, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_INFINITY = r"(?i)^\s*[+-]?inf(inity)?\s*$"


class CsvPiece:
    """Rows that are parsed together.

    Args:
        parser: The rows.
        declared: Types of the columns that have a schema.
        is_last: Whether the file ends with them.
    """

    def __init__(
        self, parser: CsvParser, declared: Mapping[str, pa.DataType], *, is_last: bool
    ) -> None:
        import pyarrow as pa

        self._parser = parser
        self._declared = declared
        self._is_last = is_last
        self._nested = [name for name, kind in declared.items() if pa.types.is_nested(kind)]
        self._types = {**declared, **dict.fromkeys(self._nested, pa.string())}
        self._table: pa.Table | None = None
        self._texts: dict[str, pa.Array] = {}
        self._problems = Problems("skip")
        self._bad: set[int] = set()

    def facts(self) -> dict[str, CsvFacts]:
        """Return what is known of each column."""
        import pyarrow as pa

        table = self._parsed({})
        columns = dict(zip(table.column_names, map(combine, table.columns), strict=True))
        own = [name for name in columns if name not in self._declared]
        checks = (pa.types.is_integer, pa.types.is_floating)
        numbers = [name for name in own if any(check(columns[name].type) for check in checks)]
        self._read_texts(numbers)
        return {name: facts_of(cells, self._texts.get(name)) for name, cells in columns.items()}

    @property
    def is_doubtful(self) -> bool:
        """Whether rows may be wrong, other than by what `facts` tells."""
        table = self._parsed({})
        unfit_cells = any(
            table.schema.field(name).type != kind
            for name, kind in self._types.items()
            if name in table.column_names
        )
        cut_off = self._is_last and self._parser.lines.unfinished is not None
        return bool(self._parser.ragged or self._nested or unfit_cells or cut_off)

    def columns(self, kinds: Mapping[str, CsvFacts], problems: Problems) -> dict[str, Any]:
        """Return the cells of all rows but those that are wrong.

        Args:
            kinds: What is known of the columns of the whole file.
            problems: Gets the rows that are wrong.
        """
        import pyarrow as pa

        self._problems, self._bad = problems, set()
        as_text = [n for n, facts in kinds.items() if facts.is_text and n not in self._declared]
        types = {name: facts.kind for name, facts in kinds.items() if name not in self._declared}
        table = self._parsed({**types, **dict.fromkeys(as_text, pa.string())})
        self._parser.tell(problems)
        if self._is_last:
            cut_off = self._parser.tell_end(problems, table.num_rows)
            self._bad |= {cut_off} if cut_off is not None else set()
        self._read_texts([n for n in as_text if table.schema.field(n).type != pa.string()])
        found: dict[str, Any] = {}
        for name, cells in zip(table.column_names, map(combine, table.columns), strict=True):
            if name in as_text:
                found[name] = readable(self._texts.get(name, cells), pa.string(), ".", MISSING)
            elif name in self._nested:
                found[name] = self._from_json(name, cells)
            else:
                found[name] = self._values(name, cells, types.get(name) or self._declared[name])
        return self._without_bad_rows(found)

    def _parsed(self, types: Mapping[str, pa.DataType]) -> pa.Table:
        """Return the columns: those with a schema in its type if all cells fit, else as texts."""
        import pyarrow as pa

        if self._table is None:
            try:
                self._table = self._parser.parse({**types, **self._types})
            except pa.ArrowInvalid:
                texts = dict.fromkeys(self._types, pa.string())
                self._table = self._parser.parse({**types, **texts})
        return self._table

    def _read_texts(self, names: Sequence[str]) -> None:
        """Parse columns as texts."""
        import pyarrow as pa

        wanted = [name for name in names if name not in self._texts]
        if wanted:
            table = self._parser.parse(dict.fromkeys(wanted, pa.string()), wanted)
            self._texts |= {name: combine(table.column(name)) for name in wanted}

    def _values(self, name: str, cells: pa.Array, kind: pa.DataType) -> pa.Array:
        """Return cells of a type; rows where that cannot be are bad."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if cells.type != kind and not (pa.types.is_binary(kind) or pa.types.is_string(kind)):
            texts, point = cells, self._parser.form.decimal_point
            cells = readable(texts, kind, point, MISSING)
            bad = list(unfit(cells, kind))
            message = f"the cell is no {kind}"
            self._tell(name, "CSV_TYPE", bad, texts, message, _hint(texts, bad))
            if bad:
                is_bad = pc.is_in(pa.array(range(len(cells))), pa.array(bad))
                cells = pc.if_else(is_bad, pa.scalar(None, pa.string()), cells)
            cells = cells.cast(kind)
        if pa.types.is_floating(cells.type) and pc.any(pc.is_inf(cells)).as_py():
            self._find_infinite(name, cells)
        return cells

    def _find_infinite(self, name: str, cells: pa.Array) -> None:
        """Find numbers that are finite in the file, and too large for a float."""
        import pyarrow.compute as pc

        self._read_texts([name])
        texts = self._texts[name]
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
        self._problems.add_all(
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
        import pyarrow as pa

        if not self._bad:
            return columns
        count = max(map(len, columns.values()))
        kept = [row for row in range(count) if row not in self._bad]
        rows = pa.array(kept, pa.int64())
        return {
            name: [cells[row] for row in kept] if isinstance(cells, list) else cells.take(rows)
            for name, cells in columns.items()
        }


def _hint(texts: Any, rows: Sequence[int]) -> str:
    import pyarrow.compute as pc

    commas = bool(rows) and pc.match_substring_regex(texts[rows[0] : rows[0] + 1], DECIMAL_COMMA)
    return 'pass decimal_point="," and delimiter=";".' if commas and commas[0].as_py() else ""
