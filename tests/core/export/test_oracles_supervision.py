"""What tlc writes, supervision reads as it is meant, and what supervision writes, tlc does."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import HealthCheck, given, settings
from tests.core.export.instances import CLASSES, annotated, labels_of, masks, table_of

import tlc

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that it does without OpenCV
    import supervision

again = settings(max_examples=10, suppress_health_check=list(HealthCheck))
DataSet = supervision.DetectionDataset
CORNERS = "xyxyxyxy"


def imported(factory, *arguments, **options):
    return factory(*arguments, table_name="imported", if_exists="overwrite", **options)


def found(data_set):
    """Return what supervision knows of each image, by the names of the files, in order."""
    places = sorted(data_set.annotations, key=lambda place: place.rpartition("/")[2])
    return [data_set.annotations[place] for place in places]


def near(one, other, cell, digits=6):
    """Whether places are the same, but for numbers of 32 bits that are multiplied and added."""
    limit = max(cell.image_width, cell.image_height) * 10.0**-digits
    return np.allclose(np.reshape(one, -1), np.reshape(other, -1), rtol=0, atol=limit)


def check_labels(told, cell, classes):
    labels = [] if told.class_id is None else told.class_id
    assert [classes[label] for label in labels] == [CLASSES[label] for label in labels_of(cell)]


def check_boxes(data_set, cells, shift=(0, 0, 0, 0)):
    told = found(data_set)
    assert len(told) == len(cells)
    for one, cell in zip(told, cells, strict=True):
        check_labels(one, cell, data_set.classes)
        assert near(one.xyxy + np.array(shift), cell.bounding_boxes, cell)


def of_coco(folder, place, **options):
    return DataSet.from_coco(str(folder), str(place), **options)


def of_yolo(place, **options):
    parts = ("images/train", "labels/train", "dataset.yaml")
    return DataSet.from_yolo(*(str(place / part) for part in parts), **options)


def of_voc(place):
    return DataSet.from_pascal_voc(str(place / "JPEGImages"), str(place / "Annotations"))


# What tlc writes


@again
@given(annotated("bbs"))
def test_boxes(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    table = table_of("bbs", cells, folder)
    check_boxes(of_coco(folder, table.export(folder / "a.json")), cells)
    check_boxes(of_yolo(table.export(folder / "yolo")), cells)
    # It takes corners for numbers of pixels, the first of which is 1; tlc takes them for places.
    check_boxes(of_voc(table.export(folder / "voc", "voc")), cells, shift=(1, 1, 0, 0))


@again
@given(annotated("segmentations", masks))
def test_masks_of_coco(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    place = table_of("segmentations", cells, folder).export(folder / "a.json")
    data_set = of_coco(folder, place, force_masks=True)
    for one, cell in zip(found(data_set), cells, strict=True):
        check_labels(one, cell, data_set.classes)
        if cell.num_instances:
            assert np.array_equal(one.mask, np.moveaxis(cell.masks, 2, 0).astype(bool))


@again
@given(annotated("keypoints_2d"))
def test_boxes_of_poses(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    table = table_of("keypoints_2d", cells, folder)
    place = table.export(folder / "a.json")
    for data_set in (of_coco(folder, place), of_yolo(table.export(folder / "yolo"))):
        for one, cell in zip(found(data_set), cells, strict=True):
            check_labels(one, cell, data_set.classes)
            if cell.num_instances:
                assert near(one.xyxy, cell.bounding_boxes, cell)


@again
@given(annotated("obbs"))
def test_corners_of_turned_boxes(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    data_set = of_yolo(table_of("obbs", cells, folder).export(folder / "yolo"), is_obb=True)
    for one, cell in zip(found(data_set), cells, strict=True):
        check_labels(one, cell, data_set.classes)
        if cell.num_instances:
            assert near(one.data[CORNERS], cell.corners, cell)


# What supervision writes


@again
@given(annotated("bbs"))
def test_boxes_that_supervision_writes(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("o")
    table = table_of("bbs", cells, folder)
    images = folder / "images" / "train"
    data_set = of_coco(folder, table.export(folder / "a.json"))
    data_set.as_coco(str(images), str(folder / "b.json"))
    same_boxes(imported(tlc.Table.from_coco, folder / "b.json", images), cells)
    labels, yaml = folder / "labels" / "train", folder / "data.yaml"
    data_set.as_yolo(annotations_directory_path=str(labels), data_yaml_path=str(yaml))
    table = imported(tlc.Table.from_yolo_url, images, dict(enumerate(CLASSES)))
    same_boxes(table, cells, digits=5)  # as many as it writes


def same_boxes(table, cells, digits=6):
    for row, cell in zip(table, cells, strict=True):
        assert labels_of(row["bbs"]) == [label + _first(table) for label in labels_of(cell)]
        assert near(row["bbs"].bounding_boxes, cell.bounding_boxes, cell, digits)


def _first(table):
    """Return the number of the first class: supervision counts those of COCO from 1."""
    return min(table.get_simple_value_map("bbs.instances_additional_data.label"))


@again
@given(annotated("segmentations", masks))
def test_masks_that_supervision_writes(tmp_path_factory, cells):
    """Those of crowds it writes as counts; others as polygons through the centres of pixels."""
    folder = tmp_path_factory.mktemp("o")
    place = table_of("segmentations", cells, folder).export(folder / "a.json")
    data_set = of_coco(folder, place, force_masks=True)
    for each in data_set.annotations.values():
        if len(each):
            each.data["iscrowd"][:] = 1
    data_set.as_coco(str(folder / "images"), str(folder / "b.json"))
    options = {"task": "segment", "segmentation_format": "masks"}
    table = imported(tlc.Table.from_coco, folder / "b.json", folder / "images", **options)
    for row, cell in zip(table, cells, strict=True):
        assert row["segmentations"].num_instances == cell.num_instances
        if cell.num_instances:
            assert np.array_equal(row["segmentations"].masks, cell.masks)
