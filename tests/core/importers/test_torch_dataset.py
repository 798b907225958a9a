from __future__ import annotations

import os
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Subset, TensorDataset

from tlc import schemas
from tlc.errors import CellError, ColumnError, SchemaError
from tlc.table import Table


class Samples:
    """A map-style dataset of given samples."""

    def __init__(self, *samples):
        self.samples_given = samples

    def __len__(self):
        return len(self.samples_given)

    def __getitem__(self, index):
        return self.samples_given[index]


class Folder:
    """What torchvision's DatasetFolder is: paths with labels, a loader, perhaps a transform."""

    def __init__(self, root, loader=None, transform=None):
        self.samples = [(str(path), number) for number, path in enumerate(sorted(root.iterdir()))]
        self.loader = loader or (lambda path: Image.open(path).convert("RGB"))
        self.transform = transform

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        path, label = self.samples[index]
        image = self.loader(path)
        return (self.transform(image) if self.transform else image), label


@pytest.fixture
def pictures(tmp_path):
    root = tmp_path / "pictures"
    root.mkdir()
    for number in range(3):
        Image.new("RGB", (2, 2), (number, 0, 0)).save(root / f"{number}.png")
    return root


SCHEMA = {"Image": schemas.ImageSchema(), "Label": schemas.CategoricalLabelSchema(["a", "b", "c"])}


def test_the_keys_of_the_schema_name_the_parts_of_a_tuple():
    dataset = Samples((Image.new("L", (2, 2), 9), 1), (Image.new("L", (2, 2)), 0))
    table = Table.from_torch_dataset(dataset, schema=SCHEMA)
    assert table.columns == ["Image", "Label", "weight"]
    assert table[0].keys() == {"Image", "Label"}
    assert (table[0]["Image"].getpixel((0, 0)), table[0]["Label"]) == (9, 1)
    assert table.table_rows[0]["Image"].endswith(".png")
    assert table.get_simple_value_map("Label") == {0: "a", 1: "b", 2: "c"}


def test_without_a_schema_parts_are_numbered():
    table = Table.from_torch_dataset(TensorDataset(torch.arange(4).reshape(2, 2), torch.arange(2)))
    assert table.columns == ["column_0", "column_1", "weight"]
    assert torch.equal(table[1]["column_0"], torch.tensor([2, 3]))


def test_samples_that_are_dicts_keep_their_keys():
    table = Table.from_torch_dataset(Samples({"a": 1, "b": "x"}, {"b": "y", "a": 2}))
    assert list(table) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_samples_that_are_single_values_make_one_column():
    assert list(Table.from_torch_dataset(Samples(1, 2))) == [{"column_0": 1}, {"column_0": 2}]


def test_a_long_dataset_is_read_whole_and_in_order():
    table = Table.from_torch_dataset(Samples(*((n, n / 2) for n in range(200))))
    assert [tuple(sample.values()) for sample in table] == [(n, n / 2) for n in range(200)]


def test_an_empty_dataset_makes_an_empty_table():
    table = Table.from_torch_dataset(Samples(), schema=SCHEMA)
    assert (len(table), set(table.columns)) == (0, {"Image", "Label", "weight"})


@pytest.mark.parametrize("rows", [[0, 1, 2], [2, 0]])
def test_files_of_a_dataset_folder_are_referenced(pictures, tmp_path, rows):
    table = Table.from_torch_dataset(Subset(Folder(pictures), rows), schema=SCHEMA)
    assert [row["Image"] for row in table.table_rows] == [str(pictures / f"{n}.png") for n in rows]
    assert [row["Label"] for row in table.table_rows] == rows
    assert not list((tmp_path / "tlc").rglob("*.png"))


def test_the_dataset_is_left_as_it_was(pictures):
    dataset = Folder(pictures)
    loader = dataset.loader
    Table.from_torch_dataset(dataset)
    assert dataset.loader is loader


def test_images_that_the_dataset_transforms_are_written(pictures):
    dataset = Folder(pictures, transform=lambda image: image.resize((5, 5)))
    table = Table.from_torch_dataset(dataset, schema=SCHEMA)
    assert "/bulk_data/" in table.table_rows[0]["Image"]
    assert table[0]["Image"].size == (5, 5)


def test_a_transform_sees_what_the_loader_of_the_dataset_makes(pictures):
    Image.new("L", (2, 2)).save(pictures / "grey.png")
    seen = []
    Table.from_torch_dataset(Folder(pictures, transform=lambda image: seen.append(image.mode) or 0))
    assert set(seen) == {"RGB"}


def test_a_dataset_folder_may_load_something_else_than_images(tmp_path):
    root = tmp_path / "arrays"
    root.mkdir()
    np.save(root / "a.npy", np.arange(3))
    table = Table.from_torch_dataset(Folder(root, loader=np.load))
    assert table[0]["column_0"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("samples", "schema", "error", "words"),
    [
        ([(1, 2)], {"a": schemas.Int32Schema()}, ColumnError, "Sample 0 .* 2 values"),
        ([(1, 2), (1, 2, 3)], None, ColumnError, "Sample 1|other keys"),
        ([{"a": 1}, {"a": 1, "b": 2}], None, ColumnError, "Sample 1.*'b'"),
        ([{"a": 1, "b": 2}, {"a": 1}], None, ColumnError, "Sample 1.*'b'"),
        ([{"a": 1}], {"b": schemas.Int32Schema()}, ColumnError, "'b'"),
        ([(1,), ("x",)], {"a": schemas.Int32Schema()}, CellError, "Row 1, column 'a'"),
        ([(1,), ("x",)], None, SchemaError, "Row 1"),
    ],
)
def test_samples_that_do_not_belong_together_are_refused(samples, schema, error, words):
    with pytest.raises(error, match=words):
        Table.from_torch_dataset(Samples(*samples), schema=schema)


def test_reuse_tells_halves_of_a_dataset_apart():
    data = TensorDataset(torch.randn(20, 3), torch.arange(20))
    first, second = (Table.from_torch_dataset(Subset(data, range(n, n + 10))) for n in (0, 10))
    assert first != second
    assert [sample["column_1"] for sample in second] == list(range(10, 20))
    assert Table.from_torch_dataset(Subset(data, range(10))) == first


def test_reuse_overlooks_what_a_transform_makes_anew(recwarn):
    samples = [(Image.effect_noise((4, 4), 9), np.zeros(2), n) for n in range(3)]
    table = Table.from_torch_dataset(Samples(*samples), table_name="t")
    samples = [(Image.effect_noise((4, 4), 9), np.ones(2), n) for n in range(3)]
    assert Table.from_torch_dataset(Samples(*samples), table_name="t") == table
    assert not recwarn.list


def test_written_images_are_named_by_their_row(tmp_path):
    images = [Image.new("L", (1, 1), number) for number in range(3)]
    table = Table.from_torch_dataset(Samples(*((image,) for image in images)))
    names = [os.path.basename(row["column_0"]) for row in table.table_rows]
    assert [re.sub(r".*-(\d{7})\b.*", r"\1", name) for name in names] == [
        f"{number:07d}" for number in range(3)
    ]


def test_arrays_of_one_shape_or_of_any():
    samples = [(np.zeros((2, 3), np.float32),), (np.ones((4, 3), np.float32),)]
    free = Table.from_torch_dataset(Samples(*samples), table_name="free")
    assert [sample["column_0"].shape for sample in free] == [(2, 3), (4, 3)]
    with pytest.raises(CellError, match="Row 1, column 'column_0'"):
        Table.from_torch_dataset(
            Samples(*samples), table_name="fixed", all_arrays_are_fixed_size=True
        )
    same = Table.from_torch_dataset(Samples(samples[0]), all_arrays_are_fixed_size=True)
    assert same.rows_schema["column_0"].shape == (2, 3)
