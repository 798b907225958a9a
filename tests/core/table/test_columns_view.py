from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

import tlc
from tlc import schemas
from tlc.errors import CellError, ColumnNotFoundError, RowIndexError, RowIndexTypeError
from tlc.table import ColumnsView, Table

COUNT = 10


@pytest.fixture
def long_table():
    return Table.from_dict(
        {
            "n": np.arange(COUNT, dtype=np.int32),
            "x": np.arange(COUNT * 2, dtype=np.float32).reshape(COUNT, 2),
            "yes": [number % 2 == 0 for number in range(COUNT)],
            "name": [f"row {number}" for number in range(COUNT)],
            "secret": [0.5] * COUNT,
        },
        {"secret": schemas.Float32Schema(sample_type="hidden")},
    )


# Batches of columns


def test_a_batch_has_the_visible_columns_with_types_of_their_own(long_table):
    batch = long_table.get_batch([3, -1, 3])
    assert list(batch) == ["n", "x", "yes", "name"]
    assert batch["n"].tolist() == [3, 9, 3]
    assert batch["x"].tolist() == [[6, 7], [18, 19], [6, 7]]
    assert [batch[name].dtype for name in ("n", "x", "yes")] == [np.int32, np.float32, np.bool_]
    assert batch["name"] == ["row 3", "row 9", "row 3"]


@pytest.mark.parametrize(
    "make", [list, tuple, np.array, torch.tensor, range], ids=lambda make: make.__name__
)
def test_any_sequence_of_integers_names_the_rows(long_table, make):
    rows = range(2, 4) if make is range else make([2, 3])
    assert long_table.get_batch(rows, ["n"])["n"].tolist() == [2, 3]


def test_columns_are_chosen_by_name_hidden_ones_too(long_table):
    assert list(long_table.get_batch([0], ["secret", "n"])) == ["secret", "n"]
    assert long_table.get_batch([0, 1], ["secret"])["secret"].tolist() == [0.5, 0.5]
    with pytest.raises(ColumnNotFoundError, match="no column 'm'"):
        long_table.get_batch([0], ["m"])


def test_a_batch_of_no_rows_has_columns_of_no_rows(long_table):
    assert {name: len(values) for name, values in long_table.get_batch([]).items()} == {
        "n": 0,
        "x": 0,
        "yes": 0,
        "name": 0,
    }


def test_an_array_of_a_batch_may_be_changed(long_table):
    for _ in range(2):
        batch = long_table.get_batch([0, 1])
        assert batch["n"].tolist() == [0, 1]
        batch["n"] += 5
        batch["x"] += 5


@pytest.mark.parametrize("rows", [[10], [-11], [0, 10**20]])
def test_a_row_outside_is_an_index_error(long_table, rows):
    with pytest.raises(RowIndexError, match="it has 10 rows"):
        long_table.get_batch(rows)


def test_a_missing_float_is_nan_and_a_missing_integer_an_error_that_names_the_row():
    table = Table.from_dict(
        {"f": [1.0, None], "n": [1, None], "v": [[1.0, 2.0], None]},
        {"v": schemas.Float32Schema(shape=(2,))},
    )
    batch = table.get_batch([1, 0], ["f", "v"])
    assert np.isnan(batch["f"]).tolist() == [True, False]
    assert np.isnan(batch["v"]).tolist() == [[True, True], [False, False]]
    assert table.get_batch([0], ["n"])["n"].tolist() == [1]
    with pytest.raises(CellError, match="Row 1, column 'n'") as caught:
        table.get_batch([0, 1], ["n"])
    assert (caught.value.row, caught.value.column) == (1, "n")


def test_arrays_and_tensors_are_stacked_and_images_are_samples(pictures):
    table = Table.from_dict({"a": np.ones((3, 2, 2)), "t": torch.ones(3, 4), "image": pictures})
    batch = table.get_batch([0, 2])
    assert (batch["a"].shape, batch["t"].shape) == ((2, 2, 2), (2, 4))
    assert [image.getpixel((0, 0))[0] for image in batch["image"]] == [0, 2]


# As a dataset


WORKERS = {
    "0": {"num_workers": 0},
    "fork": {"num_workers": 2, "multiprocessing_context": "fork"},
    "spawn": {"num_workers": 2, "multiprocessing_context": "spawn"},
}


@pytest.mark.parametrize("workers", WORKERS.values(), ids=WORKERS)
def test_a_loader_gets_tensors_of_columns(long_table, workers):
    view = long_table.columns_view(["n", "x", "name"])
    loader = DataLoader(view, batch_size=4, collate_fn=tlc.collate_columns, **workers)
    batches = list(loader)
    assert [batch["n"].tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert batches[0]["n"].dtype == torch.int32
    assert torch.equal(batches[1]["x"][0], torch.tensor([8.0, 9.0]))
    assert batches[2]["name"] == ["row 8", "row 9"]


def test_the_batch_sampler_may_stand_in_the_place_of_the_sampler(long_table):
    sampler = BatchSampler(SequentialSampler(range(COUNT)), 5, drop_last=False)
    loader = DataLoader(long_table.columns_view(["n"]), sampler=sampler, batch_size=None)
    assert [batch["n"].tolist() for batch in loader] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def total(batch):
    return batch["n"] + batch["x"].sum(axis=1), batch["name"][0]


def test_a_transform_gets_whole_batches(long_table):
    view = long_table.columns_view(transform=total)
    loader = DataLoader(view, batch_size=2, collate_fn=tlc.collate_columns)
    sums, name = next(iter(loader))
    assert (sums.tolist(), name) == ([1.0, 6.0], "row 0")
    assert view[3][0].tolist() == [16.0]
    assert len(pickle.dumps(view)) < 5000
    assert len(pickle.loads(pickle.dumps(view))) == len(view) == COUNT


def test_without_the_collate_function_a_loader_says_what_is_missing(long_table):
    with pytest.raises(RowIndexTypeError, match=r"collate_fn=tlc\.collate_columns"):
        next(iter(DataLoader(long_table.columns_view(), batch_size=2)))
    with pytest.raises(KeyError):
        long_table.get_batch([0])["m"]


def test_a_view_says_at_once_what_it_cannot_do(long_table):
    with pytest.raises(ColumnNotFoundError):
        long_table.columns_view(["m"])
    with pytest.raises(TypeError, match="transform must be callable"):
        ColumnsView(long_table, transform=3)
    view = long_table.columns_view(["n"])
    assert (view.url, view.source) == (long_table.url, long_table)
    assert "columns=['n']" in repr(view)
