"""Which row of one table is which row of another."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from tlc.errors import ColumnError, OptionError
from tlc.table.keys import INDEX_BITS, has_repeats, places_of, repeats_of, row_codes
from tlc.table.paths import cells_at, codes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tlc.table.reading import Reading

    Rows = npt.NDArray[np.int64]

POSITION = "position"
"""What says that row i of one table is row i of the other."""


class RowMatch(NamedTuple):
    """Rows of two tables that are the same row, and those that only one has.

    All are row numbers, int64.

    Attributes:
        old: The rows that both have, as the old table numbers them, ascending.
        new: The same rows, as the new table numbers them.
        removed: Rows that only the old table has, ascending.
        added: Rows that only the new table has, ascending.
    """

    old: Rows
    new: Rows
    removed: Rows
    added: Rows


def match_rows(old: Reading, new: Reading, by: str | Sequence[str] | None = None) -> RowMatch:
    """Find the rows of one table in another.

    Args:
        old: The one table.
        new: The other one.
        by: None for the stable keys of the rows; ``"position"`` for their numbers; or the path of a
            column, or of several, whose values tell which row is which. Of several rows with one
            key, as after `unroll` or joining a table with itself, the first is the other table's
            first, the second its second, and so on.

    Raises:
        OptionError: The tables have no origin in common, and so no keys to be found by.
        ColumnNotFoundError: One of them does not have a column of `by`.
        ColumnError: A column of `by` holds lists or structs, or another type in the other table.
        CorruptObjectError: The keys of the rows cannot be read.
    """
    if by == POSITION:
        count = min(len(old), len(new))
        both, left = np.arange(count), np.arange(count, max(len(old), len(new)))
        none = left[:0]
        return RowMatch(both, both, *((left, none) if len(old) > count else (none, left)))
    if by is None:
        return _matched(*_key_codes(old, new))
    return _matched(*_value_codes(old, new, [by] if isinstance(by, str) else list(by)))


def moved_rows(match: RowMatch) -> npt.NDArray[np.intp]:
    """Return which of the rows that two tables have in common are in another order in the new one.

    They are the fewest that can be taken out so that the others are in order: all but a longest
    ascending subsequence, by patience sorting (Fredman 1975, On computing the length of longest
    increasing subsequences, Discrete Mathematics 11).

    Returns:
        Places in ``match.old`` and ``match.new``, ascending.
    """
    if bool((match.new[1:] > match.new[:-1]).all()):
        return np.empty(0, np.intp)
    ends: list[int] = []
    places: list[int] = []
    before = np.empty(len(match.new), np.intp)
    for place, row in enumerate(match.new.tolist()):
        length = bisect_left(ends, row)
        before[place] = places[length - 1] if length else -1
        ends[length : length + 1] = [row]
        places[length : length + 1] = [place]
    stays = np.zeros(len(match.new), bool)
    place = places[-1]
    while place >= 0:
        stays[place] = True
        place = int(before[place])
    return np.flatnonzero(~stays)


def _key_codes(old: Reading, new: Reading) -> tuple[Rows, Rows]:
    origins: dict[str, int] = {}
    first = row_codes(old, origins)
    known = len(origins)
    second = row_codes(new, origins)
    shared = len(second) and bool(((second >> INDEX_BITS) < known).any())
    if len(first) and len(second) and not shared:
        raise OptionError(
            f"{old.url} and {new.url} have no origin in common: none of their rows were ever rows "
            "of one table.",
            hint='by="position" compares row i with row i, by=<column> rows of one value.',
        )
    return first, second


def _value_codes(old: Reading, new: Reading, paths: Sequence[str]) -> tuple[Rows, Rows]:
    if not paths:
        raise OptionError("by=[] names no column.", hint="leave it out to use the rows' keys.")
    codes = np.zeros(len(old) + len(new), np.int64)
    for path in paths:
        first, second = cells_at(old, path), cells_at(new, path)
        if first.type != second.type:
            raise ColumnError(
                f"Rows cannot be told by {path!r}: it holds {first.type} in {old.url}, but "
                f"{second.type} in {new.url}."
            )
        try:
            more = codes_of(pa.concat_arrays([first, second]))
        except TypeError as error:
            raise ColumnError(
                f"Rows cannot be told by {path!r}: {error}.",
                hint="give the path of numbers or texts, one per row.",
            ) from error
        # Compact at each step, so that 64 bits hold the pairs.
        _, codes = np.unique(codes * max(1, more.different) + more.codes, return_inverse=True)
        codes = codes.astype(np.int64)
    return codes[: len(old)], codes[len(old) :]


def _matched(old: Rows, new: Rows) -> RowMatch:
    """Match rows of equal codes, the k-th of one table with the k-th of the other."""
    if np.array_equal(old, new):
        both = np.arange(len(old))
        return RowMatch(both, both, both[:0], both[:0])
    if has_repeats(old) or has_repeats(new):
        old, new = _told_apart(old, new)
    rows = places_of(old, new)
    added = np.ones(len(new), bool)
    added[rows[rows >= 0]] = False
    found = np.flatnonzero(rows >= 0)
    return RowMatch(found, rows[found], np.flatnonzero(rows < 0), np.flatnonzero(added))


def _told_apart(old: Rows, new: Rows) -> tuple[Rows, Rows]:
    """Return codes of which no two of a table are equal: which repeat it is counts too."""
    _, compact = np.unique(np.concatenate([old, new]), return_inverse=True)
    first, second = compact[: len(old)], compact[len(old) :]
    width = max(len(old), len(new))
    return first * width + repeats_of(first), second * width + repeats_of(second)
