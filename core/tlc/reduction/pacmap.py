"""PaCMAP, by the package `pacmap`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tlc.errors import OptionError
from tlc.reduction.neighbours import NeighbourReducer
from tlc.reduction.packages import import_package, quiet
from tlc.reduction.scaling import scaled
from tlc.reduction.settings import check_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from tlc.reduction.reducer import Vectors

_OURS = (
    *("self", "n_components", "random_state", "pair_neighbors", "pair_MN", "pair_FP", "verbose"),
    *("intermediate", "intermediate_snapshots", "save_tree"),
)
_MID_NEAR, _FURTHER = 0.5, 2.0
_MANY = 10_000


class _Projection(NamedTuple):
    """What the package brings vectors to before it looks for neighbours, or starts a layout with.

    It stands for the fitted estimator of scikit-learn that the package would pickle.
    """

    mean: npt.NDArray[Any]
    components: npt.NDArray[Any]

    def transform(self, vectors: Vectors) -> npt.NDArray[Any]:
        """Return the vectors' coordinates along the components."""
        return (vectors - self.mean) @ self.components.T


class PacmapReducer(NeighbourReducer):
    """Pairwise controlled manifold approximation (Wang and others 2021, arXiv:2012.04456).

    All that placing new vectors takes is kept in arrays, of which the package's reducer is made
    anew: for a reducer just fitted as for one that was loaded.
    """

    method = "pacmap"
    distributions = ("pacmap", "faiss-cpu")
    default_neighbours = 10

    def check(self) -> None:
        """Check that the package takes the arguments."""
        self._tree: Any = None
        self._check_sizes(n_neighbors=1, MN_ratio=0, FP_ratio=0)
        self._module = import_package(self.method, "pacmap.pacmap", "pacmap")
        check_known(self.method, self.settings.arguments, self._module.PaCMAP.__init__, _OURS)
        distance = self.settings.arguments.get("distance", "euclidean")
        known = ("euclidean", "manhattan", "angular")  # its default search knows no other
        if distance not in known:
            raise OptionError(
                f"distance={distance!r} is not possible.", hint=f"it is one of {', '.join(known)}."
            )

    def _least_rows(self) -> int:
        return self._rows_for(int(self.settings.arguments.get("n_neighbors", 1)))

    def _neighbours(self, count: int) -> int:
        given = self.settings.arguments.get("n_neighbors")
        if given is not None:
            return int(given)
        wanted = self.default_neighbours
        if count > _MANY:
            wanted = round(wanted + 15 * (np.log10(count) - np.log10(_MANY)))
        while wanted > 1 and self._rows_for(wanted) > count:
            wanted -= 1
        return wanted

    def _rows_for(self, neighbours: int) -> int:
        """Return how many rows it takes for so many neighbours, and other pairs in proportion.

        With fewer the package changes the numbers itself, or looks for mid-near pairs for ever: it
        draws each from 6 others.
        """
        arguments = self.settings.arguments
        mid_near = round(neighbours * arguments.get("MN_ratio", _MID_NEAR))
        further = round(neighbours * arguments.get("FP_ratio", _FURTHER))
        pairs = 1 + neighbours + mid_near + further
        return max(pairs, mid_near + 6) if mid_near else pairs

    def _lay_out(self, vectors: Vectors) -> None:
        self._tree = None
        with self._quiet():
            reducer = self._new().fit(vectors, save_pairs=False)
        projection = reducer.tsvd_transformer
        self.arrays |= {
            "embedding": np.asarray(reducer.embedding_, np.float32),
            "mean": np.asarray(reducer.xmean, np.float32),
            "projection_components": np.asarray(projection.components_),
            "projection_mean": np.asarray(getattr(projection, "mean_", np.zeros(1, np.float32))),
        }
        self.facts |= {
            "has_projection": bool(reducer.pca_solution),
            "minimum": float(reducer.xmin),
            "maximum": float(reducer.xmax),
        }

    def _place(self, vectors: Vectors) -> npt.NDArray[Any]:
        with self._quiet():
            reducer = self._rebuilt()
            if self._tree is None:
                self._tree = self._index_of(reducer)
            reducer.tree = self._tree
            placed: npt.NDArray[Any] = reducer.transform(vectors, save_pairs=False)
        return placed

    def _rebuilt(self) -> Any:
        """Return the package's reducer as it was fitted."""
        reducer, arrays, facts = self._new(), self.arrays, self.facts
        reducer.embedding_ = arrays["embedding"]
        reducer.xmean = arrays["mean"]
        reducer.xmin, reducer.xmax = np.float32(facts["minimum"]), np.float32(facts["maximum"])
        reducer.pca_solution = facts["has_projection"]
        reducer.tsvd_transformer = _Projection(
            arrays["projection_mean"], arrays["projection_components"]
        )
        return reducer

    def _index_of(self, reducer: Any) -> Any:
        """Return the index of neighbours among the vectors that it was fitted on."""
        training = np.array(scaled(self.arrays["training"], self.arrays), np.float32)
        prepared = self._module.preprocess_X_new(
            training,
            reducer.distance,
            reducer.xmin,
            reducer.xmax,
            reducer.xmean,
            reducer.tsvd_transformer,
            reducer.apply_pca,
            False,
        )
        index, _, _ = self._module.compute_nearest_neighbors(
            np.ascontiguousarray(prepared, np.float32),
            1,
            reducer.distance,
            reducer.knn_backend,
            self.settings.seed,
        )
        return index

    def _new(self) -> Any:
        arguments = {
            **self.settings.arguments,
            "n_neighbors": self.facts["n_neighbors"],
            "n_components": self.n_components,
        }
        return self._module.PaCMAP(**arguments, random_state=self.settings.seed)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Keep it from talking, and from leaving its seed and its one thread to others.

        With a seed it looks for neighbours in one thread, and so do the rest: all but little of
        that is one thread's work in any case.
        """
        module = self._module
        faiss, numba = module.faiss, module.numba
        with quiet(module.logger.name):
            seed, threads = module._RANDOM_STATE, faiss.omp_get_max_threads()
            numba_threads = numba.get_num_threads()
            if self.settings.seed is not None:
                numba.set_num_threads(1)
            try:
                yield
            finally:
                module._RANDOM_STATE = seed
                faiss.omp_set_num_threads(threads)
                numba.set_num_threads(numba_threads)
