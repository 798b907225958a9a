from __future__ import annotations

import operator
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from tlc.errors import ImageReadError
from tlc.table import Table

COUNT = 10
TO_NUMBER = operator.itemgetter("n")  # can be pickled, as a spawned worker needs


@pytest.fixture
def long_table():
    return Table.from_dict({"n": range(COUNT), "x": torch.arange(COUNT * 2.0).reshape(COUNT, 2)})


WORKERS = {
    "0": {"num_workers": 0},
    "fork": {"num_workers": 2, "multiprocessing_context": "fork"},
    "spawn": {"num_workers": 2, "multiprocessing_context": "spawn"},
}


@pytest.mark.parametrize("workers", WORKERS.values(), ids=WORKERS)
def test_a_table_and_a_view_are_datasets_of_a_loader(long_table, workers):
    batches = list(DataLoader(long_table, batch_size=4, **workers))
    assert [batch["n"].tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert torch.equal(batches[1]["x"][0], torch.tensor([8.0, 9.0]))
    view = long_table.with_transform(TO_NUMBER)
    batches = list(DataLoader(view, batch_size=4, **workers))
    assert [batch.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize("workers", [0, 2])
def test_images_reach_the_workers(pictures, workers):
    table = Table.from_dict({"image": pictures, "n": range(3)})
    view = table.with_transform(operator.itemgetter("image"))
    loader = DataLoader(view, batch_size=None, num_workers=workers)
    assert [image.getpixel((0, 0)) for image in loader] == [(n, 0, 0) for n in range(3)]


def test_a_table_that_was_read_already_can_be_forked(long_table):
    assert len(list(long_table)) == COUNT
    loader = DataLoader(long_table, batch_size=5, num_workers=2, shuffle=True)
    assert sorted(n for batch in loader for n in batch["n"].tolist()) == list(range(COUNT))


@pytest.mark.parametrize("chained", [False, True])
def test_a_batch_of_images_is_transformed_one_by_one(pictures, chained):
    table = Table.from_dict({"image": pictures, "n": range(3)})
    seen = []
    view = table.with_transform(lambda sample: seen.append(sample["n"]) or sample["n"])
    if chained:
        view = view.with_transform(lambda number: seen.append(-number) or number)
    Path(table.table_rows[2]["image"]).write_bytes(b"no image")
    with pytest.raises(ImageReadError) as caught:
        view.__getitems__([1, 0, 2])
    assert seen == ([1, -1, 0, 0] if chained else [1, 0])
    assert not getattr(caught.value, "__notes__", [])  # the transform has nothing to do with it
