"""Principal components, computed piece by piece with NumPy alone.

The components are the eigenvectors of the covariance matrix with the largest eigenvalues (Pearson
1901, https://doi.org/10.1080/14786440109462720; Jolliffe and Cadima 2016,
https://doi.org/10.1098/rsta.2015.0202). Sums are taken in 64 bits, of differences from the first
vectors' mean, so that large means cost no digits (Chan, Golub and LeVeque 1983,
https://doi.org/10.1080/00031305.1983.10483115).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tlc.errors import ReductionError
from tlc.reduction.reducer import Reducer
from tlc.reduction.scaling import scale_of
from tlc.reduction.settings import check_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from tlc.reduction.reducer import Pieces, Vectors

    Floats = npt.NDArray[np.float64]

_BLOCK = 4096  # vectors that are made 64-bit numbers at once
_LONG = 2048
"""So long are vectors for which it may pay to keep them rather than their covariance matrix."""


class _Moments(NamedTuple):
    """What principal components are made of.

    Attributes:
        rows: Number of vectors.
        mean: Shape (d,).
        variances: Of each number, shape (d,), with the divisor `rows`.
        matrix: Covariances, shape (d, d), or those products of vectors, shape (n, n), if n < d.
        vectors: The vectors without their mean, shape (n, d), if n < d, else None.
    """

    rows: int
    mean: Floats
    variances: Floats
    matrix: Floats
    vectors: Floats | None


class PcaReducer(Reducer):
    """Principal component analysis.

    It needs the vectors twice, a piece at a time, and the square of their length in memory; or, of
    vectors of more than 2048 numbers, the vectors if there are fewer than each has numbers.

    Each component has the sign that makes its entry of the largest magnitude positive, before it is
    scaled. If vectors differ in fewer directions than there are components, the others are 0 for
    the vectors it was fitted on, but for rounding.

    The arrays are ``mean`` (d,), ``components`` (n_components, d), by which what is left of a
    vector after ``mean`` is multiplied, and ``explained_variance_ratio`` (n_components,).
    """

    method = "pca"

    def check(self) -> None:
        """Refuse all arguments: there are none."""
        check_known(self.method, self.settings.arguments, lambda: None, ())

    def _fit(self, pieces: Pieces) -> None:
        wanted = self.settings.n_components
        moments = _moments(pieces, normalize=self.settings.standard_scaler_normalize)
        most = min(moments.rows, pieces.length)
        if wanted > most or moments.rows < 2:
            raise ReductionError(
                f"{wanted} principal components cannot be told from {moments.rows:,} vectors of "
                f"{pieces.length} numbers.",
                hint=f"n_components is {most} at most, and there are 2 vectors at least.",
            )
        values, vectors = np.linalg.eigh(moments.matrix)
        values, vectors = values[::-1][:wanted].clip(0), vectors[:, ::-1][:, :wanted]
        if moments.vectors is not None:  # the same components, by way of the shorter side
            vectors = moments.vectors.T @ vectors
            # Of one along which nothing differs only rounding is left, in any direction.
            is_there = values > values[0] * moments.rows * np.finfo(float).eps
            vectors /= np.where(is_there, np.linalg.norm(vectors, axis=0), np.inf)
        largest = np.abs(vectors).argmax(axis=0)
        components = (vectors * np.sign(vectors[largest, range(wanted)])).T
        total = np.trace(moments.matrix)
        if self.settings.standard_scaler_normalize:
            components = components / scale_of(moments.variances)
        self.arrays = {
            "mean": moments.mean,
            "components": components,
            "explained_variance_ratio": values / total if total else np.zeros(wanted),
        }
        self.facts = {"fitted_on": moments.rows}

    def _transform(self, vectors: Vectors) -> npt.NDArray[Any]:
        mean, components = self.arrays["mean"], self.arrays["components"]
        reduced = np.empty((len(vectors), len(components)), np.float32)
        for start in range(0, len(vectors), _BLOCK):
            block = vectors[start : start + _BLOCK]
            np.matmul(
                block - mean, components.T, out=reduced[start : start + _BLOCK], casting="same_kind"
            )
        return reduced


def _moments(pieces: Pieces, *, normalize: bool) -> _Moments:
    blocks = pieces.blocks(_BLOCK)
    first = list(_until(blocks, pieces.length)) if pieces.length > _LONG else []
    if first and sum(map(len, first)) < pieces.length:
        return _of_few(np.concatenate(first), normalize=normalize)
    return _of_many(chain(first, blocks), pieces.length, normalize=normalize)


def _until(blocks: Iterator[Vectors], rows: int) -> Iterator[Vectors]:
    """Yield blocks until there are some rows."""
    for block in blocks:
        yield block
        rows -= len(block)
        if rows <= 0:
            return


def _of_few(vectors: Vectors, *, normalize: bool) -> _Moments:
    centred = vectors.astype(np.float64)
    mean = centred.mean(axis=0)
    centred -= mean
    variances = np.square(centred).mean(axis=0)
    if normalize:
        centred /= scale_of(variances)
    return _Moments(len(vectors), mean, variances, centred @ centred.T, centred)


def _of_many(blocks: Iterable[Vectors], length: int, *, normalize: bool) -> _Moments:
    count, shift = 0, np.zeros(length)
    total, products = np.zeros(length), np.zeros((length, length))
    for block in blocks:
        if not count:
            shift = block.mean(axis=0, dtype=np.float64)
        differences = block - shift  # 64 bits, as `shift` is
        count += len(differences)
        total += differences.sum(axis=0)
        products += differences.T @ differences
    divisor = max(1, count)
    mean = total / divisor
    products -= divisor * np.outer(mean, mean)
    variances = products.diagonal().clip(0) / divisor
    if normalize:
        scale = scale_of(variances)
        products /= np.outer(scale, scale)
    return _Moments(count, shift + mean, variances, products, None)
