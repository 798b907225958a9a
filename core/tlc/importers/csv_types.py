"""Types of the columns of a CSV file, which follow from all of its cells, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tlc.importers.csv_parser import MISSING

if TYPE_CHECKING:
    import pyarrow as pa

# Numbers whose text says more than their value, such as 007 and 12345678901234567890.
_LEADING_ZERO = r"^\s*[+-]?0[0-9]"
_LONG_NUMBER = r"^\s*[+-]?[0-9]{16,}\s*$"
DECIMAL_COMMA = r"^\s*[+-]?[0-9]+,[0-9]+\s*$"


@dataclass(frozen=True)
class CsvFacts:
    """What is known of the cells of a column, in a piece of the file or in several.

    Attributes:
        kind: The type that all of them have.
        rows: How many there are.
        has_leading_zero: Whether one is a number like 007.
        has_long_number: Whether one is a number of more digits than a float holds.
        has_infinity: Whether one is a float that is infinite.
        is_zero_or_one: Whether all are 0, 1 or missing.
        has_commas: Whether all are texts of numbers with a decimal comma.
        first: The first cell of a column of texts.
    """

    kind: pa.DataType
    rows: int
    has_leading_zero: bool = False
    has_long_number: bool = False
    has_infinity: bool = False
    is_zero_or_one: bool = False
    has_commas: bool = False
    first: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the cells have to stay texts, since these say more than values of the type."""
        import pyarrow as pa

        if pa.types.is_floating(self.kind):
            return self.has_leading_zero or self.has_long_number
        return pa.types.is_temporal(self.kind) or (
            pa.types.is_integer(self.kind) and self.has_leading_zero
        )

    def merged(self, other: CsvFacts) -> CsvFacts:
        """Return what is known of the cells of both, of which the others come later."""
        return CsvFacts(
            _common(self, other),
            self.rows + other.rows,
            self.has_leading_zero or other.has_leading_zero,
            self.has_long_number or other.has_long_number,
            self.has_infinity or other.has_infinity,
            self.is_zero_or_one and other.is_zero_or_one,
            (self.has_commas or not self.rows) and (other.has_commas or not other.rows),
            self.first if self.rows else other.first,
        )


def facts_of(cells: pa.Array, texts: pa.Array | None) -> CsvFacts:
    """Return what is known of some cells, whose texts are needed if they are numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(cells.type):
        return CsvFacts(cells.type, len(cells), is_zero_or_one=True)
    is_float = pa.types.is_floating(cells.type)
    has_infinity = is_float and pc.any(pc.is_inf(cells)).as_py() is True
    if texts is not None:
        return CsvFacts(
            cells.type,
            len(cells),
            has_leading_zero=_any(texts, _LEADING_ZERO),
            has_long_number=_any(texts, _LONG_NUMBER),
            has_infinity=has_infinity,
            is_zero_or_one=pa.types.is_integer(cells.type)
            and pc.all(pc.is_in(texts, pa.array(["0", "1", *MISSING]))).as_py() is True,
        )
    if not pa.types.is_string(cells.type) or not len(cells):
        return CsvFacts(cells.type, len(cells), has_infinity=has_infinity)
    # Most columns of text are told apart by their first cell.
    commas = _all(cells[:1], DECIMAL_COMMA) and _all(cells, DECIMAL_COMMA)
    return CsvFacts(cells.type, len(cells), has_commas=commas, first=cells[0].as_py())


def _common(one: CsvFacts, other: CsvFacts) -> pa.DataType:
    """Return the type that Arrow finds for a file with cells of both types."""
    import pyarrow as pa

    kinds = one.kind, other.kind
    if kinds[0] == kinds[1] or pa.types.is_null(other.kind):
        return one.kind
    if pa.types.is_null(one.kind):
        return other.kind
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        return pa.float64()
    for flags, numbers in ((one, other), (other, one)):
        if pa.types.is_boolean(flags.kind) and numbers.is_zero_or_one:
            return flags.kind
    days_or_times = (pa.types.is_date(kind) or pa.types.is_timestamp(kind) for kind in kinds)
    zones = {getattr(kind, "tz", None) for kind in kinds}
    if all(days_or_times) and len(zones) == 1:
        return pa.timestamp("ns")
    return pa.string()


def _any(texts: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    return pc.any(pc.match_substring_regex(texts, pattern)).as_py() is True


def _all(texts: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    return pc.all(pc.match_substring_regex(texts, pattern)).as_py() is True
