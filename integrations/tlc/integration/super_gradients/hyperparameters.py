"""Training parameters of SuperGradients as a run can hold them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

__all__ = ["hyperparameters"]


def hyperparameters(context: Any) -> dict[str, Any]:
    """Return the training parameters, the defaults among them, and the size of batches.

    Objects, such as losses, metrics and callbacks, are named by their class.

    Args:
        context: A ``PhaseContext`` of a training.
    """
    found: dict[str, Any] = context.training_params.to_dict(include_schema=False)
    batch_sampler = getattr(context.train_loader, "batch_sampler", None)
    size = getattr(batch_sampler, "batch_size", None) or context.train_loader.batch_size
    about = {"experiment_name": context.experiment_name, "batch_size": size}
    return {**about, **{str(name): _plain(value) for name, value in found.items()}}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item") and getattr(value, "size", None) == 1:
        return value.item()
    return getattr(value, "__name__", type(value).__name__)
