"""UMAP, by the package `umap-learn`."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tlc.reduction.neighbours import NeighbourReducer
from tlc.reduction.packages import import_package, quiet
from tlc.reduction.scaling import scaled
from tlc.reduction.settings import check_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from tlc.reduction.reducer import Vectors

_OURS = (
    *("self", "n_components", "random_state", "transform_seed", "transform_mode", "n_jobs"),
    *("precomputed_knn", "densmap", "dens_lambda", "dens_frac", "dens_var_shift", "output_dens"),
    *("unique", "verbose", "tqdm_kwds"),
)


class UmapReducer(NeighbourReducer):
    """Uniform manifold approximation and projection (McInnes and others 2018, arXiv:1802.03426).

    To place new vectors with a reducer that was loaded, the graph of neighbours is made again, with
    the same seed; the layout is not.
    """

    method = "umap"
    distributions = ("umap-learn", "pynndescent")
    default_components: ClassVar[int] = 3
    default_neighbours = 15

    def check(self) -> None:
        """Check that the package takes the arguments."""
        self._fitted: Any = None
        self._check_sizes(n_neighbors=2)
        self._package = import_package(self.method, "umap", "umap-learn")
        check_known(self.method, self.settings.arguments, self._package.UMAP.__init__, _OURS)

    def _least_rows(self) -> int:
        return int(self.settings.arguments.get("n_neighbors", 2)) + 1

    def _neighbours(self, count: int) -> int:
        given = self.settings.arguments.get("n_neighbors")
        return min(self.default_neighbours, count - 1) if given is None else int(given)

    def _lay_out(self, vectors: Vectors) -> None:
        with self._quiet():
            self._fitted = self._new().fit(vectors)
        self.arrays["embedding"] = np.asarray(self._fitted.embedding_, np.float32)

    def _place(self, vectors: Vectors) -> npt.NDArray[Any]:
        with self._quiet():
            if self._fitted is None:
                self._fitted = self._rebuilt()
            placed: npt.NDArray[Any] = self._fitted.transform(vectors)
        return placed

    def _rebuilt(self) -> Any:
        """Return the package's reducer as it was fitted."""
        training = scaled(self.arrays["training"], self.arrays)
        reducer = self._new(transform_mode="graph").fit(training)
        reducer.transform_mode, reducer.embedding_ = "embedding", self.arrays["embedding"]
        return reducer

    def _new(self, **options: Any) -> Any:
        seed = self.settings.seed
        arguments = {
            **self.settings.arguments,
            "n_neighbors": self.facts["n_neighbors"],
            "n_components": self.n_components,
            "random_state": seed,
            **({} if seed is None else {"transform_seed": seed, "n_jobs": 1}),
        }
        return self._package.UMAP(**arguments, **options)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        with quiet():
            warnings.filterwarnings("ignore", "n_jobs value .* overridden", UserWarning)
            yield
