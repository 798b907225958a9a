"""What is known of instances besides their shapes: classes, scores, flags and images."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.data_types.arrays import to_numpy
from tlc.errors import MetricsError

__all__ = ["Bools", "Floats", "GroundTruth", "Ints", "Predictions", "flags", "numbers"]

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]


class Predictions:
    """Predicted instances of many images, one after the other.

    Args:
        scores: Confidence of each, shape (N,); higher ones are matched first, NaN last.
        labels: Class of each, integers of shape (N,).
        offsets: Where those of each image start, and the end of the last: shape (images + 1,).
        areas: Area of each in square pixels, shape (N,); needed only for a range of areas.

    Attributes:
        scores: float64 of shape (N,).
        labels: int64 of shape (N,).
        offsets: int64 of shape (images + 1,).
        areas: float64 of shape (N,), or None.

    Raises:
        MetricsError: Something has not one number per instance, or the offsets do not ascend from 0
            to the number of instances.
    """

    __slots__ = ("areas", "labels", "offsets", "scores")

    def __init__(self, scores: Any, labels: Any, offsets: Any, areas: Any = None) -> None:
        self.scores: Floats = numbers(scores, (-1,), "predictions: scores")
        count = len(self.scores)
        self.labels = _integers(labels, count, "predictions: labels")
        self.offsets = _offsets(offsets, count, "predictions")
        self.areas = None if areas is None else numbers(areas, (count,), "predictions: areas")

    def __len__(self) -> int:
        return len(self.scores)


class GroundTruth:
    """True instances of many images, one after the other.

    Args:
        labels: Class of each, integers of shape (M,).
        offsets: Where those of each image start, and the end of the last: shape (images + 1,).
        is_crowd: Whether each stands for many instances: any number of predictions match it, and
            neither they nor it count. Shape (M,); None if none does.
        is_ignored: Whether neither it nor the one prediction that may match it count, as a person
            without labelled keypoints. Shape (M,); crowds are ignored anyway.
        areas: Area of each in square pixels, shape (M,); needed only for a range of areas.

    Attributes:
        labels: int64 of shape (M,).
        offsets: int64 of shape (images + 1,).
        is_crowd: bool of shape (M,).
        is_ignored: bool of shape (M,), true for crowds too.
        areas: float64 of shape (M,), or None.

    Raises:
        MetricsError: Something has not one number per instance, or the offsets do not ascend from 0
            to the number of instances.
    """

    __slots__ = ("areas", "is_crowd", "is_ignored", "labels", "offsets")

    def __init__(
        self,
        labels: Any,
        offsets: Any,
        *,
        is_crowd: Any = None,
        is_ignored: Any = None,
        areas: Any = None,
    ) -> None:
        count = len(to_numpy(labels))
        self.labels = _integers(labels, count, "ground truth: labels")
        self.offsets = _offsets(offsets, count, "ground truth")
        self.is_crowd = flags(is_crowd, count, "ground truth: is_crowd")
        self.is_ignored = flags(is_ignored, count, "ground truth: is_ignored") | self.is_crowd
        self.areas = None if areas is None else numbers(areas, (count,), "ground truth: areas")

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> dict[int, int]:
        """Return class to the number of its instances that are not ignored."""
        found, counts = np.unique(self.labels[~self.is_ignored], return_counts=True)
        return dict(zip(found.tolist(), counts.tolist(), strict=True))


def numbers(values: Any, shape: tuple[int, ...], what: str) -> Floats:
    """Return numbers as float64.

    Args:
        values: Array, tensor or nested lists.
        shape: Shape that they must have; -1 for any length. An empty list fits every shape.
        what: What they are, for messages.

    Raises:
        MetricsError: They are no numbers, or have another shape.
    """
    array = _array(values, np.float64, what)
    if array.shape == (0,) and shape[0] in (-1, 0):
        array = array.reshape(0, *(max(length, 0) for length in shape[1:]))
    fits = array.ndim == len(shape) and all(
        want in (-1, got) for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise MetricsError(f"{what} have the shape {array.shape}, where it must be {shape}.")
    return array


def flags(values: Any, count: int, what: str) -> Bools:
    """Return one flag per instance; all false for None.

    Raises:
        MetricsError: There is not one for each instance.
    """
    if values is None:
        return np.zeros(count, bool)
    return numbers(values, (count,), what) != 0


def _integers(values: Any, count: int, what: str) -> Ints:
    array = _array(values, None, what)
    if array.shape != (count,):
        raise MetricsError(f"{what} have the shape {array.shape}, where it must be ({count},).")
    made = array.astype(np.int64)
    if array.dtype.kind not in "iub" and (made != array).any():
        raise MetricsError(f"{what} are of type {array.dtype}, where they must be integers.")
    return made


def _offsets(values: Any, count: int, what: str) -> Ints:
    offsets = _array(values, np.int64, f"{what}: offsets")
    if offsets.ndim != 1 or not len(offsets) or offsets[0] != 0 or offsets[-1] != count:
        raise MetricsError(
            f"{what}: the offsets must start with 0 and end with {count}, the number of instances.",
            hint="Image i has the instances from offsets[i] to offsets[i + 1].",
        )
    if (np.diff(offsets) < 0).any():
        raise MetricsError(f"{what}: the offsets must not descend.")
    return offsets


def _array(values: Any, dtype: Any, what: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(to_numpy(values), dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise MetricsError(f"{what} are no numbers: {error}.") from error
