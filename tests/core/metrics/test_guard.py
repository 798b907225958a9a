from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

from tlc.metrics._guard import evaluation_mode, random_state_kept


class StopError(Exception):
    pass


@pytest.mark.parametrize("fails", [False, True])
def test_each_module_gets_its_own_mode_back(fails):
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2)))
    net[1][1].eval()
    before = [module.training for module in net.modules()]
    try:
        with evaluation_mode(net):
            assert not any(module.training for module in net.modules())
            if fails:
                raise StopError
    except StopError:
        pass
    assert [module.training for module in net.modules()] == before
    with evaluation_mode(None):
        pass


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item(), np.random.randn()


@pytest.mark.parametrize("fails", [False, True])
def test_random_states_are_kept(fails):
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    np.random.randn()  # leaves a second normal number waiting in the state
    with random_state_kept():
        expected = draw()
    try:
        with random_state_kept():
            draw()
            torch.manual_seed(7)
            if fails:
                raise StopError
    except StopError:
        pass
    assert draw() == expected
