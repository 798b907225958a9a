from __future__ import annotations

import multiprocessing

import numpy as np
import pytest
import torch
from PIL import Image

from tlc.errors import MetricsError, NotPicklableError, WeightError
from tlc.metrics._loader import RowPlan, batches, rows_to_collect
from tlc.metrics._pickling import check_picklable
from tlc.table import TableView


class Squares:
    """A map-style dataset."""

    def __init__(self, count=7):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return {"x": index * index}


def load(dataset, plan=None, **arguments):
    return [
        (rows.tolist(), batch["x"].tolist())
        for rows, batch in batches(dataset, plan or RowPlan(len(dataset)), arguments)
    ]


@pytest.mark.parametrize("arguments", [{"num_workers": 2}, {"shuffle": False, "drop_last": False}])
def test_batches_come_in_row_order(arguments):
    assert load(Squares(), batch_size=3, **arguments) == [
        ([0, 1, 2], [0, 1, 4]),
        ([3, 4, 5], [9, 16, 25]),
        ([6], [36]),
    ]


def test_default_batch_size_is_32():
    assert [len(rows) for rows, _ in load(Squares(70))] == [32, 32, 6]


def test_chosen_rows_keep_their_numbers():
    plan = RowPlan(7, np.array([1, 4, 6]))
    assert load(Squares(), plan, batch_size=2) == [([1, 4], [1, 16]), ([6], [36])]


def test_a_plan_of_all_rows_holds_none_of_them():
    plan = RowPlan(10**12)
    assert next(iter(plan)) == list(range(32))
    assert plan.chosen is None
    assert len(plan) == 10**12 // 32


def test_zero_weights_need_weights():
    with pytest.raises(WeightError, match="no weight column"):
        rows_to_collect(Squares(), exclude_zero_weights=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"shuffle": True},
        {"sampler": [2, 1]},
        {"batch_sampler": [[2, 1]]},
        {"drop_last": True},
        {"in_order": False},
        {"batch_size": None},
        {"batch_size": 0},
        {"dataset": []},
    ],
)
def test_arguments_that_break_the_order_are_refused_at_once(arguments):
    with pytest.raises(MetricsError, match=next(iter(arguments))):
        batches(Squares(), RowPlan(7), arguments)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([{"image": Image.new("L", (2, 2))}] * 2, r"'image'.* is a PIL image.*with_transform"),
        ([(1, Image.new("L", (2, 2)))] * 2, "Part 1 of the samples is a PIL image"),
        ([{"x": 1, "boxes": [1]}, {"x": 1, "boxes": [1, 2]}], "Column 'boxes'.*differs in size"),
        ([{"x": torch.ones(2)}, {"x": torch.ones(3)}], "Column 'x'.*differs in size"),
        ([{"x": None}] * 2, "Column 'x'.*'NoneType'.*collate_fn"),
        ([object()] * 2, "Each sample is of type 'object'"),
    ],
)
def test_samples_that_cannot_be_batched_are_explained(samples, message, workers):
    with pytest.raises(MetricsError, match=message) as info:
        list(batches(samples, RowPlan(2), {"num_workers": workers}))
    assert "Traceback" not in str(info.value)


def test_other_errors_of_batching_pass():
    with pytest.raises(KeyError):
        list(batches([{"x": 1}, {"y": 1}], RowPlan(2), {}))


def test_own_collate_fn_is_used():
    found = list(batches([object()] * 2, RowPlan(2), {"collate_fn": len}))
    assert found[0][1] == 2


def top_level(sample):
    return sample


class Holder:
    def __init__(self):
        self._inner = Squares()
        self._inner.callback = lambda: None


class TestPickling:
    def check(self, dataset, **arguments):
        check_picklable(
            dataset, {"num_workers": 2, "multiprocessing_context": "spawn", **arguments}
        )

    def test_forked_workers_need_no_pickling(self):
        self.check(lambda: None, multiprocessing_context="fork")
        self.check(Squares())

    @pytest.mark.parametrize("context", ["spawn", multiprocessing.get_context("forkserver")])
    def test_the_transform_is_named(self, context):
        view = TableView(Squares(), lambda sample: sample)
        with pytest.raises(NotPicklableError) as info:
            self.check(view.with_transform(top_level), multiprocessing_context=context)
        assert "table.source.transform" in str(info.value)
        assert "<lambda>" in str(info.value)
        assert "num_workers=2" in str(info.value)
        assert "top level of a module" in str(info.value)

    def test_objects_deep_inside_are_named(self):
        with pytest.raises(NotPicklableError, match=r"table\.inner\.callback \("):
            self.check(Holder())

    def test_other_arguments_are_checked(self):
        with pytest.raises(NotPicklableError, match=r"collate_fn \(.*<lambda>"):
            self.check(Squares(), collate_fn=lambda samples: samples)

    def test_it_is_checked_before_workers_start(self):
        with pytest.raises(NotPicklableError):
            batches(
                TableView(Squares(), lambda sample: sample),
                RowPlan(7),
                {"num_workers": 1, "multiprocessing_context": "spawn"},
            )
