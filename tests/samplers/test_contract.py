"""All kinds of samplers, held to the contract."""

from __future__ import annotations

import random

import numpy as np

from tlc.samplers import (
    RepeatByWeightSampler,
    create_random_sampler,
    create_repeat_by_weight_sampler,
    create_sampler,
    create_sequential_sampler,
    create_weighted_sampler,
)
from tlc.testing.sampler_contract import SamplerContract


class OncePerEpoch(SamplerContract):
    epochs = 50

    def expected_counts(self):
        return (np.array(self.weights) > 0).astype(float)


class TestDefault(SamplerContract):
    def make(self, table, **options):
        return create_sampler(table, **options)


class TestWeighted(SamplerContract):
    def make(self, table, **options):
        return create_weighted_sampler(table, **options)


class TestWeightedInTableOrder(SamplerContract):
    def make(self, table, **options):
        return create_sampler(table, shuffle=False, **options)


class TestWithoutReplacement(OncePerEpoch):
    def make(self, table, **options):
        return create_sampler(table, replacement=False, **options)


class TestRepeat(SamplerContract):
    def make(self, table, **options):
        return create_sampler(table, repeat_by_weight=True, **options)

    def expected_counts(self):
        return np.array(self.weights)


class TestRepeatInTableOrder(TestRepeat):
    def make(self, table, **options):
        return create_repeat_by_weight_sampler(table, shuffle=False, **options)


class TestRepeatClass(TestRepeat):
    def make(self, table, seed=0, **options):
        return RepeatByWeightSampler(table.weights, random_state=random.Random(seed), **options)


class TestRandom(OncePerEpoch):
    def make(self, table, **options):
        return create_random_sampler(table, **options)


class TestSequential(OncePerEpoch):
    random = False

    def make(self, table, **options):
        return create_sequential_sampler(table, **options)
