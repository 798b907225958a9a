"""Recognise values of libraries without importing them."""

from __future__ import annotations

from typing import Any

from tlc._optional import loaded


def is_image(value: Any) -> bool:
    """Return whether `value` is a PIL image."""
    module = loaded("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def is_file_image(value: Any) -> bool:
    """Return whether `value` is a PIL image as opened from a file, not one computed from others."""
    module = loaded("PIL.ImageFile")
    return module is not None and isinstance(value, module.ImageFile)


def is_array(value: Any) -> bool:
    """Return whether `value` is a NumPy array."""
    module = loaded("numpy")
    return module is not None and isinstance(value, module.ndarray)


def is_scalar(value: Any) -> bool:
    """Return whether `value` is a NumPy scalar."""
    module = loaded("numpy")
    return module is not None and isinstance(value, module.generic)


def is_tensor(value: Any) -> bool:
    """Return whether `value` is a torch tensor."""
    module = loaded("torch")
    return module is not None and isinstance(value, module.Tensor)


def is_annotation(value: Any) -> bool:
    """Return whether `value` is of one of the classes of `tlc.data_types`."""
    module = loaded("tlc.data_types.base")
    return module is not None and isinstance(value, module.Annotation)
