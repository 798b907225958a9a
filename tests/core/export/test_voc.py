"""Pascal VOC: what is written, and that it is the same when it is imported."""

from __future__ import annotations

import os
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tests.core.export.instances import CLASSES, annotated, labels_of, size_of, table_of

import tlc
from tlc import schemas
from tlc.data_types import BoundingBoxes2D
from tlc.errors import ExportError, OptionError, UrlExistsError, UrlNotFoundError

again = settings(max_examples=15, suppress_health_check=list(HealthCheck))


def imported(place):
    return tlc.Table.from_voc(
        place / "Annotations",
        place / "JPEGImages",
        CLASSES,
        image_set=place / "ImageSets/Main/train.txt",
        table_name="imported",
        if_exists="overwrite",
    )


@again
@given(annotated("bbs"))
def test_what_is_imported_is_what_was_exported(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("v")
    table = table_of("bbs", cells, folder)
    back = imported(table.export(folder / "out", "voc"))
    for cell, row in zip(cells, back, strict=True):
        assert (labels_of(row["bbs"]), size_of(row["bbs"])) == (labels_of(cell), size_of(cell))
        assert np.array_equal(row["bbs"].bounding_boxes, cell.bounding_boxes)


def test_marks_and_names(tmp_path):
    kinds = {
        "pose": schemas.StringSchema(),
        "difficult": schemas.BoolSchema(),
        "occluded": schemas.BoolSchema(),
    }
    cell = BoundingBoxes2D(
        [[1, 2, 3.25, 4], [0, 0, 8, 9]],
        [1, 0],
        image_width=8,
        image_height=9,
        per_instance_extras={
            "pose": ["Left", None],
            "difficult": [True, False],
            "occluded": [None, True],
        },
    )
    schema = BoundingBoxes2D.schema(classes=["a & b", "<c>"], per_instance_schemas=kinds)
    names = ["z z.png", "a.b.png"]
    table = table_of("bbs", [cell] * 2, tmp_path, names=names, schema=schema)
    place = table.export(tmp_path / "out", "voc", split="val")
    assert (place / "ImageSets/Main/val.txt").read() == "z_z\na.b\n"
    root = ElementTree.fromstring((place / "Annotations/z_z.xml").read())
    assert root.findtext("filename") == "z_z.png"
    assert [(each.tag, each.text) for each in root.find("size")][:2] == [
        ("width", "8"),
        ("height", "9"),
    ]
    first, second = root.findall("object")
    told = {each.tag: each.text for each in first if each.tag != "bndbox"}
    assert told == {"name": "<c>", "pose": "Left", "truncated": "0", "difficult": "1"}
    assert [each.text for each in first.find("bndbox")] == ["1", "2", "3.25", "4"]
    assert (second.findtext("name"), second.findtext("occluded")) == ("a & b", "1")
    assert (place / "JPEGImages/a.b.png").read_bytes() == tlc.Url(
        table.table_rows[1]["image"]
    ).read_bytes()


def test_what_cannot_be_written(tmp_path):
    cell = BoundingBoxes2D([[1, 2, 3, 4]], [5], image_width=8, image_height=9)
    table = table_of("bbs", [cell], tmp_path)
    with pytest.raises(ExportError, match="label 5, which is no class"):
        table.export(tmp_path / "out", "voc")
    with pytest.raises(OptionError, match="split"):
        table.export(tmp_path / "out", "voc", split="../x")
    with pytest.raises(OptionError, match="'copy', 'symlink', 'move'"):
        table.export(tmp_path / "out", "voc", images="steal")
    named = BoundingBoxes2D([[1, 2, 3, 4]], [0], image_width=8, image_height=9)
    schema = BoundingBoxes2D.schema(classes=["a\x01"])
    with pytest.raises(ExportError, match="XML"):
        table_of("bbs", [named], tmp_path, schema=schema).export(tmp_path / "out", "voc")
    assert not (tmp_path / "out").exists()


def box(*corners):
    return BoundingBoxes2D([corners], [0], image_width=8, image_height=9)


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def test_splits_add_up(tmp_path):
    """Images of all splits lie in one folder, so those of one name get others."""
    place = tmp_path / "out"
    table_of("bbs", [box(0, 0, 2, 2), box(0, 0, 3, 3)], tmp_path).export(place, "voc")
    other = table_of("bbs", [box(0, 0, 4, 4)], tmp_path)
    other.export(place, "voc", split="val")
    assert files(place) == [
        *("Annotations/000.xml", "Annotations/000_0001.xml", "Annotations/001.xml"),
        *("ImageSets/Main/train.txt", "ImageSets/Main/val.txt"),
        *("JPEGImages/000.png", "JPEGImages/000_0001.png", "JPEGImages/001.png"),
    ]
    for split, corners in (("train", [2, 3]), ("val", [4])):
        back = tlc.Table.from_voc(
            place / "Annotations",
            place / "JPEGImages",
            CLASSES,
            image_set=place / f"ImageSets/Main/{split}.txt",
            table_name=split,
        )
        assert [row["bbs"].bounding_boxes[0, 3] for row in back] == corners
    before = files(place)
    with pytest.raises(UrlExistsError, match=r"val\.txt exists already"):
        other.export(place, "voc", split="val")
    assert files(place) == before


def test_an_addition_that_fails_leaves_no_trace(tmp_path):
    place = tmp_path / "out"
    table_of("bbs", [box(0, 0, 2, 2)], tmp_path).export(place, "voc")
    before = files(place)
    other = table_of("bbs", [box(0, 0, 4, 4)] * 2, tmp_path)
    os.unlink(other.table_rows[1]["image"])
    with pytest.raises(UrlNotFoundError, match="There is no image"):
        other.export(place, "voc", split="val")
    assert files(place) == before
    assert sorted(os.listdir(place)) == ["Annotations", "ImageSets", "JPEGImages"]


def test_a_folder_of_another_kind_is_left_alone(tmp_path):
    (tmp_path / "out" / "else").mkdir(parents=True)
    with pytest.raises(UrlExistsError, match="has no ImageSets/Main"):
        table_of("bbs", [box(0, 0, 2, 2)], tmp_path).export(tmp_path / "out", "voc")
    assert os.listdir(tmp_path / "out") == ["else"]
