"""One number per row of a table from many metric rows, without an object or a sort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tlc.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Part: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[Any]]

Reduction = Literal["mean", "std", "min", "max", "sum", "count"]


def reduce_rows(parts: Iterable[Part], rows: int, how: Reduction) -> Floats:
    """Return one number per row.

    Args:
        parts: Row numbers, from 0 to `rows - 1`, and as many values.
        rows: How many rows there are.
        how: What to make of the values of a row.

    Returns:
        Shape `(rows,)`; NaN for rows without values, but 0 where `how` is ``"sum"`` or ``"count"``.

    Raises:
        OptionError: There is no such reduction.
    """
    if how not in _REDUCTIONS:
        raise OptionError(
            f"There is no reduction {how!r}.", hint=f"there are {', '.join(_REDUCTIONS)}."
        )
    return _REDUCTIONS[how](parts, rows)


class _Sums:
    """Number, sum and, if wanted, sum of squares of the values of each row."""

    def __init__(self, parts: Iterable[Part], rows: int, *, squares: bool = False) -> None:
        self.count = np.zeros(rows)
        self.sum = np.zeros(rows)
        self.squares = np.zeros(rows)
        for numbers, values in parts:
            where = span(numbers)
            if where is not None:
                self.count[where] += 1
                self.sum[where] += values
                if squares:
                    self.squares[where] += np.square(values, dtype=np.float64)
                continue
            wide = values.astype(np.float64)
            self.count += np.bincount(numbers, minlength=rows)
            self.sum += np.bincount(numbers, wide, rows)
            if squares:
                self.squares += np.bincount(numbers, wide * wide, rows)


def span(numbers: npt.NDArray[np.int64]) -> slice | None:
    """Return the rows as a slice if they go up one by one, as in a pass over a table."""
    first, last = (int(numbers[0]), int(numbers[-1]) + 1) if numbers.size else (0, 0)
    rising = last - first == numbers.size and bool((numbers[1:] > numbers[:-1]).all())
    return slice(first, last) if rising else None


def _mean(parts: Iterable[Part], rows: int) -> Floats:
    sums = _Sums(parts, rows)
    with np.errstate(invalid="ignore"):
        return sums.sum / sums.count


def _std(parts: Iterable[Part], rows: int) -> Floats:
    # Of differences, since squares of large numbers that are close to each other would cancel out.
    sums = _Sums(_from_first(parts, rows), rows, squares=True)
    with np.errstate(invalid="ignore"):
        mean = sums.sum / sums.count
        return np.sqrt(np.maximum(sums.squares / sums.count - mean * mean, 0.0))


def _from_first(parts: Iterable[Part], rows: int) -> Iterator[Part]:
    """Yield each part with the first value of its row taken off each value."""
    first, seen = np.zeros(rows), np.zeros(rows, bool)
    for numbers, values in parts:
        wide = values.astype(np.float64)
        new = np.flatnonzero(~seen[numbers])[::-1]  # of equal row numbers NumPy lets the last win
        first[numbers[new]] = wide[new]
        seen[numbers[new]] = True
        with np.errstate(invalid="ignore"):  # infinities
            wide = wide - first[numbers]
        yield numbers, wide


def _extreme(ufunc: np.ufunc, start: float) -> Callable[[Iterable[Part], int], Floats]:
    def reduce(parts: Iterable[Part], rows: int) -> Floats:
        found, seen = np.full(rows, start), np.zeros(rows, bool)
        for numbers, values in parts:
            with np.errstate(invalid="ignore"):  # a row with NaN keeps it
                ufunc.at(found, numbers, values.astype(np.float64))
            seen[numbers] = True
        return np.where(seen, found, np.nan)

    return reduce


_REDUCTIONS: dict[str, Callable[[Iterable[Part], int], Floats]] = {
    "mean": _mean,
    "std": _std,
    "min": _extreme(np.minimum, np.inf),
    "max": _extreme(np.maximum, -np.inf),
    "sum": lambda parts, rows: _Sums(parts, rows).sum,
    "count": lambda parts, rows: _Sums(parts, rows).count,
}
