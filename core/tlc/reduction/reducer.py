"""What all reducers have in common: vectors go in, few numbers for each come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np

from tlc.errors import ColumnError, ReductionError
from tlc.reduction.packages import version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from tlc.reduction.settings import Settings

    Vectors: TypeAlias = npt.NDArray[np.float32]


class Reducer(ABC):
    """Learns from vectors how to reduce them, and reduces others in the same way.

    Args:
        settings: Number of components, seed, and arguments of the method.

    Attributes:
        settings: What it was told.
        arrays: What it has learned: names to arrays of float32 or float64; empty before `fit`.
        facts: What it has learned besides: names to numbers, texts and booleans.
    """

    method: ClassVar[str]
    """Name of the method."""

    distributions: ClassVar[tuple[str, ...]] = ()
    """Packages that the result depends on."""

    default_components: ClassVar[int] = 2
    """Components where none are asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.facts: dict[str, Any] = {}
        self.check()

    @property
    def n_components(self) -> int:
        """Numbers that each vector becomes."""
        return self.settings.n_components

    @property
    def length(self) -> int:
        """Length of the vectors it was fitted on.

        Raises:
            ReductionError: It was not fitted.
        """
        if not self.arrays:
            raise ReductionError(
                f"The reducer {self.method!r} was not fitted.", hint="call fit(vectors) first."
            )
        return int(self.facts["length"])

    @property
    def packages(self) -> dict[str, str]:
        """Versions of the packages that the result depends on, as they are installed now."""
        return {name: version_of(name) for name in self.distributions}

    def fit(self, vectors: npt.ArrayLike | Pieces) -> Self:
        """Learn from vectors.

        Args:
            vectors: Numbers of shape (n, d); or something that can be iterated several times and
                yields arrays of shape (m, d). Vectors with NaN or infinite numbers are left out.

        Raises:
            ReductionError: There are too few vectors, or the package fails.
            ColumnError: Vectors differ in length.
        """
        pieces = vectors if isinstance(vectors, Pieces) else ArrayPieces(vectors)
        self.arrays, self.facts = {}, {}
        facts = {"length": pieces.length}
        self._fit(pieces)
        self.facts = {**facts, **self.facts}
        return self

    def transform(self, vectors: npt.ArrayLike) -> Vectors:
        """Reduce vectors.

        Args:
            vectors: Numbers of shape (n, d).

        Returns:
            float32 of shape (n, n_components). Vectors with NaN or infinite numbers become NaN.

        Raises:
            ReductionError: It was not fitted, or the package fails.
            ColumnError: The vectors are not as long as those it was fitted on.
        """
        given = as_vectors(vectors)
        if given.shape[1] != self.length:
            raise ColumnError(
                f"Vectors of {given.shape[1]} numbers do not fit a reducer that was fitted on "
                f"vectors of {self.length}.",
                hint="fit another one for them.",
            )
        reduced = np.full((len(given), self.n_components), np.nan, np.float32)
        is_finite = finite(given)
        if is_finite.all():
            reduced[:] = self._transform(given) if len(given) else reduced
        elif is_finite.any():
            reduced[is_finite] = self._transform(given[is_finite])
        return reduced

    def fit_transform(self, vectors: npt.ArrayLike) -> Vectors:
        """Learn from vectors, and reduce them; see `fit` and `transform`."""
        given = as_vectors(vectors)
        return self.fit(given).transform(given)

    @abstractmethod
    def check(self) -> None:
        """Check the settings.

        Raises:
            OptionError: The method does not take an argument.
            MissingExtraError: Its package is not installed.
            BrokenExtraError: Its package cannot be imported.
        """

    @abstractmethod
    def _fit(self, pieces: Pieces) -> None:
        """Fill `arrays` and `facts`."""

    @abstractmethod
    def _transform(self, vectors: Vectors) -> npt.NDArray[Any]:
        """Reduce finite vectors, of which there is at least one."""


class Pieces(ABC):
    """Vectors in pieces, to be iterated as often as one likes: finite ones of one length."""

    length: int
    """Length of the vectors."""

    @abstractmethod
    def __iter__(self) -> Iterator[Vectors]:
        """Yield float32 of shape (m, length), all of them finite."""

    def blocks(self, rows: int) -> Iterator[Vectors]:
        """Yield the vectors in blocks of no more than some rows, none of them empty."""
        for piece in self:
            for start in range(0, len(piece), rows):
                yield piece[start : start + rows]

    def joined(self) -> Vectors:
        """Return all vectors as one array."""
        parts = list(self)
        empty = np.empty((0, self.length), np.float32)
        return parts[0] if len(parts) == 1 else np.concatenate([empty, *parts])


class ArrayPieces(Pieces):
    """An array as one piece.

    Args:
        vectors: Numbers of shape (n, d).
    """

    def __init__(self, vectors: npt.ArrayLike) -> None:
        self._vectors = as_vectors(vectors)
        self.length = self._vectors.shape[1]

    def __iter__(self) -> Iterator[Vectors]:
        """Yield the vectors that are finite."""
        is_finite = finite(self._vectors)
        yield self._vectors if is_finite.all() else self._vectors[is_finite]

    def joined(self) -> Vectors:
        """Return the vectors that are finite, in memory that the caller does not share."""
        return self._vectors[finite(self._vectors)]


def as_vectors(values: npt.ArrayLike | Iterable[Any]) -> Vectors:
    """Return numbers as vectors of float32.

    Raises:
        ColumnError: They are no numbers of shape (n, d), or d is 0.
    """
    try:
        with np.errstate(over="ignore"):  # what 32 bits cannot hold is infinite, and left out
            vectors = np.asarray(values).astype(np.float32, copy=False)
    except (TypeError, ValueError) as error:
        raise ColumnError(f"These are no vectors of one length: {error}.") from error
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise ColumnError(
            f"Vectors have shape (n, d), not {vectors.shape}.", hint="give one row for each."
        )
    return vectors


def finite(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """Return which vectors have neither NaN nor infinite numbers."""
    # The sum of finite numbers is finite in 64 bits, and needs no array of the shape of `vectors`.
    with np.errstate(invalid="ignore"):
        found: npt.NDArray[np.bool_] = np.isfinite(vectors.sum(axis=1, dtype=np.float64))
    return found
