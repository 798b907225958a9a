"""Plans: which rows of a table one epoch visits, and in which order.

A plan is a pure function of weights (or row numbers) and a random generator. It returns row numbers
and keeps nothing, so equally seeded generators give equal epochs on every rank. Bind all arguments
but the generator with `functools.partial` to get what `tlc.samplers.TableSampler` takes.

Weights are checked by `tlc.samplers.weights.check_weights`; the plans rely on that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.errors import WeightError

__all__ = [
    "Plan",
    "Rows",
    "Sums",
    "Weights",
    "cumulate",
    "deal",
    "random_order",
    "repeat_by_weight",
    "sequential",
    "weighted_with_replacement",
    "weighted_without_replacement",
]

Rows: TypeAlias = npt.NDArray[np.int64]
Weights: TypeAlias = npt.NDArray[np.float32 | np.float64]
Sums: TypeAlias = npt.NDArray[np.float64]
Plan: TypeAlias = Callable[[np.random.Generator], Rows]

# Above this a float64 no longer counts one by one.
_MOST_ROWS = 2.0**53
_BLOCK = 8192  # a power of two


def cumulate(weights: Weights) -> Sums:
    """Return the cumulative weights that `weighted_with_replacement` searches.

    Args:
        weights: Valid weights, shape `(n,)`.

    Returns:
        Shape `(n,)`, never falling, with a finite last value. A row of weight zero equals its
        predecessor exactly. Scaled by the largest weight where the plain sum would overflow or lose
        its digits.
    """
    cumulative = weights.astype(np.float64)  # a sum with a cast would need room for both
    with np.errstate(over="ignore"):
        np.cumsum(cumulative, out=cumulative)
    if cumulative.size and not 1e-290 < cumulative[-1] < np.inf:
        return np.cumsum(weights / weights.max(), dtype=np.float64)
    return cumulative


def weighted_with_replacement(
    cumulative: Sums, rng: np.random.Generator, num_samples: int, *, shuffle: bool = True
) -> Rows:
    """Draw rows independently, each with a probability proportional to its weight.

    Uniform numbers are looked up in the cumulative weights (inversion of the distribution
    function). They are sorted first, since a search that only moves forward stays in the cache, so
    the rows found are shuffled at the end.

    Args:
        cumulative: `cumulate(weights)`, shape `(n,)`; computed once for all epochs.
        rng: Source of randomness.
        num_samples: Rows to draw.
        shuffle: Return the rows in random order instead of ascending.

    Returns:
        Shape `(num_samples,)`; no row of weight zero. Empty if there are no weights.
    """
    if not cumulative.size:
        return np.empty(0, dtype=np.int64)
    points = rng.random(num_samples)
    points.sort()
    points *= cumulative[-1]
    # "right" finds the first row that lies above the point; a row of weight zero never does.
    rows = np.searchsorted(cumulative, points, side="right").astype(np.int64, copy=False)
    # A product may round up to the total itself: that is the last row that added to the total.
    np.minimum(rows, np.searchsorted(cumulative, cumulative[-1], side="left"), out=rows)
    if shuffle:
        rng.shuffle(rows)
    return rows


def weighted_without_replacement(
    weights: Weights,
    rng: np.random.Generator,
    num_samples: int | None = None,
    *,
    shuffle: bool = True,
) -> Rows:
    """Draw different rows one after the other, each proportional to its weight among those left.

    Every row gets the key `-ln(u) / weight` with its own uniform `u`, and the smallest keys win, in
    their order. Source: P. S. Efraimidis, P. G. Spirakis, "Weighted random sampling with a
    reservoir", Information Processing Letters 97 (2006) 181-185. The logarithm of the key is
    compared here, which neither overflows nor underflows for any weight.

    Args:
        weights: Valid weights, shape `(n,)`.
        rng: Source of randomness.
        num_samples: Rows to draw; all that have a weight above zero if None.
        shuffle: Return the rows in the order of their drawing instead of ascending.

    Returns:
        Shape `(num_samples,)`; no row twice, none of weight zero.

    Raises:
        WeightError: Fewer rows than `num_samples` have a weight above zero.
    """
    rows = np.flatnonzero(weights).astype(np.int64, copy=False)
    count = rows.size if num_samples is None else num_samples
    if count > rows.size:
        raise WeightError(
            f"Cannot draw {count} different rows: only {rows.size} have a weight above zero.",
            hint="ask for fewer rows, or draw with replacement.",
        )
    with np.errstate(divide="ignore"):
        logarithms = np.log(weights[rows], dtype=np.float64)
        keys = np.log(rng.standard_exponential(rows.size)) - logarithms
    if 0 < count < rows.size:
        best = np.argpartition(keys, count - 1)[:count]
        rows, keys = rows[best], keys[best]
    drawn = rows[np.argsort(keys)[:count]]
    return drawn if shuffle else np.sort(drawn)


def repeat_by_weight(weights: Weights, rng: np.random.Generator, *, shuffle: bool = True) -> Rows:
    """Visit each row as often as its weight says.

    A weight of 2.5 is two or three times, and 2.5 times on average. A row's count is the whole part
    of its weight, plus one with the probability of the rest. The rests are rounded together, by
    systematic sampling in a random order of the rows (of those within blocks of 8,192): the number
    of rows in an epoch is then the sum of the weights, rounded down or up, instead of varying by
    its square root.
    Source: W. G. Madow, "On the theory of systematic sampling, II", Annals of Mathematical
    Statistics 20 (1949) 333-354.

    Args:
        weights: Valid weights, shape `(n,)`.
        rng: Source of randomness.
        shuffle: Return the rows in random order instead of ascending.

    Returns:
        Shape `(floor or ceil of the sum of the weights,)`; no row of weight zero.

    Raises:
        WeightError: The weights ask for more rows than can be counted.
    """
    with np.errstate(over="ignore"):
        total = weights.sum(dtype=np.float64)
    if total > _MOST_ROWS:
        raise WeightError(
            f"The weights ask for {total:.3g} rows in one epoch.",
            hint="divide them by a constant, or draw rows by weight instead of repeating them.",
        )
    whole = weights.astype(np.int64)
    more = _rounded_up(weights - whole.astype(weights.dtype), rng)
    rows = np.repeat(np.arange(weights.size, dtype=np.int64), whole)
    rows = np.concatenate([rows, more])
    if shuffle:
        rng.shuffle(rows)
    else:
        rows.sort()
    return rows


def _rounded_up(rests: Weights, rng: np.random.Generator) -> Rows:
    """Return each row with the probability in `rests`; in all, as many as their rounded sum."""
    rows = np.flatnonzero(rests != 0).astype(np.int64, copy=False)
    # Neighbours would exclude each other in every epoch if their order stayed.
    rows = rows.take(_shuffled_in_blocks(rows.size, rng))
    passed = rests.take(rows).astype(np.float64)
    np.cumsum(passed, out=passed)
    passed += rng.random()
    steps = np.zeros(rows.size + 1, np.int64)
    steps[1:] = passed
    return rows.compress(steps[1:] != steps[:-1])  # several times faster than rows[mask]


def _shuffled_in_blocks(count: int, rng: np.random.Generator) -> npt.NDArray[np.uint32]:
    """Return the numbers below `count`, block after block, those of a block in random order.

    Random bits with a number below them are sorted, which NumPy does faster than it shuffles.
    """
    blocks = -(-count // _BLOCK)
    keys = rng.integers(0, 1 << 32, (blocks, _BLOCK), dtype=np.uint32)
    keys &= np.uint32((1 << 32) - _BLOCK)
    keys |= np.arange(_BLOCK, dtype=np.uint32)
    if rest := count % _BLOCK:
        keys[-1, rest:] = (1 << 32) - 1  # behind the others
    keys.sort(axis=1)
    keys &= np.uint32(_BLOCK - 1)
    keys += np.arange(0, blocks * _BLOCK, _BLOCK, dtype=np.uint32)[:, np.newaxis]
    return keys.ravel()[:count]


def random_order(rows: int | Rows, rng: np.random.Generator) -> Rows:
    """Visit each row once, in random order.

    Args:
        rows: The rows to visit, shape `(k,)`, or their number, which means rows 0 to `rows - 1`.
        rng: Source of randomness.

    Returns:
        Shape `(k,)`.
    """
    return np.asarray(rng.permutation(rows), dtype=np.int64)


def sequential(rows: int | Rows, rng: np.random.Generator) -> Rows:
    """Visit each row once, in the order given; `rng` is not used.

    Args:
        rows: The rows to visit, shape `(k,)`, or their number, which means rows 0 to `rows - 1`.
        rng: Here because every plan takes one.

    Returns:
        Shape `(k,)`.
    """
    del rng
    return np.arange(rows, dtype=np.int64) if isinstance(rows, int) else rows


def deal(rows: Rows, rank: int, num_replicas: int, *, even: bool) -> Rows:
    """Return the rows of one rank: every `num_replicas`-th, starting with number `rank`.

    Args:
        rows: What is left of an epoch, shape `(k,)`, equal on all ranks.
        rank: Which share to return, from 0 to `num_replicas - 1`.
        num_replicas: How many shares there are.
        even: Repeat up to `num_replicas - 1` of the first rows, so that all shares are equally
            long. If False the shares together are `rows` exactly, and some are one shorter than
            others.

    Returns:
        Shape `(ceil(k / num_replicas),)`, or one shorter.
    """
    if even and rows.size % num_replicas:
        rows = np.resize(rows, -(-rows.size // num_replicas) * num_replicas)
    return rows[rank::num_replicas]
