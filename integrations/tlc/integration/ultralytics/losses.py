"""The loss of each image, from the predictions of a batch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from tlc._optional import loaded
from tlc.errors import OptionError

LOSSES = "loss"


class ImageLoss:
    """Computes the training loss of each image alone.

    Args:
        model: The model that predicts.

    Raises:
        OptionError: It is no PyTorch model.
    """

    def __init__(self, model: Any) -> None:
        if not hasattr(model, "init_criterion"):
            raise OptionError(
                "collect_loss=True needs a PyTorch model, not an exported one.",
                hint="leave it out.",
            )
        given = model.args
        if isinstance(given, dict):  # as in checkpoints; the loss reads attributes
            model.args = SimpleNamespace(**given)
        try:
            self._criterion = model.init_criterion()
        finally:
            model.args = given

    def of(self, raw: Any, batch: Any) -> dict[str, np.ndarray[Any, Any]]:
        """Return ``loss`` and its parts: float32 of shape (images,).

        Args:
            raw: What the model returned for the batch.
            batch: The batch.
        """
        if isinstance(raw, list):  # a model alone returns a tuple, and its loss knows it by that
            raw = tuple(raw)
        found = [self._one(raw, batch, number) for number in range(len(batch["img"]))]
        return {name: np.array([each[name] for each in found], np.float32) for name in found[0]}

    def _one(self, raw: Any, batch: Any, number: int) -> dict[str, float]:
        own = batch["batch_idx"] == number
        part = {
            "img": batch["img"][number : number + 1],
            "batch_idx": batch["batch_idx"][own] * 0,
            "cls": batch["cls"][own],
            "bboxes": batch["bboxes"][own],
        }
        total, items = self._criterion(_image(raw, number), part)
        return {LOSSES: float(total.sum()), **{name: float(each) for name, each in items.items()}}


def _image(raw: Any, number: int) -> Any:
    """Return the predictions of one image, in whatever they are nested."""
    torch = loaded("torch")
    if torch is not None and isinstance(raw, torch.Tensor):
        return raw[number : number + 1]
    if isinstance(raw, dict):
        return {name: _image(each, number) for name, each in raw.items()}
    if isinstance(raw, list | tuple):
        return type(raw)(_image(each, number) for each in raw)
    return raw
