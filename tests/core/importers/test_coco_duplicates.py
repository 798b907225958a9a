"""Annotations of COCO files that say the same as another of their image."""

from __future__ import annotations

import copy

import pytest
from tests.core.importers.coco_cases import good, write

from tlc.importers import coco_tables, json_stream
from tlc.table import Table

TASKS = ("detect", "segment", "pose")
CROWD = {"size": [48, 64], "counts": [5, 3067]}
# What makes an annotation another one, by task.
OTHERS = {
    "detect": ("bbox", [1.5, 2, 10, 20.5]),
    "segment": ("segmentation", [[1.5, 2, 11.5, 2, 11.5, 22, 1.5, 22.5]]),
    "pose": ("keypoints", [1.5, 2, 2, 5, 6, 1, 0, 0, 1]),
}


def imported(folder, content, task, **arguments):
    file, images = write(folder, content)
    return Table.from_coco(file, images, task=task, if_exists="overwrite", **arguments)


def with_copies(*changes):
    """Return the good file with a copy of its first annotation for each of `changes`."""
    content = good()
    for number, change in enumerate(changes):
        copied = copy.deepcopy(content["annotations"][0])
        content["annotations"].append(copied | {"id": 100 + number} | change)
    return content


@pytest.mark.parametrize("task", TASKS)
def test_the_same_again_is_told_and_kept(tmp_path, task):
    table = imported(tmp_path, with_copies({}, {}), task)
    report = table.import_report
    assert report.counts == {"DUP_ROW": 2}
    assert report.skipped == 0
    assert [problem.record for problem in report.examples["DUP_ROW"]] == [
        "annotations[2] (id 100)",
        "annotations[3] (id 101)",
    ]
    assert "annotations[0] (id 7)" in report.examples["DUP_ROW"][0].message
    assert table[1][table.columns[-2]].num_instances == 3


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("change", ["image_id", "category_id", "shape"])
def test_what_differs_in_one_thing_is_another(tmp_path, task, change):
    name, value = OTHERS[task] if change == "shape" else (change, {"image_id": 20}.get(change, 1))
    table = imported(tmp_path, with_copies({name: value}), task)
    assert table.import_report.counts == {}


def test_masks_as_runs(tmp_path):
    same, other = {"segmentation": CROWD}, {"segmentation": {**CROWD, "counts": [6, 3066]}}
    content = with_copies(same, other, same)
    assert imported(tmp_path, content, "segment").import_report.counts == {"DUP_ROW": 1}


def test_outlines_that_differ_in_a_single_number(tmp_path):
    outline = [float(number % 40) for number in range(40)]
    changes = [{"segmentation": [outline]}]
    for number in range(40):
        other = list(outline)
        other[number] += 0.5
        changes.append({"segmentation": [other]})
    assert imported(tmp_path, with_copies(*changes), "segment").import_report.counts == {}


def test_what_has_no_shape_is_no_duplicate(tmp_path):
    content = with_copies({"segmentation": []}, {"segmentation": []})
    assert imported(tmp_path, content, "segment").import_report.counts == {"NO_MASK": 2}


@pytest.mark.parametrize("task", TASKS)
def test_far_apart_in_a_file_larger_than_memory_should_hold(tmp_path, monkeypatch, task):
    content = good()
    content["annotations"] = [
        {
            **copy.deepcopy(content["annotations"][0]),
            "id": number,
            "image_id": 10 * (1 + number % 3),
            "bbox": [number % 150 / 10, 2, 10, 20],
            "segmentation": [[number % 150 / 10, 2, 10, 20, 10, 30]],
            "keypoints": [number % 150 / 10, 2, 2, 10, 20, 1, 0, 0, 0],
        }
        for number in range(300)
    ]
    monkeypatch.setattr(json_stream, "PIECE", 1000)
    monkeypatch.setattr(coco_tables, "_WHOLE", 5_000)
    monkeypatch.setattr(coco_tables, "_PART", 5_000)
    assert imported(tmp_path, content, task).import_report.counts == {"DUP_ROW": 150}
