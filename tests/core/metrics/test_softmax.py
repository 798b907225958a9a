"""Reducing logits on the CPU and on an accelerator comes to the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tlc.metrics.collectors._softmax import labelled_softmax, reduced_by_numpy, reduced_by_torch

CASES = {
    "few classes": (33, 10),
    "many classes": (33, 300),
    "two classes": (5, 2),
    "one class": (5, 1),
    "no samples": (0, 10),
}


def batch(samples, classes):
    generator = torch.Generator().manual_seed(samples)
    logits = 20 * torch.randn(samples, classes, generator=generator)
    return logits, torch.randint(classes, (samples,), generator=generator)


@pytest.mark.parametrize("shape", CASES.values(), ids=CASES)
def test_torch_and_numpy_reduce_logits_to_the_same(shape):
    logits, labels = batch(*shape)
    given = logits.clone()
    here = reduced_by_numpy(logits.numpy(), labels.numpy())
    there = reduced_by_torch(logits, labels)
    for name in here._fields:
        ours, theirs = getattr(here, name), getattr(there, name)
        assert ours.dtype == theirs.dtype, name
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, err_msg=name)
    assert torch.equal(logits, given)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_logits_that_are_no_numbers_concern_their_sample_alone(value):
    logits, labels = batch(4, 3)
    clean = labelled_softmax(logits, labels)
    logits[1, 2] = value
    found = labelled_softmax(logits, labels)
    for name, values in found._asdict().items():
        others = np.delete(values, 1)
        np.testing.assert_array_equal(others, np.delete(getattr(clean, name), 1), err_msg=name)
    expected = logits[1].double().softmax(0)[labels[1]].item()
    np.testing.assert_allclose(found.label_prob[1], expected, rtol=1e-5)
