"""Each task of Ultralytics on tables: labels, training, and predictions as it has them itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.integrations.ultralytics_data import IDS, QUICK, SIZES, task_table, tiny
from ultralytics.cfg import get_cfg
from ultralytics.data.dataset import YOLODataset

import tlc
from tlc.integration.ultralytics import YOLO, Settings
from tlc.integration.ultralytics.split import Split

TASKS = ["detect", "segment", "pose", "obb"]
PREDICTED = {
    "detect": "bbs_predicted",
    "segment": "segmentations_predicted",
    "pose": "keypoints_predicted",
    "obb": "obbs_predicted",
    "classify": "predicted",
}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("task", TASKS)
def test_labels_are_those_that_the_framework_reads_from_files(task, tmp_path):
    table = task_table(tmp_path, task)
    ours = Split("train", table, task, Settings()).labels
    for file in (tmp_path / "labels").iterdir():  # the framework has indices, not ids
        number, *rest = file.read_text().split()
        file.write_text(" ".join([str(IDS.index(int(number))), *rest]))
    data = {"names": {0: "a", 1: "b"}, "nc": 2, "kpt_shape": [2, 3], "channels": 3}
    folder = str(tmp_path / "images")
    theirs = YOLODataset(
        folder, data=data, task=task, imgsz=64, hyp=get_cfg(), augment=False
    ).labels
    assert [each["example_id"] for each in ours] == list(range(len(SIZES)))
    for one, other in zip(ours, theirs, strict=True):
        assert one["im_file"] == other["im_file"]
        assert one["shape"] == other["shape"]
        np.testing.assert_array_equal(one["cls"], other["cls"])
        np.testing.assert_allclose(one["bboxes"], other["bboxes"], atol=1e-5)
        for mine, its in zip(one["segments"], other["segments"], strict=task != "detect"):
            np.testing.assert_allclose(in_order(mine), in_order(its), atol=1e-5)
        if task == "pose":
            np.testing.assert_allclose(one["keypoints"], other["keypoints"], atol=1e-5)


@pytest.mark.parametrize("task", [*TASKS, "classify"])
def test_each_task_is_trained_and_collected_with_embeddings(task, tmp_path):
    table = task_table(tmp_path / "data", task)
    settings = Settings(
        conf_thres=0.0,
        image_embeddings_dim=2,
        image_embeddings_reducer=None,
        collect_loss=task == "detect",
    )
    model = YOLO(tiny(tmp_path, task))
    arguments = {**QUICK, "project": str(tmp_path / "runs")}
    found = model.train(tables={"train": table, "val": table}, settings=settings, **arguments)
    run = tlc.Run.from_url(found.run_url)
    assert run.status_name == "completed"
    assert [each.metrics_info.split for each in run.metrics_tables] == ["val", "train"]
    for metrics in run.metrics_tables:
        rows = metrics.table_rows
        assert [row["example_id"] for row in rows] == list(range(len(SIZES)))
        assert PREDICTED[task] in metrics.columns
        length = 1280 if task == "classify" else 8
        assert {len(row["embeddings"]) for row in rows} == {length}
        assert len({tuple(row["embeddings"]) for row in rows}) == len(SIZES)
        if task in ("detect", "classify"):
            assert all(row["loss"] > 0 for row in rows)
        if task == "classify":
            assert {row["predicted"] for row in rows} <= set(IDS)
        else:
            assert {row["true_positives"] + row["false_negatives"] for row in rows} == {1}
    assert not list((tmp_path / "data").rglob("*.cache"))


@pytest.mark.parametrize("task", TASKS)
def test_predictions_are_in_the_pixels_of_the_image_as_the_framework_writes_them(task, tmp_path):
    """The framework writes them to text files, as fractions of the image."""
    torch.manual_seed(1)
    table = task_table(tmp_path / "data", task)
    model = YOLO(tiny(tmp_path, task))
    model.model.names = {0: "a", 1: "b"}
    for each in model.model.parameters():  # so that boxes and masks differ
        each.data.add_(torch.randn_like(each) * 0.1)
    found = model.val(
        table=table,
        settings=Settings(conf_thres=0.0, max_det=20),
        save_txt=True,
        save_conf=True,
        conf=1e-6,
        max_det=20,
        imgsz=64,
        batch=2,
        plots=False,
        project=str(tmp_path / "runs"),
        device="cpu",
    )
    (metrics,) = tlc.Run.from_url(found.run_url).metrics_tables
    cells = metrics.get_batch(range(len(SIZES)), [PREDICTED[task]])[PREDICTED[task]]
    count = 0
    for row, (size, cell) in enumerate(zip(SIZES, cells, strict=True)):
        file = found.save_dir / "labels" / f"{row}.txt"
        lines = file.read_text().splitlines() if file.exists() else []
        written = [[float(each) for each in line.split()] for line in lines]
        written = sorted(written, key=lambda each: -each[-1])
        if task != "segment":
            assert [IDS[int(each[0])] for each in written] == cell.labels.tolist()
            np.testing.assert_allclose(cell.confidences, [w[-1] for w in written], atol=1e-5)
        if written:
            count += CHECKS[task](cell, written, np.array(size))
    assert count > len(SIZES)


def check_boxes(cell, written, size):
    boxes = np.array(written)[:, 1:5].reshape(-1, 2, 2) * size
    corners = np.concatenate([boxes[:, 0] - boxes[:, 1] / 2, boxes[:, 0] + boxes[:, 1] / 2], 1)
    np.testing.assert_allclose(cell.bounding_boxes, corners, atol=1e-2)
    return len(written)


def check_poses(cell, written, size):
    points = np.array(written)[:, 5:-1].reshape(-1, 2, 3)
    np.testing.assert_allclose(cell.keypoints, points[..., :2] * size, atol=1e-2)
    np.testing.assert_allclose(cell.keypoint_confidences, points[..., 2], atol=1e-5)
    return check_boxes(cell, written, size)


def check_turned_boxes(cell, written, size):
    corners = np.array(written)[:, 1:-1].reshape(-1, 4, 2) * size
    for mine, its in zip(cell.corners, corners, strict=True):
        distances = np.linalg.norm(mine[:, None] - its[None], axis=-1)  # they start with any
        assert distances.min(1).max() < 1e-2
    return len(written)


def check_masks(cell, written, size):
    """Compare masks with the outlines of those that have pixels, at their confidence.

    The framework keeps only pixels that are wholly inside when it enlarges them, so its outlines
    may be narrower by up to a pixel and a half.
    """
    checked = 0
    outlines = {each[-1]: np.array(each[1:-1]).reshape(-1, 2) for each in written}
    for number, confidence in enumerate(cell.confidences.tolist()):
        mask, outline = cell.masks[..., number], outlines.get(float(f"{confidence:.6g}"))
        if outline is None or not mask.any():
            continue
        rows, columns = np.nonzero(mask)
        low, high = outline.min(0) * size, outline.max(0) * size
        np.testing.assert_allclose([columns.min(), rows.min()], low, atol=1.5)
        np.testing.assert_allclose([columns.max(), rows.max()], high, atol=1.5)
        checked += 1
    return checked


CHECKS = {
    "detect": check_boxes,
    "segment": check_masks,
    "pose": check_poses,
    "obb": check_turned_boxes,
}


def in_order(points):
    """Return corners in an order of their own, as who writes them starts with any."""
    return np.array(sorted(np.asarray(points, np.float64).round(3).tolist()))
