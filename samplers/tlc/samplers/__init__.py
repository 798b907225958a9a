"""Samplers: which rows of a table an epoch of training visits, how often, and in which order.

`create_sampler(table)` gives a sampler for a torch DataLoader. Rows are drawn by the table's
weights, and rows of weight zero never come.

Importing this package does not import torch; using a sampler does. `tlc.samplers.plans` needs numpy
only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tlc._optional import require

if TYPE_CHECKING:
    from tlc.samplers.create import (
        create_random_sampler,
        create_repeat_by_weight_sampler,
        create_sampler,
        create_sequential_sampler,
        create_weighted_sampler,
    )
    from tlc.samplers.kinds import RangeSampler, RepeatByWeightSampler, SubsetSequentialSampler
    from tlc.samplers.sampler import TableSampler

__all__ = [
    "RangeSampler",
    "RepeatByWeightSampler",
    "SubsetSequentialSampler",
    "TableSampler",
    "create_random_sampler",
    "create_repeat_by_weight_sampler",
    "create_sampler",
    "create_sequential_sampler",
    "create_weighted_sampler",
]

_MODULES = {
    "RangeSampler": "tlc.samplers.kinds",
    "RepeatByWeightSampler": "tlc.samplers.kinds",
    "SubsetSequentialSampler": "tlc.samplers.kinds",
    "TableSampler": "tlc.samplers.sampler",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("torch.utils.data", extra="torch", purpose="by the samplers")
    value = getattr(import_module(_MODULES.get(name, "tlc.samplers.create")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
