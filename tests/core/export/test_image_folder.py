"""Folders of images, and images in data sets of Hugging Face."""

from __future__ import annotations

import os

import datasets
import numpy as np
import pytest
from PIL import Image

import tlc
from tlc import schemas
from tlc.errors import ColumnNotFoundError, ExportError, UrlExistsError, UrlNotFoundError
from tlc.export import to_hugging_face_dataset
from tlc.url import Url

CLASSES = {2: "cat", 5: "dog", 9: "emu"}


@pytest.fixture
def images(tmp_path):
    places = []
    for number in range(3):
        path = tmp_path / "source" / f"{number}" / ("b.png" if number else "a.png")
        path.parent.mkdir(parents=True)
        Image.new("RGB", (4, 3), (number * 50, 9, 9)).save(path)
        places.append(str(path))
    return places


def make(images, labels=(2, 5, 5), classes=CLASSES):
    found = {"image": schemas.ImageSchema(), "label": schemas.CategoricalLabelSchema(classes)}
    return tlc.Table.from_dict({"image": images, "label": list(labels)}, found, if_exists="rename")


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_folder_for_each_class(images, tmp_path):
    make(images).export(tmp_path / "out")
    assert files(tmp_path / "out") == ["cat/a.png", "dog/b.png", "dog/b_0001.png"]
    assert os.path.isdir(tmp_path / "out/emu"), "or the classes would have other numbers"
    back = tlc.Table.from_image_folder(tmp_path / "out", table_name="back")
    assert back.get_simple_value_map("label") == {0: "cat", 1: "dog", 2: "emu"}
    assert [row["label"] for row in back] == [0, 1, 1]
    pixels = [np.asarray(sample["image"])[0, 0, 0] for sample in back]
    assert pixels == [0, 50, 100]


def test_without_labels_it_is_a_folder_of_images(images, tmp_path):
    table = tlc.Table.from_dict({"photo": images}, {"photo": schemas.ImageSchema()})
    table.export(tmp_path / "out", "image_folder", images="symlink")
    assert files(tmp_path / "out") == ["a.png", "b.png", "b_0001.png"]
    assert os.readlink(tmp_path / "out/a.png") == images[0]
    with pytest.raises(ColumnNotFoundError, match="'labels'"):
        table.export(tmp_path / "new", "image_folder", label_column_name="labels")
    with pytest.raises(ExportError, match=r"'photo' .* does not say which class"):
        table.export(tmp_path / "new", "image_folder", label_column_name="photo")


@pytest.mark.parametrize("name", ["..", "", "a/b", "a\\b", "a\0"])
def test_a_class_never_leads_out_of_the_folder(name, images, tmp_path):
    table = make(images, [2, 2, 2], {2: name or schemas.MapElement()})
    with pytest.raises(ExportError, match="cannot be the name of a folder"):
        table.export(tmp_path / "out", "image_folder")
    assert not (tmp_path / "out").exists()


def test_what_no_folder_can_say_is_an_error(images, tmp_path):
    with pytest.raises(ExportError, match="label 3, which is no class"):
        make(images, [2, 3, 5]).export(tmp_path / "out", "image_folder")
    with pytest.raises(ExportError, match="have one name"):
        make(images, classes={2: "a", 5: "a"}).export(tmp_path / "out", "image_folder")
    with pytest.raises(ExportError, match=r"Row 1 .* has no image"):
        make([images[0], None, images[1]]).export(tmp_path / "out", "image_folder")
    with pytest.raises(ExportError, match="no column of images"):
        tlc.Table.from_dict({"a": [1]}, table_name="x").export(tmp_path / "out", "image_folder")


def test_tables_add_up(images, tmp_path):
    (tmp_path / "out").mkdir()
    make(images[:1], [2]).export(tmp_path / "out")  # an empty one may be there
    make(images[1:2], [2]).export(tmp_path / "out", images="symlink")
    make(images[2:], [9]).export(tmp_path / "out", images="move")
    assert files(tmp_path / "out") == ["cat/a.png", "cat/b.png", "emu/b.png"]
    assert not os.path.exists(images[2])
    assert sorted(os.listdir(tmp_path / "out")) == ["cat", "dog", "emu"], "nothing is left over"


def test_no_image_takes_the_place_of_another(images, tmp_path):
    make(images[:2], [2, 2]).export(tmp_path / "out")
    before = files(tmp_path / "out")
    with pytest.raises(UrlExistsError, match=r"cat/b\.png exists already"):
        make([images[0], images[2]], [5, 2]).export(tmp_path / "out")
    assert files(tmp_path / "out") == before
    assert sorted(os.listdir(tmp_path / "out")) == ["cat", "dog", "emu"]


@pytest.mark.parametrize("classes", [{2: "cat"}, {**CLASSES, 10: "fox"}])
def test_a_folder_of_other_classes_is_left_alone(classes, images, tmp_path):
    """Classes of such a folder are numbered in the order of their names."""
    make(images[:1], [2]).export(tmp_path / "out")
    with pytest.raises(ExportError, match=r"for other classes .* 'cat', 'dog', 'emu', not 'cat'"):
        make(images[1:], [2, 2], classes).export(tmp_path / "out")
    assert files(tmp_path / "out") == ["cat/a.png"]
    photos = tlc.Table.from_dict({"photo": images}, {"photo": schemas.ImageSchema()})
    with pytest.raises(ExportError, match="not none"):
        photos.export(tmp_path / "out", "image_folder")


def test_an_addition_that_fails_leaves_no_trace(images, tmp_path):
    make(images[:1], [2]).export(tmp_path / "out")
    table = make(images[1:], [5, 5])
    os.unlink(images[2])
    with pytest.raises(UrlNotFoundError, match="There is no image"):
        table.export(tmp_path / "out")
    assert files(tmp_path / "out") == ["cat/a.png"]
    assert sorted(os.listdir(tmp_path / "out")) == ["cat", "dog", "emu"]


def test_a_missing_image_leaves_no_trace(images, tmp_path):
    table = make(images)
    os.unlink(images[2])
    with pytest.raises(UrlNotFoundError, match="There is no image"):
        table.export(tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["source", "tlc"]


def test_images_of_other_stores_are_fetched(images, tmp_path):
    place = Url("memory://exporting/images/m.png")
    place.write_bytes(Url(images[1]).read_bytes())
    table = make([images[0], str(place)], [2, 5])
    table.export(tmp_path / "out")
    assert (tmp_path / "out/dog/m.png").read_bytes() == Url(images[1]).read_bytes()
    dataset = to_hugging_face_dataset(table)
    assert np.array_equal(np.asarray(dataset[1]["image"]), np.asarray(table[1]["image"]))


def test_hugging_face_images_and_labels(images, tmp_path):
    table = make(images, [0, 1, 1], ["cat", "dog"])
    dataset = to_hugging_face_dataset(table)
    assert dataset.features["label"].names == ["cat", "dog"]
    assert dataset.with_format("arrow")[0]["image"].to_pylist()[0]["path"] == images[0]
    back = tlc.Table.from_hugging_face_dataset(dataset, table_name="back", add_weight_column=False)
    assert [row["image"] for row in back.table_rows] == images, "by reference"
    place = table.export(tmp_path / "out", "huggingface")
    for path in images:
        os.unlink(path)
    read = datasets.load_from_disk(str(place))
    assert [np.asarray(row["image"])[0, 0, 0] for row in read] == [0, 50, 100]
    assert [row["label"] for row in read] == [0, 1, 1]


def test_labels_with_gaps_stay_numbers_and_unknown_ones_are_an_error(images):
    assert to_hugging_face_dataset(make(images))["label"][:] == [2, 5, 5]
    with pytest.raises(ExportError, match="does not fit its value maps"):
        to_hugging_face_dataset(make(images, [0, 1, 7], ["cat", "dog"]))
