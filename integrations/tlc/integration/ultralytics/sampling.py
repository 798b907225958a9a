"""Loaders that draw training rows by their weights."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import OptionError
from tlc.integration.ultralytics._package import framework
from tlc.samplers import plans
from tlc.samplers.sampler import TableSampler

if TYPE_CHECKING:
    from tlc.integration.ultralytics.split import Split


class _Draws(TableSampler):
    """Draws anew in each pass.

    The framework says which epoch it is after a loader with workers has begun with it.
    """

    def set_epoch(self, epoch: int) -> None:
        if not self._advances:
            super().set_epoch(epoch)


def weighted_loader(loader: Any, split: Split) -> Any:
    """Return a loader like another that draws rows with a probability proportional to their weight.

    An epoch has as many rows as before. Under several ranks, each takes its share of one draw.

    Args:
        loader: A loader of a data set of a split.
        split: The split.

    Raises:
        OptionError: The data set sorts images by their shape.
    """
    dataset = loader.dataset
    if getattr(dataset, "rect", False):
        raise OptionError(
            "rect=True and sampling_weights=True exclude each other: one sorts images by their "
            "shape, the other draws them.",
            hint="leave out one of them.",
        )
    weights = split.weights[np.asarray(dataset.rows)]
    plan = partial(
        plans.weighted_with_replacement, plans.cumulate(weights), num_samples=len(weights)
    )
    make = framework("data.build").InfiniteDataLoader
    return make(
        dataset=dataset,
        batch_size=loader.batch_size,
        sampler=_Draws(plan, seed=_seed(loader)),
        num_workers=loader.num_workers,
        prefetch_factor=loader.prefetch_factor,
        pin_memory=loader.pin_memory,
        collate_fn=loader.collate_fn,
        worker_init_fn=loader.worker_init_fn,
        generator=loader.generator,
        drop_last=loader.drop_last,
    )


def _seed(loader: Any) -> int:
    """Return the seed that all ranks agree on: that of what the framework would draw with."""
    return int(getattr(loader.sampler, "seed", None) or loader.generator.initial_seed()) % 2**63
