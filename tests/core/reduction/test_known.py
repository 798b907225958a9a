"""Vectors found by their values."""

from __future__ import annotations

import numpy as np
import pytest

from tlc.reduction.known import Known


class Colliding(Known):
    """Makes one number of all vectors."""

    def _numbers(self, vectors):
        return np.zeros(len(vectors), np.uint64)


@pytest.mark.parametrize("kind", [Known, Colliding])
def test_the_first_equal_vector_is_found_whatever_numbers_they_have(kind):
    vectors = np.random.default_rng(0).integers(0, 3, (40, 3)).astype(np.float32)
    asked = np.concatenate([vectors[::-1], vectors[:5] + 5, -vectors[:1]])
    rows = [next((i for i, v in enumerate(vectors) if (v == each).all()), -1) for each in asked]
    assert kind(vectors).find(asked).tolist() == rows
    assert len(set(rows)) > 20


@pytest.mark.parametrize("kind", [Known, Colliding])
def test_among_no_vectors_none_is_found(kind):
    assert kind(np.empty((0, 3), np.float32)).find(np.ones((2, 3), np.float32)).tolist() == [-1, -1]


def test_vectors_that_differ_have_different_numbers():
    vectors = np.random.default_rng(0).normal(size=(5000, 4)).astype(np.float32)
    assert len(np.unique(Known(vectors)._numbers(vectors))) == 5000
