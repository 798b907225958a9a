"""`BatchIds`: which samples a loader's batches are made of."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler

from tlc.errors import MetricsError
from tlc.metrics.batch_ids import BatchIds


class Numbers(torch.utils.data.Dataset):
    def __init__(self, count=23):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return index


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(3))


@settings(max_examples=60)
@given(
    st.integers(0, 40),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
)
def test_they_are_those_of_the_samples_in_each_pass(count, size, shuffle, drop_last):
    shuffle = shuffle and count > 0
    loader = DataLoader(Numbers(count), size, shuffle=shuffle, drop_last=drop_last)
    ids = BatchIds(loader)
    for _ in range(2):
        for batch in loader:
            assert ids.next() == batch.tolist()


@settings(max_examples=60)
@given(st.integers(0, 40), st.integers(1, 9), st.booleans())
def test_what_is_left_out_is_known_once_the_last_batch_is_taken(count, size, to_the_end):
    loader = DataLoader(Numbers(count), size, drop_last=True)
    ids, found = BatchIds(loader), []
    batches = iter(loader)
    for number in range(len(loader)):
        assert number == 0 or ids.dropped == []
        assert found == list(range(number * size))
        next(batches)
        found += ids.next()
    if to_the_end or not len(loader):
        assert next(batches, None) is None
    for _ in range(2):
        assert found + ids.dropped == list(range(count))


class TwoBatches(BatchSampler):
    def __iter__(self):
        yield from ([1, 2], [3, 4])


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 2}, {"batch_size": None}, {"batch_sampler": TwoBatches(range(7), 2, True)}],
    ids=["keeps the last", "no batches", "batches of its own"],
)
def test_of_loaders_that_leave_out_nothing_known_nothing_is_told(options):
    ids = BatchIds(loader := DataLoader(Numbers(7), **options))
    for _ in loader:
        ids.next()
    assert ids.dropped == []


@pytest.mark.parametrize("options", [{}, {"persistent_workers": True}], ids=["new", "persistent"])
def test_workers_that_read_ahead_change_nothing(options):
    loader = DataLoader(Numbers(), 4, shuffle=True, num_workers=2, **options)
    ids = BatchIds(loader)
    for _ in range(2):
        assert all(ids.next() == batch.tolist() for batch in loader)


def test_a_pass_that_was_left_is_forgotten():
    loader = DataLoader(Numbers(), 4, shuffle=True)
    ids = BatchIds(loader)
    next(iter(loader))
    assert all(ids.next() == batch.tolist() for batch in loader)


def test_samplers_of_every_kind():
    sampler = BatchSampler(RandomSampler(Numbers()), 5, drop_last=False)
    for loader in (
        DataLoader(Numbers(), batch_sampler=sampler),
        DataLoader(Numbers(), batch_size=None, sampler=RandomSampler(Numbers())),
    ):
        ids = BatchIds(loader)
        for batch in loader:
            assert ids.next() == torch.as_tensor(batch).reshape(-1).tolist()
        assert len(loader) > 0


def test_noting_twice_notes_once():
    loader = DataLoader(Numbers(), 4)
    BatchIds(loader)
    ids = BatchIds(loader)
    assert all(ids.next() == batch.tolist() for batch in loader)


def test_what_is_asked_for_too_early_or_too_often_is_an_error():
    loader = DataLoader(Numbers(4), 4)
    ids = BatchIds(loader)
    with pytest.raises(MetricsError, match="not known"):
        ids.next()
    list(loader)
    ids.next()
    with pytest.raises(MetricsError, match="not known"):
        ids.next()


def test_what_nobody_asks_for_takes_no_memory():
    loader = DataLoader(Numbers(10_000), 1)
    ids = BatchIds(loader)
    list(loader)
    with pytest.raises(MetricsError, match="not known"):  # some are forgotten
        ids.next()


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        ([1, 2], "does not tell"),
        (DataLoader(Stream()), "stream"),
        (DataLoader(Numbers(), num_workers=1, in_order=False), "any order"),
    ],
    ids=["a list", "a stream", "any order"],
)
def test_loaders_whose_samples_have_no_number_are_refused(loader, message):
    with pytest.raises(MetricsError, match=message):
        BatchIds(loader)
