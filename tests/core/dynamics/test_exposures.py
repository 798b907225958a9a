"""How often a sampler draws each row, told from its plan, is how often it does."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tlc.dynamics import exposure
from tlc.errors import OptionError, RowIndexError
from tlc.samplers import create_sampler
from tlc.table import Table


@pytest.fixture
def table():
    table = Table.from_dict({"x": range(6)}, table_name="train", add_weight_column=True)
    return table.set_values("weight", [0, 5], [0.0, 3.5])


@pytest.mark.parametrize("kind", [{}, {"repeat_by_weight": True}, {"weighted": False}])
def test_draws_are_those_of_a_training(table, kind):
    sampler = create_sampler(table, seed=4, **kind)
    passes = [list(sampler) for _ in range(5)]
    counts = Counter(row for each in passes for row in each)
    found = exposure(create_sampler(table, seed=4, **kind), table, 5)
    assert found["draws"].tolist() == [counts[row] for row in range(6)]
    seen = [sum(row in each for each in passes) for row in range(6)]
    assert found["epochs_drawn"].tolist() == seen
    assert found["draws"][0] == 0


def test_epochs_can_be_named(table):
    sampler = create_sampler(table, seed=4)
    first, rest = exposure(sampler, table, [0]), exposure(sampler, table.url, range(1, 3))
    both = exposure(sampler, table, 3)
    assert (first["draws"] + rest["draws"]).tolist() == both["draws"].tolist()
    assert both["draws"].sum() == 3 * len(sampler)
    assert exposure(sampler, table, np.int64(3))["draws"].tolist() == both["draws"].tolist()
    assert both.add_to_table().column("draws").to_pylist() == both["draws"].tolist()


def test_rows_at_the_end_may_not_be_drawn(table):
    found = exposure(create_sampler(table.set_values("weight", [5], [0.0]), seed=4), table, 2)
    assert found["draws"][5] == found["epochs_drawn"][5] == 0
    assert found["draws"].sum() > 0


def test_ranks_plan_the_same(table):
    ranks = [create_sampler(table, seed=4, rank=rank, num_replicas=2) for rank in range(2)]
    one, other = (exposure(sampler, table, 2)["draws"].tolist() for sampler in ranks)
    assert one == other


def test_errors(table):
    sampler = create_sampler(table, seed=4)
    with pytest.raises(RowIndexError, match=r"Epoch 0 draws row 5, but .* has 2 rows"):
        exposure(sampler, table.delete_rows(range(4)), 1)
    for epochs in (0, []):
        with pytest.raises(OptionError, match="are none"):
            exposure(sampler, table, epochs)
