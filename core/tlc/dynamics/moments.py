"""Count, mean and spread of numbers that come epoch by epoch, for each row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from tlc.dynamics.epochs import Floats


_BLOCK = 1 << 14  # rows whose numbers stay in the cache between the steps


def blocks(rows: int) -> Iterator[slice]:
    """Yield the rows in blocks that are quick to work on."""
    return (slice(start, start + _BLOCK) for start in range(0, rows, _BLOCK))


class Means:
    """Count and mean of the numbers of each row so far; NaN does not count.

    Args:
        rows: Number of rows.

    Attributes:
        count: How many numbers each row has, int32 of shape ``(rows,)``.
    """

    def __init__(self, rows: int) -> None:
        self.count = np.zeros(rows, np.int32)
        self._total = np.zeros(rows)

    def add(self, values: npt.NDArray[Any]) -> None:
        """Take in one number, or NaN, of each row; shape ``(rows,)``."""
        for part in blocks(len(values)):
            is_gone = np.isnan(values[part])
            self.count[part] += ~is_gone
            known = np.where(is_gone, 0, values[part]) if is_gone.any() else values[part]
            with np.errstate(invalid="ignore"):  # infinities of both signs
                self._total[part] += known

    @property
    def mean(self) -> Floats:
        """Mean of each row; NaN where there is none."""
        with np.errstate(invalid="ignore"):
            return self._total / self.count


class Moments(Means):
    """Count, mean and standard deviation of the numbers of each row so far; NaN does not count.

    The spread is computed as in B. P. Welford, "Note on a method for calculating corrected sums of
    squares and products", Technometrics 4 (1962) 419-420: it does not suffer from numbers that are
    close to each other.

    Args:
        rows: Number of rows.
    """

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self._centre = np.zeros(rows)
        self._squares = np.zeros(rows)

    def add(self, values: npt.NDArray[Any]) -> None:
        """Take in one finite number, or NaN, of each row; shape ``(rows,)``."""
        super().add(values)
        for part in blocks(len(values)):
            centre = self._centre[part]
            # A number that is not there lies at the centre: it changes nothing.
            known = np.where(np.isnan(values[part]), centre, values[part])
            away = known - centre
            centre += away / np.maximum(self.count[part], 1)
            away *= known - centre
            self._squares[part] += away

    @property
    def std(self) -> Floats:
        """Standard deviation of each row, with the number of values as divisor; or NaN."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(self._squares / self.count)
