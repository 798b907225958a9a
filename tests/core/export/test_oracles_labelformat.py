"""What tlc writes, labelformat reads as it is meant, and what labelformat writes, tlc does."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from labelformat.formats import (
    COCOInstanceSegmentationInput,
    COCOInstanceSegmentationOutput,
    COCOObjectDetectionInput,
    COCOObjectDetectionOutput,
    PascalVOCObjectDetectionInput,
    PascalVOCObjectDetectionOutput,
    YOLOv8InstanceSegmentationInput,
    YOLOv8InstanceSegmentationOutput,
    YOLOv8ObjectDetectionInput,
    YOLOv8ObjectDetectionOutput,
)
from labelformat.model.bounding_box import BoundingBoxFormat
from tests.core.export.instances import CLASSES, annotated, labels_of, polygons, table_of

import tlc

again = settings(max_examples=10, suppress_health_check=list(HealthCheck))
# labelformat takes the names of VOC's classes as one text with commas.
NAMES = [name.replace(",", "") for name in CLASSES]


def imported(factory, *arguments, **options):
    return factory(*arguments, table_name="imported", if_exists="overwrite", **options)


def renamed(table, column):
    """Return a table whose classes have names without commas."""
    path = "instance_properties" if column == "segmentations" else "instances_additional_data"
    return table.set_value_map(f"{column}.{path}.label", dict(enumerate(NAMES)))


def near(one, other, cell):
    """Whether places are the same, but for ten digits of a fraction, and rounding to 32 bits."""
    limit = max(cell.image_width, cell.image_height) * 3e-7
    return np.allclose(np.reshape(one, -1), np.reshape(other, -1), rtol=0, atol=limit)


def by_name(label_input):
    """Return the labels of images by the names of their files, in order."""
    found = {each.image.filename.rpartition("/")[2]: each for each in label_input.get_labels()}
    return [found[name] for name in sorted(found)]


def check_boxes(label_input, cells, *, all_images=True):
    told = by_name(label_input)
    wanted = [cell for cell in cells if all_images or cell.num_instances]
    assert len(told) == len(wanted)
    for image, cell in zip(told, wanted, strict=True):
        size = (image.image.width, image.image.height)
        assert size == (cell.image_width, cell.image_height)
        assert [each.category.name for each in image.objects] == [
            NAMES[label] for label in labels_of(cell)
        ]
        boxes = [each.box.to_format(BoundingBoxFormat.XYXY) for each in image.objects]
        assert near(boxes, cell.bounding_boxes, cell)


def check_polygons(label_input, cells, *, all_images=True):
    told = by_name(label_input)
    wanted = [cell for cell in cells if all_images or cell.num_instances]
    assert len(told) == len(wanted)
    for image, cell in zip(told, wanted, strict=True):
        assert [each.category.name for each in image.objects] == [
            NAMES[label] for label in labels_of(cell)
        ]
        for each, parts in zip(image.objects, cell.parts_of_instances, strict=True):
            for one, other in zip(each.segmentation.polygons, parts, strict=True):
                assert near(one, other, cell)


def images_of(table, folder):
    """Copy the images of a table into a folder."""
    folder.mkdir(parents=True)
    for row in table.table_rows:
        shutil.copy(row["image"], folder)
    return folder


# What tlc writes


@again
@given(annotated("bbs"))
def test_boxes_of_coco(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    place = renamed(table_of("bbs", cells, folder), "bbs").export(folder / "a.json")
    check_boxes(COCOObjectDetectionInput(str(place)), cells)


@again
@given(annotated("segmentations"))
def test_polygons_of_coco(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    table = renamed(table_of("segmentations", cells, folder), "segmentations")
    place = table.export(folder / "a.json")
    check_polygons(COCOInstanceSegmentationInput(str(place)), cells)


@again
@given(annotated("bbs"))
def test_boxes_of_yolo(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    renamed(table_of("bbs", cells, folder), "bbs").export(folder / "out")
    told = YOLOv8ObjectDetectionInput(folder / "out" / "dataset.yaml", "train")
    check_boxes(told, cells, all_images=False)


@again
@given(annotated("segmentations", lambda size: polygons(size, most_parts=1)))
def test_polygons_of_yolo(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    cells = [cell for cell in cells if cell.num_instances]  # it wants a file for each image
    table = renamed(table_of("segmentations", cells, folder), "segmentations")
    table.export(folder / "out")
    told = YOLOv8InstanceSegmentationInput(folder / "out" / "dataset.yaml", "train")
    check_polygons(told, cells)


@again
@given(annotated("bbs"))
def test_boxes_of_voc(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    renamed(table_of("bbs", cells, folder), "bbs").export(folder / "out", "voc")
    told = PascalVOCObjectDetectionInput(folder / "out" / "Annotations", ",".join(NAMES))
    check_boxes(told, cells)


# What labelformat writes


def same_boxes(table, cells):
    for row, cell in zip(table, cells, strict=True):
        assert labels_of(row["bbs"]) == labels_of(cell)
        assert near(row["bbs"].bounding_boxes, cell.bounding_boxes, cell)


def same_polygons(table, cells):
    for row, cell in zip(table, cells, strict=True):
        assert labels_of(row["segmentations"]) == labels_of(cell)
        back = row["segmentations"].parts_of_instances
        for one, other in zip(back, cell.parts_of_instances, strict=True):
            for found, wanted in zip(one, other, strict=True):
                assert near(found, wanted, cell)


@again
@given(annotated("bbs"))
def test_boxes_that_labelformat_writes(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    table = renamed(table_of("bbs", cells, folder), "bbs")
    told = COCOObjectDetectionInput(str(table.export(folder / "a.json")))
    COCOObjectDetectionOutput(folder / "b.json").save(told)
    same_boxes(imported(tlc.Table.from_coco, folder / "b.json", None), cells)

    images = images_of(table, folder / "yolo" / "images")
    YOLOv8ObjectDetectionOutput(folder / "yolo" / "data.yaml", "train").save(_Flat(told))
    found = imported(tlc.Table.from_yolo, folder / "yolo" / "data.yaml", "train")
    same_boxes(found, cells)

    PascalVOCObjectDetectionOutput(folder / "voc").save(_Flat(told))
    same_boxes(imported(tlc.Table.from_voc, folder / "voc", images, NAMES), cells)


@pytest.mark.parametrize("most_parts", [1, 2])
@again
@given(data=st.data())
def test_polygons_that_labelformat_writes(most_parts, tmp_path_factory, data):
    cells = data.draw(annotated("segmentations", lambda size: polygons(size, most_parts)))
    folder = tmp_path_factory.mktemp("o")
    table = renamed(table_of("segmentations", cells, folder), "segmentations")
    told = COCOInstanceSegmentationInput(str(table.export(folder / "a.json")))
    COCOInstanceSegmentationOutput(folder / "b.json").save(told)
    found = imported(tlc.Table.from_coco, folder / "b.json", None, task="segment")
    same_polygons(found, cells)
    if most_parts > 1:  # of several parts it makes one polygon in a way of its own
        return
    images_of(table, folder / "yolo" / "images")
    YOLOv8InstanceSegmentationOutput(folder / "yolo" / "data.yaml", "train").save(_Flat(told))
    found = imported(tlc.Table.from_yolo, folder / "yolo" / "data.yaml", "train", task="segment")
    for row, cell in zip(found, cells, strict=True):
        assert labels_of(row["segmentations"]) == labels_of(cell)
        for one, other in zip(row["segmentations"].polygons, cell.polygons, strict=True):
            assert near(one[: len(other)], other, cell), "it repeats the first point at the end"


class _Flat:
    """Labels of images whose names are those of the files, without folders."""

    def __init__(self, told):
        self._told = told

    def get_categories(self):
        return self._told.get_categories()

    def get_labels(self):
        for each in self._told.get_labels():
            name = each.image.filename.rpartition("/")[2]
            yield replace(each, image=replace(each.image, filename=name))
