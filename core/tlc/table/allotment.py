"""How many go where, and which: plain arithmetic that gives the same on every machine.

All of it is in whole numbers, and chance comes from the raw output of a bit generator, whose stream
NumPy promises to keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

_ROUNDING = 1e-9


def shuffled(count: int, seed: int) -> np.ndarray:
    """Return the numbers from 0 to `count`, without that, in an order that `seed` tells."""
    import numpy as np

    bits = max(1, count).bit_length()
    # Sorting numbers with their place in the last bits is much faster than sorting places by them.
    high = np.random.PCG64(seed).random_raw(count) >> np.uint64(bits) << np.uint64(bits)
    numbers = np.sort(high | np.arange(count, dtype=np.uint64))
    return (numbers & np.uint64((1 << bits) - 1)).astype(np.int64)


def rounded(
    quotas: Sequence[float] | np.ndarray, total: int, owed: np.ndarray | None = None
) -> np.ndarray:
    """Return whole numbers that sum to `total`: the floors, and one more for the largest fractions.

    Of equal fractions the first counts.

    Args:
        quotas: What each should be; together about `total`.
        total: What the numbers sum to.
        owed: What roundings before have cost each, which counts as part of its fraction.
    """
    import numpy as np

    wanted = np.asarray(quotas, np.float64)
    counts = np.floor(wanted + _ROUNDING).astype(np.int64)
    fractions = np.round(wanted - counts, 9)
    claims = fractions if owed is None else np.where(fractions > 0, fractions + owed, -np.inf)
    missing = total - int(counts.sum())
    counts[np.argsort(-claims, kind="stable")[:missing]] += 1
    return counts


def by_order(codes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return all places sorted by their code; those of one code in the order of `order`."""
    import numpy as np

    # Sorting numbers of 16 bits takes a tenth of the time.
    small = codes.max(initial=0) < 1 << 16
    sorted_codes = codes[order].astype(np.uint16) if small else codes[order]
    return order[np.argsort(sorted_codes, kind="stable")]


def table_of_counts(sizes: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Share classes out between parts, each in proportion and all exactly.

    Args:
        sizes: How many there are of each class, shape (C,).
        totals: How many each part gets, shape (P,); of the same sum.

    Returns:
        Shape (C, P), with these sums of rows and columns. Each number is its share, ``sizes[c] *
        totals[p] / sum``, or that rounded up or down.
    """
    import numpy as np

    whole = max(1, int(sizes.sum()))
    shares = sizes[:, None].astype(np.int64) * totals[None, :].astype(np.int64)
    counts, rest = shares // whole, shares % whole
    is_up = np.zeros(counts.shape, bool)
    _round_up(is_up, rest, (sizes - counts.sum(1)).tolist(), whole)
    _balance(is_up, rest > 0, totals - counts.sum(0))
    return counts + is_up


def _round_up(is_up: np.ndarray, rest: np.ndarray, missing: Sequence[int], whole: int) -> None:
    """Give each class its missing ones: to the parts that are owed most by those before it.

    Debts are counted in parts of `whole`.
    """
    owed = [0] * rest.shape[1]
    for number in [number for number, each in enumerate(missing) if each]:
        rests = rest[number].tolist()
        owed = [debt + each for debt, each in zip(owed, rests, strict=True)]
        able = [part for part, each in enumerate(rests) if each]
        for part in sorted(able, key=lambda part: -owed[part])[: missing[number]]:
            is_up[number, part] = True
            owed[part] -= whole


def _balance(is_up: np.ndarray, may_be_up: np.ndarray, wanted: np.ndarray) -> None:
    """Exchange what was rounded up with what was rounded down until each part has its number.

    Where all shares together are whole numbers that can always be done, if need be by way of other
    parts.
    """
    while (over := is_up.sum(0) - wanted).any():
        way = _way(is_up, may_be_up, int(over.argmax()), int(over.argmin()))
        for source, target, number in way:
            is_up[number, source], is_up[number, target] = False, True


def _way(
    is_up: np.ndarray, may_be_up: np.ndarray, start: int, end: int
) -> list[tuple[int, int, int]]:
    """Return exchanges that lead from one part to another: from, to, and the class."""
    import numpy as np

    before: dict[int, tuple[int, int, int]] = {}
    waiting = [start]
    for source in waiting:
        could = is_up[:, source, None] & may_be_up & ~is_up
        for target in np.flatnonzero(could.any(0)).tolist():
            if target != start and target not in before:
                before[target] = source, target, int(could[:, target].argmax())
                waiting.append(target)
    way = []
    while end != start:
        way.append(before[end])
        end = before[end][0]
    return way
