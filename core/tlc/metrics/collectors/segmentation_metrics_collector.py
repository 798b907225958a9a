"""Metrics of models that give every pixel a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc._optional import require
from tlc.constants import PREDICTED_MASK
from tlc.errors import CollectorError
from tlc.metrics._inputs import LABEL_NAMES
from tlc.metrics._tensors import is_tensor
from tlc.metrics.collectors._predictions import forward_of, labels_of, scores_of
from tlc.metrics.collectors.metrics_collector_base import MetricsCollector, PreprocessFn
from tlc.metrics.semantic_segmentation import semantic_segmentation_metrics
from tlc.schemas import Float32Schema, IoUSchema, SemanticSegmentationSchema

if TYPE_CHECKING:
    from PIL import Image

    from tlc.schemas import Schema

__all__ = ["SegmentationMetricsCollector"]

Map = np.ndarray[Any, Any]

IOU_PER_CLASS = "iou_per_class"
MEAN_IOU = "mean_iou"
MASK_NAMES = ("mask", "masks", "segmentation", "segmentation_mask", "sem_seg", *LABEL_NAMES)


class SegmentationMetricsCollector(MetricsCollector):
    """Predicted label maps and, where the batch has true ones, how well they match.

    ================ ============ ==============================================================
    column           type         value
    ================ ============ ==============================================================
    `predicted_mask` image        predicted class id of each pixel, 8 or 16 bits
    `mean_iou`       float32      mean of the next column without its NaN; NaN if nothing is left
    `iou_per_class`  float32 list one for each of `label_map`, in its order; NaN if in neither map
    ================ ============ ==============================================================

    *Predictions* are a list of maps (H, W), a tensor of maps (B, H, W), or logits (B, C, H, W),
    whose largest channel is taken; a single channel is one logit of class 1 against class 0. They
    may be in the model's output as its ``logits``, its ``["out"]`` or its first element.

    *Labels* are integer maps in the entry of the batch called ``mask``, ``label``, ``labels`` ...,
    or in its second element. Where sizes differ, logits are resized bilinearly to the size of the
    labels, but maps stay as they are, and the labels are resized to theirs by nearest neighbour.
    Pixels whose label is not in `label_map`, such as 255, do not count. See
    `semantic_segmentation_metrics`.

    Args:
        label_map: Class id to name or `MapElement`.
        preprocess_fn: Returns the batch and the predictions to use; see `MetricsCollector`.
        compute_aggregates: Whether to average `mean_iou` over the samples of a collection.
    """

    def __init__(
        self,
        *,
        label_map: Mapping[int, Any],
        preprocess_fn: PreprocessFn | None = None,
        compute_aggregates: bool = True,
    ) -> None:
        super().__init__(preprocess_fn=preprocess_fn, compute_aggregates=compute_aggregates)
        self.label_map = dict(label_map)

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """Schemas of all columns, also of those that only batches with labels have."""
        return {
            PREDICTED_MASK: SemanticSegmentationSchema(classes=self.label_map, writable=False),
            MEAN_IOU: IoUSchema(writable=False),
            IOU_PER_CLASS: Float32Schema(shape=(len(self.label_map),), writable=False),
        }

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return the masks as images and, with labels, the IoUs as floats.

        Raises:
            CollectorError: The predictions are no label maps, or their number is not that of the
                labels.
        """
        true = self._label_maps(batch)
        predicted = self._predicted_maps(forward_of(predictor_output, self.name), true)
        columns: dict[str, Any] = {PREDICTED_MASK: [_image(m) for m in predicted]}
        if true is None:
            return columns
        if len(true) != len(predicted):
            raise CollectorError(
                f"{self.name} got {len(predicted)} predicted maps, but {len(true)} label maps."
            )
        scores = [
            semantic_segmentation_metrics(p, _resized(t, p.shape), self.label_map)
            for p, t in zip(predicted, true, strict=True)
        ]
        columns[MEAN_IOU] = np.array([s["mean_iou"] for s in scores], dtype=np.float32)
        columns[IOU_PER_CLASS] = np.array([s["per_class_iou"] for s in scores], dtype=np.float32)
        return columns

    def _predicted_maps(self, forward: Any, true: list[Map] | None) -> list[Map]:
        scores = forward if _is_maps(forward) else scores_of(forward)
        if is_tensor(scores) and scores.ndim == 4:
            functional = require("torch.nn.functional", extra="torch", purpose="to resize logits")
            logits = scores.detach().float()
            sizes = {m.shape for m in true or ()}
            if len(sizes) == 1 and (size := sizes.pop()) != tuple(logits.shape[2:]):
                logits = functional.interpolate(logits, size=size, mode="bilinear")
            scores = logits.argmax(dim=1) if logits.shape[1] > 1 else logits[:, 0] > 0
        maps = _as_maps(scores)
        if maps is None:
            raise CollectorError(
                f"{self.name} found no label maps in predictions of type"
                f" {type(forward).__name__!r}.",
                hint="return (batch, list of (H, W) tensors) from a preprocess_fn.",
            )
        return maps

    def _label_maps(self, batch: Any) -> list[Map] | None:
        if not isinstance(batch, Mapping):
            return _as_maps(labels_of(batch), integers=True)
        found = (_as_maps(batch[name], integers=True) for name in MASK_NAMES if name in batch)
        return next((maps for maps in found if maps is not None), None)


def _is_maps(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(np.ndim(v) == 2 for v in value)


def _as_maps(values: Any, *, integers: bool = False) -> list[Map] | None:
    """Return a list or a batch of label maps (H, W) as a list; None if the values are not that."""
    if not is_tensor(values) and not isinstance(values, (np.ndarray, list, tuple)):
        return None
    if is_tensor(values):
        values = values.detach().cpu().numpy()
    maps = [v.detach().cpu().numpy() if is_tensor(v) else np.asarray(v) for v in values]
    maps = [m[0] if m.ndim == 3 and len(m) == 1 else m for m in maps]
    fits = all(m.ndim == 2 and (m.dtype.kind in "biu" or not integers) for m in maps)
    return maps if maps and fits else None


def _resized(label_map: Map, size: tuple[int, ...]) -> Map:
    """Return the map at another size, each pixel from the place where its centre falls."""
    if label_map.shape == size:
        return label_map
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.int64)
        for new, old in zip(size, label_map.shape, strict=True)
    )
    resized: Map = label_map[rows[:, None], columns]
    return resized


def _image(label_map: Map) -> Image.Image:
    from PIL import Image

    largest = int(label_map.max(initial=0))
    if label_map.min(initial=0) < 0 or largest > np.iinfo(np.uint16).max:
        raise CollectorError(
            f"A predicted map holds ids from {int(label_map.min())} to {largest}.",
            hint=f"an image can hold 0 to {np.iinfo(np.uint16).max}.",
        )
    depth = np.uint8 if largest <= np.iinfo(np.uint8).max else np.uint16
    return Image.fromarray(label_map.astype(depth))
