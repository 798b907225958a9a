"""Predictions of validators as annotations, in pixels of the images of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationMasks,
)
from tlc.integration.ultralytics._package import framework
from tlc.integration.ultralytics.masks import enlarged
from tlc.metrics._tensors import to_array

if TYPE_CHECKING:
    from tlc.integration.ultralytics.settings import Settings

_Detection: Any = framework("models.yolo.detect").DetectionValidator


def annotations_of(
    validator: Any, preds: Any, batch: Any, ids: np.ndarray[Any, Any], settings: Settings
) -> list[Any]:
    """Return what a validator predicts for a batch: one annotation for each image.

    Args:
        validator: It scales what it predicts to the size of the images.
        preds: For each image a dictionary of tensors, as ``postprocess`` returns it.
        batch: The batch.
        ids: Id of the class of each index of the model.
        settings: They say which predictions count.
    """
    made = []
    for number, pred in enumerate(preds):
        height, width = map(int, batch["ori_shape"][number])
        place = {
            "imgsz": batch["img"].shape[2:],
            "ori_shape": (height, width),
            "ratio_pad": batch["ratio_pad"][number],
        }
        kept = _most_confident(pred, settings)
        masks = kept.pop("masks", None)
        # Boxes are scaled as the validator does it; of masks it would scale all pixels.
        scale = _Detection.scale_preds if masks is not None else type(validator).scale_preds
        scaled = scale(validator, kept, place)
        parts: dict[str, Any] = {
            name: to_array(value) for name, value in scaled.items() if name in _PARTS
        }
        if masks is not None:
            size = height, width
            parts["masks"] = enlarged(to_array(masks), place["imgsz"], size, place["ratio_pad"])
        made.append(_MAKERS[validator.args.task](parts, ids, width, height))
    return made


_PARTS = ("bboxes", "conf", "cls", "masks", "keypoints")


def _most_confident(pred: Any, settings: Settings) -> dict[str, Any]:
    kept = pred["conf"].argsort(descending=True)[: settings.max_det]
    kept = kept[pred["conf"][kept] >= settings.conf_thres]
    return {name: value[kept] for name, value in pred.items() if name in _PARTS}


def _shared(parts: dict[str, Any], ids: Any, width: int, height: int) -> dict[str, Any]:
    return {
        "labels": ids[parts["cls"].astype(np.int64)],
        "confidences": np.clip(parts["conf"].astype(np.float32), 0, 1),
        "image_width": width,
        "image_height": height,
    }


def _boxes(parts: dict[str, Any], ids: Any, width: int, height: int) -> BoundingBoxes2D:
    boxes = _ordered(parts["bboxes"])
    return BoundingBoxes2D(boxes, **_shared(parts, ids, width, height))


def _masks(parts: dict[str, Any], ids: Any, width: int, height: int) -> SegmentationMasks:
    shared = _shared(parts, ids, width, height)
    row = {
        "image_width": width,
        "image_height": height,
        "rles": parts["masks"],
        "polygons": [[] for _ in parts["masks"]],
        "instance_properties": {
            "label": shared["labels"].tolist(),
            "confidence": shared["confidences"].tolist(),
        },
    }
    return SegmentationMasks.from_row(row)


def _poses(parts: dict[str, Any], ids: Any, width: int, height: int) -> Keypoints2D:
    points = parts["keypoints"].astype(np.float32)
    sure = np.clip(points[..., 2], 0, 1) if points.shape[-1] > 2 else None
    return Keypoints2D(
        points[..., :2],
        keypoint_confidences=sure,
        bounding_boxes=_ordered(parts["bboxes"]),
        **_shared(parts, ids, width, height),
    )


def _turned(parts: dict[str, Any], ids: Any, width: int, height: int) -> OrientedBoundingBoxes2D:
    boxes = parts["bboxes"].astype(np.float32)
    boxes[:, 2:4] = boxes[:, 2:4].clip(0)
    return OrientedBoundingBoxes2D(boxes, **_shared(parts, ids, width, height))


def _ordered(boxes: Any) -> Any:
    """Return boxes with no negative size, as a model that has learned nothing predicts them."""
    boxes = boxes.astype(np.float32)
    return np.concatenate([boxes[:, :2], np.maximum(boxes[:, :2], boxes[:, 2:4])], 1)


_MAKERS: dict[str, Any] = {
    "detect": _boxes,
    "segment": _masks,
    "pose": _poses,
    "obb": _turned,
}
