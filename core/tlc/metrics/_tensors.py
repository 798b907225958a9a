"""What the layer needs to know of tensors, without importing torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from tlc._optional import loaded

if TYPE_CHECKING:
    import torch

__all__ = ["is_module", "is_tensor", "moved", "plain", "to_array"]


def is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    """Return whether `value` is a torch tensor."""
    torch = loaded("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_module(value: object) -> TypeGuard[torch.nn.Module]:
    """Return whether `value` is a torch module."""
    torch = loaded("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def to_array(value: Any) -> np.ndarray[Any, Any]:
    """Return a tensor, or anything NumPy understands, as an array of its own memory on the CPU.

    The array never shares memory with `value`, which the caller may fill again for the next batch.
    Half precision becomes float32: bfloat16 has no NumPy type, and few readers of Parquet know
    float16.
    """
    if type(value) is not np.ndarray and is_tensor(value):
        tensor = value.detach()
        half = tensor.is_floating_point() and tensor.element_size() == 2
        tensor = tensor.float() if half else tensor
        array = np.asarray(tensor.cpu().numpy())
        return array.copy() if tensor.device.type == "cpu" and not half else array
    array = np.array(value)
    return array.astype(np.float32) if array.dtype.char == "e" else array


def plain(value: Any) -> Any:
    """Return a tensor as an array, and a tensor or an array without dimensions as a number."""
    if not (is_tensor(value) or isinstance(value, np.ndarray)):
        return value
    array = to_array(value)
    return array if array.ndim else array.item()


def moved(value: Any, device: object) -> Any:
    """Return `value` with every tensor in its dicts, lists and tuples on `device`."""
    if is_tensor(value):
        return value.to(device, non_blocking=True)  # type: ignore[call-overload]
    if isinstance(value, Mapping):
        return {key: moved(item, device) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(moved(item, device) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(moved(item, device) for item in value)
    return value
