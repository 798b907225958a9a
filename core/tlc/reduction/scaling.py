"""Bringing each number of vectors to mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.reduction.reducer import Vectors


def scale_of(variances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what to divide by: standard deviations, and 1 for numbers that are always the same.

    Args:
        variances: Of each number, with the number of vectors as divisor.
    """
    deviations = np.sqrt(variances)
    return np.where(deviations > 0, deviations, 1.0)


def learn_scale(vectors: Vectors) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays ``scaler_mean`` and ``scaler_scale`` of vectors, float32 of shape (d,)."""
    mean, variances = vectors.mean(axis=0, dtype=np.float64), vectors.var(axis=0, dtype=np.float64)
    scale = scale_of(variances)
    return {"scaler_mean": mean.astype(np.float32), "scaler_scale": scale.astype(np.float32)}


def scaled(vectors: Vectors, arrays: dict[str, npt.NDArray[Any]]) -> Vectors:
    """Return vectors as the arrays of `learn_scale` have it; as they are if there are none."""
    if "scaler_mean" not in arrays:
        return vectors
    found = (vectors - arrays["scaler_mean"]) / arrays["scaler_scale"]
    return found.astype(np.float32, copy=False)
