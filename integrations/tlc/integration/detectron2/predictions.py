"""What models of Detectron2 return, as annotations of `tlc`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.data_types import BoundingBoxes2D, Keypoints2D, SegmentationMasks
from tlc.errors import CollectorError, TlcWarning
from tlc.integration.detectron2._package import detectron2
from tlc.integration.detectron2.shapes import KEYPOINT_SHIFT, coco_masks
from tlc.metrics._tensors import to_array

__all__ = ["Found", "as_found", "boxes", "keypoints", "masks"]

Array: TypeAlias = npt.NDArray[Any]

_instances: Any = detectron2("structures").Instances


class Found:
    """What was predicted for one image: N instances.

    Attributes:
        boxes: float32 of shape (N, 4), x1, y1, x2, y2 in pixels of the image as it is stored.
        scores: float32 of shape (N,).
        classes: int64 of shape (N,): numbers as Detectron2 counts classes.
        rles: The mask of each, as `pycocotools` has it; None if there are none.
        points: x, y and score of each point, shape (N, K, 3); None if there are none.
        size: Height and width of the image; None if they are not known.
    """

    def __init__(
        self,
        boxes: Any,
        scores: Any,
        classes: Any,
        *,
        rles: Sequence[Any] | None = None,
        points: Array | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        self.scores = np.asarray(scores, np.float32)
        self.classes = np.asarray(classes, np.int64)
        self.rles = rles
        self.points = points
        self.size = size

    def finite(self) -> Found:
        """Return those whose numbers are finite, with a warning if others were found."""
        kept = np.isfinite(self.boxes).all(axis=1) & np.isfinite(self.scores)
        if self.points is not None:
            kept &= np.isfinite(self.points).all(axis=(1, 2))
        if kept.all():
            return self
        warnings.warn(
            f"{len(kept) - kept.sum()} predictions are not finite, and are left out.",
            TlcWarning,
            stacklevel=2,
        )
        return Found(
            self.boxes[kept],
            self.scores[kept],
            self.classes[kept],
            rles=None if self.rles is None else [self.rles[int(i)] for i in np.flatnonzero(kept)],
            points=None if self.points is None else self.points[kept],
            size=self.size,
        )


def as_found(batch: Any, outputs: Any) -> list[Found]:
    """Return the predictions of each image of a batch.

    Args:
        batch: What the model got: a list with a dictionary for each image.
        outputs: What it returned, a list with ``{"instances": Instances}`` for each image. Or
            results as of COCO, dictionaries of ``category_id``, ``bbox`` as x, y, width and height,
            ``score`` and perhaps ``segmentation`` and ``keypoints``: for each image a list of them,
            or ``{"annotations": [...]}``; or one list of all, with ``image_id``.

    Raises:
        CollectorError: They are none of these.
    """
    if not isinstance(outputs, Sequence) or isinstance(outputs, str):
        raise _unknown(outputs)
    if outputs and all(isinstance(each, Mapping) and "category_id" in each for each in outputs):
        ids = [each["image_id"] for each in batch]
        outputs = [[each for each in outputs if each.get("image_id") == own] for own in ids]
    if not outputs and len(batch):
        outputs = [[] for _ in batch]
    pairs = zip(batch, outputs, strict=True) if len(batch) == len(outputs) else ()
    found = [_of_image(sample, output).finite() for sample, output in pairs]
    if not found:
        raise _unknown(outputs)
    return found


def boxes(found: Found, ids: Array) -> BoundingBoxes2D:
    """Return the boxes; `ids` has the class id of each number of a class."""
    height, width = found.size or (None, None)
    return BoundingBoxes2D(
        found.boxes, ids[found.classes], found.scores, image_width=width, image_height=height
    )


def masks(found: Found, ids: Array) -> SegmentationMasks:
    """Return the masks.

    Raises:
        CollectorError: The model predicts none.
    """
    if found.rles is None or found.size is None:
        raise CollectorError(
            "The model predicts no masks.", hint="leave save_segmentations out, or set MASK_ON."
        )
    height, width = found.size
    properties = {"label": ids[found.classes].tolist(), "confidence": found.scores.tolist()}
    row = {
        "image_height": height,
        "image_width": width,
        "rles": found.rles,
        "instance_properties": properties,
    }
    return SegmentationMasks.from_row(row)


def keypoints(found: Found, ids: Array) -> Keypoints2D:
    """Return the poses, with the score of each point as its confidence."""
    assert found.points is not None
    height, width = found.size or (None, None)
    return Keypoints2D(
        found.points[:, :, :2],
        ids[found.classes],
        found.scores,
        bounding_boxes=found.boxes,
        keypoint_confidences=found.points[:, :, 2],
        image_width=width,
        image_height=height,
    )


def _of_image(sample: Any, output: Any) -> Found:
    if isinstance(output, Mapping) and "instances" in output:
        output = output["instances"]
    if isinstance(output, _instances):
        return _of_instances(output)
    annotations = output.get("annotations") if isinstance(output, Mapping) else output
    if isinstance(annotations, Sequence):
        return _of_results(sample, annotations)
    raise _unknown(output)


def _of_instances(instances: Any) -> Found:
    if instances.pred_boxes.tensor.shape[1] != 4:
        raise CollectorError(
            "Turned boxes cannot be collected.",
            hint="return upright ones from a preprocess_fn.",
        )
    points = None
    if instances.has("pred_keypoints"):
        points = to_array(instances.pred_keypoints).astype(np.float32)
        points[:, :, :2] -= KEYPOINT_SHIFT
    return Found(
        to_array(instances.pred_boxes.tensor),
        to_array(instances.scores),
        to_array(instances.pred_classes),
        rles=_encoded(instances.pred_masks) if instances.has("pred_masks") else None,
        points=points,
        size=tuple(instances.image_size),
    )


def _encoded(masks: Any) -> list[Any]:
    encode = coco_masks().encode
    arrays = to_array(getattr(masks, "tensor", masks)).astype(np.uint8)
    return [encode(np.asfortranarray(mask)) for mask in arrays]


def _of_results(sample: Any, results: Sequence[Mapping[str, Any]]) -> Found:
    corners = np.array([each["bbox"] for each in results], np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    rles = points = size = None
    if "height" in sample and "width" in sample:
        size = (int(sample["height"]), int(sample["width"]))
    if all("segmentation" in each for each in results):
        rles = [each["segmentation"] for each in results]
        size = tuple(rles[0]["size"]) if rles else size
    if results and all("keypoints" in each for each in results):
        points = np.array([each["keypoints"] for each in results], np.float32)
        points = points.reshape(len(results), -1, 3)
    return Found(
        corners,
        [each["score"] for each in results],
        [each["category_id"] for each in results],
        rles=rles,
        points=points,
        size=size,
    )


def _unknown(outputs: Any) -> CollectorError:
    return CollectorError(
        f"Predictions are neither Instances of Detectron2 nor results of COCO for each image, but "
        f"{type(outputs).__name__!r}.",
        hint='return (batch, [{"instances": ...}, ...]) from a preprocess_fn.',
    )
