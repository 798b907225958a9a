"""The samplers of `tlc.samplers`, under the name that training scripts import."""

from __future__ import annotations

from tlc.samplers import (
    RangeSampler,
    RepeatByWeightSampler,
    SubsetSequentialSampler,
    TableSampler,
    create_random_sampler,
    create_repeat_by_weight_sampler,
    create_sampler,
    create_sequential_sampler,
    create_weighted_sampler,
)

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
