"""Where a model's output keeps its scores, and a batch its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tlc.errors import CollectorError
from tlc.metrics._inputs import LABEL_NAMES
from tlc.metrics._tensors import is_tensor
from tlc.metrics.predictor import PredictorOutput

__all__ = ["forward_of", "labels_of", "scores_of"]


def forward_of(predictor_output: Any, collector: str) -> Any:
    """Return what the model returned; predictions from a `preprocess_fn` are returned as they are.

    Raises:
        CollectorError: There is none.
    """
    if predictor_output is None:
        raise CollectorError(
            f"{collector} needs predictions, but there is no model.",
            hint="pass predictor=model.",
        )
    if isinstance(predictor_output, PredictorOutput):
        return predictor_output.forward
    return predictor_output


def scores_of(forward: Any) -> Any:
    """Return the scores in a model's output.

    That is the output's ``logits``, attribute or key, or its ``out``, as torchvision's segmentation
    models call it; of a tuple or list, the first element; else the output itself.
    """
    if is_tensor(forward):
        return forward
    if (logits := getattr(forward, "logits", None)) is not None:
        return logits
    if isinstance(forward, Mapping):
        return next((forward[key] for key in ("logits", "out") if key in forward), forward)
    if isinstance(forward, (tuple, list)) and forward:
        return scores_of(forward[0])
    return forward


def labels_of(batch: Any, names: tuple[str, ...] = LABEL_NAMES) -> Any | None:
    """Return the labels in a batch, or None.

    That is the first entry of a dict called by one of `names`; the second element of a tuple or
    list; the batch itself, if it is a tensor with one integer per sample.
    """
    if isinstance(batch, Mapping):
        return next((batch[name] for name in names if name in batch), None)
    if isinstance(batch, (tuple, list)):
        return batch[1] if len(batch) > 1 else None
    if is_tensor(batch) and batch.ndim == 1 and not batch.is_floating_point():
        return batch
    return None
