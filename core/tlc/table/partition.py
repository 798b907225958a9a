"""Which part each row of a table goes to when it is split.

Each function returns the number of a part for each row, shape (rows,). The numbers of rows of the
parts are `totals`, exactly; but groups that have to stay together can make them differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.table.allotment import by_order, rounded, shuffled, table_of_counts
from tlc.table.paths import codes_of

if TYPE_CHECKING:
    import numpy as np

    from tlc.table.paths import Codes, Elements


def in_order(totals: np.ndarray) -> np.ndarray:
    """Return parts that follow each other."""
    import numpy as np

    return np.repeat(np.arange(len(totals)), totals)


def at_random(totals: np.ndarray, seed: int) -> np.ndarray:
    """Return parts drawn at random."""
    import numpy as np

    parts = np.empty(int(totals.sum()), np.int64)
    parts[shuffled(len(parts), seed)] = in_order(totals)
    return parts


def by_class(classes: Codes, totals: np.ndarray, seed: int) -> np.ndarray:
    """Return parts that each have their share of each class, to the next whole number."""
    import numpy as np

    sizes = np.bincount(classes.codes, minlength=classes.different)
    counts = table_of_counts(sizes, totals)
    parts = np.empty(len(classes.codes), np.int64)
    order = by_order(classes.codes, shuffled(len(parts), seed))
    parts[order] = np.repeat(np.tile(np.arange(len(totals)), len(sizes)), counts.ravel())
    return parts


def by_group(groups: Codes, totals: np.ndarray, seed: int) -> np.ndarray:
    """Return parts that hold whole groups, and about their share of the groups of each size."""
    import numpy as np

    sizes = np.bincount(groups.codes, minlength=groups.different)
    # The largest first: what they leave over or open, the small ones make up for.
    order = by_order(sizes.max(initial=0) - sizes, shuffled(groups.different, seed))
    left = totals.astype(np.float64)
    part_of = np.empty(groups.different, np.int64)
    start = 0
    for size, count in zip(*_falling(sizes), strict=True):
        open_ = np.maximum(left, 0)
        counts = rounded(count * open_ / open_.sum(), count)
        part_of[order[start : start + count]] = in_order(counts)
        left -= counts * size
        start += count
    return part_of[groups.codes]


def _falling(sizes: np.ndarray) -> tuple[list[int], list[int]]:
    """Return the sizes that there are, the largest first, and how many groups have each."""
    import numpy as np

    different, counts = np.unique(sizes, return_counts=True)
    return different[::-1].tolist(), counts[::-1].tolist()


def by_labels(labels: Elements, totals: np.ndarray, seed: int) -> np.ndarray:
    """Return parts that each have about their share of the rows with each label.

    A row may have several labels, or none. The rows of the rarest label are shared out first, then
    those of the next, as far as they are not yet: what parts have got with the labels before
    counts.
    """
    import numpy as np

    rows = int(totals.sum())
    incidence = Incidence(labels, rows)
    batches = by_order(incidence.rarest, shuffled(rows, seed))
    ends = np.bincount(incidence.rarest, minlength=incidence.count + 1).cumsum()
    shares = totals / max(1, rows)
    got = np.zeros((incidence.count + 1, len(totals)), np.int64)
    left, owed = totals.copy(), np.zeros(len(totals))
    parts = np.empty(rows, np.int64)
    for label, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        members = batches[start:end]
        if not len(members):
            continue
        wanted = incidence.frequency(label) * shares - got[label]
        quotas = _scaled(np.maximum(wanted, 0) * (left > 0), left, len(members))
        counts = _within(rounded(quotas, len(members), owed), left)
        owed += quotas - counts
        left -= counts
        parts[members] = in_order(counts)
        of, which = incidence.labels_of(members)
        np.add.at(got, (which, parts[of]), 1)
    return parts


def _scaled(wanted: np.ndarray, left: np.ndarray, total: int) -> np.ndarray:
    """Return what is wanted, scaled to a sum; what is left if nothing is wanted."""
    basis = wanted if wanted.sum() > 0 else left
    return basis * (total / basis.sum())


def _within(counts: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return counts of the same sum of which none is more than what is left."""
    import numpy as np

    while (excess := np.maximum(counts - left, 0)).any():
        room = np.maximum(left - counts, 0)
        more = rounded(room * (excess.sum() / room.sum()), int(excess.sum()))
        counts = np.minimum(counts, left) + more
    return counts


class Incidence:
    """Which rows have which labels, with the labels numbered from the rarest on.

    Args:
        labels: The labels of all rows; one that a row has several times counts once.
        rows: Number of rows.

    Attributes:
        count: Number of labels.
        rarest: The rarest label of each row, `count` for rows without labels, shape (rows,).
    """

    def __init__(self, labels: Elements, rows: int) -> None:
        import numpy as np

        codes, self.count = codes_of(labels.values)
        pairs = np.sort(labels.rows * max(1, self.count) + codes)
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
        self._rows, codes = np.divmod(pairs, max(1, self.count))
        frequencies = np.bincount(codes, minlength=self.count)
        order = np.argsort(frequencies, kind="stable")
        ranks = np.empty(self.count, np.int64)
        ranks[order] = np.arange(self.count)
        self._labels = ranks[codes]
        self._starts = np.searchsorted(self._rows, np.arange(rows + 1))
        self.rarest = np.full(rows, self.count, np.int64)
        with_labels = np.flatnonzero(np.diff(self._starts))
        if len(with_labels):
            starts = self._starts[with_labels]
            self.rarest[with_labels] = np.minimum.reduceat(self._labels, starts)
        self._frequencies = np.append(frequencies[order], rows - len(with_labels))

    def frequency(self, label: int) -> int:
        """Return how many rows have a label; for `count`, how many have none."""
        return int(self._frequencies[label])

    def labels_of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the labels of some rows: a row for each, and the label; rows may repeat."""
        import numpy as np

        counts = self._starts[rows + 1] - self._starts[rows]
        firsts = np.repeat(self._starts[rows] - np.append(0, counts[:-1].cumsum()), counts)
        return np.repeat(rows, counts), self._labels[firsts + np.arange(len(firsts))]
