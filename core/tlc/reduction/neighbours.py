"""What reducers have in common that lay out vectors by their nearest neighbours."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tlc.errors import OptionError, ReductionError, TlcError
from tlc.reduction.known import Known
from tlc.reduction.reducer import Reducer
from tlc.reduction.scaling import learn_scale, scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from tlc.reduction.reducer import Pieces, Vectors

_ROWS_AT_ONCE = 10_000
"""UMAP takes fewer steps for more rows than that, so that a row would depend on their number."""


class NeighbourReducer(Reducer):
    """Keeps the vectors it was fitted on, and where each came to lie.

    A vector that is equal to one of them lies where the first of these does. The package places
    only others, and so does not move what has its place.

    The arrays are ``training`` (n, d), ``embedding`` (n, n_components), and what the package
    needs besides.
    """

    default_neighbours: ClassVar[int]
    """Neighbours of each vector if none are asked for, and there are enough."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._known: Known | None = None
        super().__init__(*args, **kwargs)

    def _fit(self, pieces: Pieces) -> None:
        self._known = None
        vectors = pieces.joined()
        self._check_rows(vectors)
        self.facts = {"fitted_on": len(vectors), "n_neighbors": self._neighbours(len(vectors))}
        self.arrays = {"training": vectors}
        if self.settings.standard_scaler_normalize:
            self.arrays |= learn_scale(vectors)
        try:
            self._guarded(self._lay_out, scaled(vectors, self.arrays))
        except TlcError:
            self.arrays, self.facts = {}, {}
            raise

    def _transform(self, vectors: Vectors) -> npt.NDArray[Any]:
        if self._known is None:
            self._known = Known(self.arrays["training"])
        rows = self._known.find(vectors)
        reduced = self.arrays["embedding"][rows]
        new = np.flatnonzero(rows < 0)
        for start in range(0, len(new), _ROWS_AT_ONCE):
            part = new[start : start + _ROWS_AT_ONCE]
            reduced[part] = self._guarded(self._place, scaled(vectors[part], self.arrays))
        return reduced

    def _check_sizes(self, **least: int) -> None:
        """Check arguments that say how many rows it takes; those named ``n_`` are whole numbers."""
        for name, lowest in least.items():
            value = self.settings.arguments.get(name, lowest)
            kinds = (int,) if name.startswith("n_") else (int, float)
            if not isinstance(value, kinds) or isinstance(value, bool) or value < lowest:
                raise OptionError(
                    f"{name}={value!r} is not possible.",
                    hint=f"it is a {'whole ' if len(kinds) == 1 else ''}number from {lowest} up.",
                )

    def _check_rows(self, vectors: Vectors) -> None:
        count, length = vectors.shape
        least = max(self._least_rows(), self.n_components + 2)
        if count < least:
            raise ReductionError(
                f"The method {self.method!r} cannot be fitted on {count:,} vectors: with its "
                f"arguments it needs {least} that are neither missing nor infinite.",
                hint="the method 'pca' does with fewer, and so does a smaller n_neighbors.",
            )
        if self.n_components > length:
            raise ReductionError(
                f"Vectors of {length} numbers cannot be reduced to {self.n_components}.",
                hint=f"n_components is {length} at most.",
            )
        if (vectors == vectors[0]).all():
            raise ReductionError(
                f"All {count:,} vectors are equal: there is nothing to tell them apart by.",
                hint="look at the layer that they come from.",
            )

    def _guarded(self, do: Callable[[Vectors], Any], vectors: Vectors) -> Any:
        """Do something that the package may fail at."""
        try:
            return do(vectors)
        except TlcError:
            raise
        except Exception as error:  # noqa: BLE001 - packages raise anything
            failure = error
        versions = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        raise ReductionError(
            f"The method {self.method!r} ({versions}) failed on {len(vectors):,} vectors of "
            f"{vectors.shape[1]} numbers: {type(failure).__name__}: {failure}",
            hint="look at its arguments; the method 'pca' takes any finite numbers.",
        ) from failure

    @abstractmethod
    def _least_rows(self) -> int:
        """Return how many vectors it takes."""

    @abstractmethod
    def _neighbours(self, count: int) -> int:
        """Return the number of neighbours for so many vectors."""

    @abstractmethod
    def _lay_out(self, vectors: Vectors) -> None:
        """Fit the package's reducer, and note in `arrays` and `facts` what can rebuild it."""

    @abstractmethod
    def _place(self, vectors: Vectors) -> npt.NDArray[Any]:
        """Return where new vectors lie."""
