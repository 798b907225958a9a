"""Samplers that are made from numbers instead of a table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Unpack

import numpy as np
import numpy.typing as npt

from tlc.samplers import plans
from tlc.samplers.sampler import SamplerOptions, TableSampler
from tlc.samplers.weights import check_weights

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

__all__ = ["RangeSampler", "RepeatByWeightSampler", "SubsetSequentialSampler"]


class RangeSampler(TableSampler):
    """Yields the numbers of a range, in order.

    Args:
        end: The first number not yielded.
        start: The first number.
        step: From one number to the next; not zero.
        **options: Keywords of `TableSampler`.
    """

    def __init__(
        self, end: int, start: int = 0, step: int = 1, **options: Unpack[SamplerOptions]
    ) -> None:
        rows = np.arange(start, end, step, dtype=np.int64)
        super().__init__(partial(plans.sequential, rows), **options)


class SubsetSequentialSampler(TableSampler):
    """Yields given numbers in the given order.

    Args:
        indices: The numbers, shape `(k,)`; copied.
        **options: Keywords of `TableSampler`.
    """

    def __init__(
        self,
        indices: Sequence[int] | npt.NDArray[np.integer],
        **options: Unpack[SamplerOptions],
    ) -> None:
        rows = np.array(indices, dtype=np.int64)
        super().__init__(partial(plans.sequential, rows), **options)


class RepeatByWeightSampler(TableSampler):
    """Yields each number as often as its weight says; see `tlc.samplers.plans.repeat_by_weight`.

    A weight of 2.5 is two or three times in an epoch, and 2.5 times on average over the epochs.

    Args:
        weights: One weight per number, counted from 0, shape `(n,)`; not to be changed afterwards.
        shuffle: Random order instead of ascending.
        random_state: Gives the seed, by one draw, instead of the option `seed`. Must be in the same
            state on all ranks.
        **options: Keywords of `TableSampler`.

    Raises:
        WeightError: A weight is negative or not finite, or all are zero.
    """

    def __init__(
        self,
        weights: Sequence[float] | npt.NDArray[np.floating],
        shuffle: bool = True,
        random_state: random.Random | None = None,
        **options: Unpack[SamplerOptions],
    ) -> None:
        plan = partial(plans.repeat_by_weight, check_weights(weights), shuffle=shuffle)
        if random_state is not None:
            options["seed"] = random_state.getrandbits(63)
        super().__init__(plan, **options)
