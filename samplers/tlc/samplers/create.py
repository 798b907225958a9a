"""Functions that make a sampler from a table, or from a view of one.

They read the weights once, when called. An edit makes a new table, so give them the table that
holds the edits.
"""

from __future__ import annotations

from functools import partial
from typing import Unpack

import numpy as np

from tlc.errors import ConfigurationError, WeightError
from tlc.samplers import plans
from tlc.samplers.sampler import SamplerOptions, TableSampler
from tlc.samplers.weights import WeightedTable, kept_rows, read_weights

__all__ = [
    "create_random_sampler",
    "create_repeat_by_weight_sampler",
    "create_sampler",
    "create_sequential_sampler",
    "create_weighted_sampler",
]


def create_sampler(
    table: WeightedTable,
    exclude_zero_weights: bool = True,
    weighted: bool = True,
    shuffle: bool = True,
    repeat_by_weight: bool = False,
    *,
    num_samples: int | None = None,
    replacement: bool = True,
    **options: Unpack[SamplerOptions],
) -> TableSampler:
    """Return a sampler of a table's rows.

    | weighted | repeat_by_weight | an epoch is |
    | --- | --- | --- |
    | True | False | rows drawn with a probability proportional to their weight |
    | True | True | each row as often as its weight says |
    | False | False | each row once |

    Args:
        table: A table, or a view of one.
        exclude_zero_weights: Without `weighted`, leave out rows of weight zero; a table without
            weights has none. With `weighted` such rows never come anyway: this says whether they
            count for the length of an epoch of drawn rows, which is the number of rows kept.
        weighted: Let the weights decide how often a row comes, not only whether.
        shuffle: Random order; else ascending row numbers. Drawn rows are drawn at random either
            way.
        repeat_by_weight: Repeat rows instead of drawing them.
        num_samples: Length of an epoch of drawn rows, in place of the number of rows kept.
        replacement: Whether a row can be drawn twice in an epoch. Without, and with all rows drawn,
            the weights decide only which come early.
        **options: Keywords of `TableSampler`.

    Returns:
        A sampler for `torch.utils.data.DataLoader(table, sampler=...)`, whose length is the number
        of rows of this rank in an epoch.

    Raises:
        WeightError: `weighted`, and the table has no weights; or its weights cannot be used; or the
            arguments contradict each other.
    """
    drawn = weighted and not repeat_by_weight
    if (repeat_by_weight and not weighted) or (
        not drawn and (num_samples is not None or not replacement)
    ):
        raise WeightError(
            f"weighted={weighted}, repeat_by_weight={repeat_by_weight}, num_samples={num_samples} "
            f"and replacement={replacement} contradict each other.",
            hint="repeat_by_weight needs weighted=True; num_samples and replacement are for drawn "
            "rows: weighted=True without repeat_by_weight.",
        )
    if drawn:
        return create_weighted_sampler(
            table,
            exclude_zero_weights,
            shuffle,
            num_samples=num_samples,
            replacement=replacement,
            **options,
        )
    if repeat_by_weight:
        return create_repeat_by_weight_sampler(table, shuffle, **options)
    create = create_random_sampler if shuffle else create_sequential_sampler
    return create(table, exclude_zero_weights, **options)


def create_weighted_sampler(
    table: WeightedTable,
    exclude_zero_weights: bool = True,
    shuffle: bool = True,
    *,
    num_samples: int | None = None,
    replacement: bool = True,
    **options: Unpack[SamplerOptions],
) -> TableSampler:
    """Return a sampler that draws rows with a probability proportional to their weight.

    Args:
        table: A table, or a view of one.
        exclude_zero_weights: Do not count rows of weight zero for the default of `num_samples`;
            they are never drawn.
        shuffle: Random order; else the drawn rows come in ascending order.
        num_samples: Rows to draw per epoch; the number of rows kept if None.
        replacement: Whether a row can be drawn twice in an epoch.
        **options: Keywords of `TableSampler`.

    Returns:
        The sampler. Without replacement and with more `num_samples` than rows above weight zero,
        its first use raises WeightError.

    Raises:
        WeightError: The table has no weights, or they cannot be used.
        ConfigurationError: `num_samples` is negative.
    """
    if num_samples is not None and num_samples < 0:
        raise ConfigurationError(f"num_samples must not be negative: {num_samples}.")
    weights = read_weights(table)
    if not replacement:
        plan = partial(
            plans.weighted_without_replacement, weights, num_samples=num_samples, shuffle=shuffle
        )
        return TableSampler(plan, **options)
    if num_samples is None:
        num_samples = int(np.count_nonzero(weights)) if exclude_zero_weights else weights.size
    plan = partial(
        plans.weighted_with_replacement,
        plans.cumulate(weights),
        num_samples=num_samples,
        shuffle=shuffle,
    )
    return TableSampler(plan, **options)


def create_repeat_by_weight_sampler(
    table: WeightedTable, shuffle: bool = True, **options: Unpack[SamplerOptions]
) -> TableSampler:
    """Return a sampler that visits each row as often as its weight says.

    A weight of 2.5 is two or three times in an epoch, and 2.5 times on average over the epochs.

    Args:
        table: A table, or a view of one.
        shuffle: Random order; else ascending.
        **options: Keywords of `TableSampler`.

    Returns:
        The sampler. Its length is the sum of the weights, rounded down in some epochs and up in
        others.

    Raises:
        WeightError: The table has no weights, or they cannot be used.
    """
    plan = partial(plans.repeat_by_weight, read_weights(table), shuffle=shuffle)
    return TableSampler(plan, **options)


def create_random_sampler(
    table: WeightedTable, exclude_zero_weights: bool = True, **options: Unpack[SamplerOptions]
) -> TableSampler:
    """Return a sampler that visits each row once, in random order.

    Args:
        table: A table, or a view of one.
        exclude_zero_weights: Leave out rows of weight zero. A table without weights has none.
        **options: Keywords of `TableSampler`.

    Returns:
        The sampler; its length is the number of rows kept.

    Raises:
        WeightError: The weights are read and cannot be used.
    """
    rows = kept_rows(table, exclude_zero_weights=exclude_zero_weights)
    return TableSampler(partial(plans.random_order, rows), **options)


def create_sequential_sampler(
    table: WeightedTable, exclude_zero_weights: bool = True, **options: Unpack[SamplerOptions]
) -> TableSampler:
    """Return a sampler that visits each row once, in the order of the table.

    Args:
        table: A table, or a view of one.
        exclude_zero_weights: Leave out rows of weight zero. A table without weights has none.
        **options: Keywords of `TableSampler`.

    Returns:
        The sampler; its length is the number of rows kept.

    Raises:
        WeightError: The weights are read and cannot be used.
    """
    rows = kept_rows(table, exclude_zero_weights=exclude_zero_weights)
    return TableSampler(partial(plans.sequential, rows), **options)
