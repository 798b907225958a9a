"""YOLO data sets that are exported and imported again are the same, as far as their digits go."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.export.instances import CLASSES, annotated, labels_of, polygons, size_of, table_of

import tlc

again = settings(max_examples=15, suppress_health_check=list(HealthCheck))
TASKS = {"bbs": "detect", "segmentations": "segment", "keypoints_2d": "pose", "obbs": "obb"}


def imported(place, kind):
    back = tlc.Table.from_yolo(
        place / "dataset.yaml",
        "train",
        task=TASKS[kind],
        table_name="imported",
        if_exists="overwrite",
        add_weight_column=False,
    )
    assert back.import_report.skipped == 0
    path = "instance_properties" if kind == "segmentations" else "instances_additional_data"
    assert back.get_simple_value_map(f"{kind}.{path}.label") == dict(enumerate(CLASSES))
    return [row[kind] for row in back]


def exported(kind, cells, folder):
    table = table_of(kind, cells, folder)
    place = table.export(folder / f"out-{table.name}")
    return imported(place, kind)


def near(one, other, size):
    """Whether places are the same, but for ten digits of a fraction, and rounding to 32 bits."""
    limit = max(size) * 3e-7
    return np.allclose(one, other, rtol=0, atol=limit)


@again
@given(annotated("bbs"))
def test_boxes(tmp_path_factory, cells):
    for cell, back in zip(cells, exported("bbs", cells, tmp_path_factory.mktemp("y")), strict=True):
        assert size_of(back) == size_of(cell)
        assert labels_of(back) == labels_of(cell)
        assert near(back.bounding_boxes, cell.bounding_boxes, size_of(cell))


@again
@given(annotated("segmentations", lambda size: polygons(size, most_parts=1)))
def test_polygons(tmp_path_factory, cells):
    found = exported("segmentations", cells, tmp_path_factory.mktemp("y"))
    for cell, back in zip(cells, found, strict=True):
        assert labels_of(back) == labels_of(cell)
        assert back.num_instances == cell.num_instances
        for one, other in zip(back.polygons, cell.polygons, strict=True):
            assert len(one) == len(other)
            assert near(one, other, size_of(cell))


@again
@given(annotated("keypoints_2d"))
def test_poses(tmp_path_factory, cells):
    found = exported("keypoints_2d", cells, tmp_path_factory.mktemp("y"))
    for cell, back in zip(cells, found, strict=True):
        assert labels_of(back) == labels_of(cell)
        assert back.num_instances == cell.num_instances
        if not cell.num_instances:
            continue
        assert near(back.keypoints, cell.keypoints, size_of(cell))
        assert near(back.bounding_boxes, cell.bounding_boxes, size_of(cell))
        assert np.array_equal(back.keypoint_visibilities, cell.keypoint_visibilities)


@again
@given(annotated("obbs"))
def test_turned_boxes(tmp_path_factory, cells):
    """A turned box has several names, so the corners are compared."""
    found = exported("obbs", cells, tmp_path_factory.mktemp("y"))
    for cell, back in zip(cells, found, strict=True):
        assert labels_of(back) == labels_of(cell)
        for one, other in zip(back.corners, cell.corners, strict=True):
            distances = np.linalg.norm(one[:, None] - other[None], axis=2)
            limit = max(size_of(cell)) * 1e-5
            assert distances.min(axis=0).max() < limit
            assert distances.min(axis=1).max() < limit


@pytest.mark.parametrize("kind", TASKS)
@settings(again, max_examples=5)
@given(data=st.data())
def test_a_second_round_changes_nothing(kind, tmp_path_factory, data):
    make = (lambda size: polygons(size, most_parts=1)) if kind == "segmentations" else None
    cells = data.draw(annotated(kind, make))
    folder = tmp_path_factory.mktemp("y")
    table = table_of(kind, cells, folder)
    texts = []
    for number in range(2):
        place = folder / f"{number}"
        table.export(place)
        files = sorted((place / "labels" / "train").iterdir())
        texts.append({file.name: file.read_text() for file in files})
        table = tlc.Table.from_yolo(
            place / "dataset.yaml",
            "train",
            task=TASKS[kind],
            table_name="again",
            if_exists="overwrite",
            add_weight_column=False,
        )
    assert texts[0].keys() == texts[1].keys()
    for name, first in texts[0].items():
        one, other = (np.array(text.split(), float) for text in (first, texts[1][name]))
        if kind != "obbs":
            assert np.allclose(one, other, rtol=0, atol=1e-6)
        else:
            assert len(one) == len(other)
