"""What all annotations have in common: how they are read late, compared, copied and converted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tlc.schemas import Schema

Source: TypeAlias = "tuple[Callable[[int], Mapping[str, Any]], Mapping[str, Callable[[int], Any]]]"
"""Where annotations are read from: what returns a row, and what returns single parts of it."""


class Annotation(ABC):
    """The annotations of one image or scene, of one kind.

    What is read from a table is decoded when it is first looked at; arrays are copies, which may be
    changed. What is given by programs is checked when it is given, and when it is written.
    """

    __slots__ = ("_row", "_source")

    sample_type: ClassVar[str]
    """Name of the sample type of columns of it."""

    parts: ClassVar[tuple[str, ...]]
    """Names of the attributes that make it up."""

    made_late: ClassVar[frozenset[str]] = frozenset()
    """Names of those that are made of the others, when they are looked at."""

    paths: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Parts that are the same array in a row, and where they are there."""

    compared: ClassVar[tuple[str, ...]] = ()
    """Names of the attributes that make two equal; all parts if empty."""

    _source: Source | None
    _row: int

    @abstractmethod
    def to_row(self) -> dict[str, Any]:
        """Return the row form: a dictionary of numbers, bytes and lists.

        Raises:
            SchemaError: An attribute was changed to what does not fit the others.
        """

    @classmethod
    @abstractmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the annotations of a row form.

        Raises:
            SchemaError: It is not complete, or its numbers are no annotations.
        """

    @abstractmethod
    def _fill(self, row: Mapping[str, Any]) -> None:
        """Set the parts from a row form that is known to be good; its lists may be arrays."""

    @abstractmethod
    def inferred_parts(self) -> Mapping[str, Any]:
        """Return what a schema depends on: name to one value per instance."""

    @classmethod
    @abstractmethod
    def inferred_schema(cls, parts: Mapping[str, Schema]) -> Schema:
        """Return the schema of a column, from those of `inferred_parts` of all its cells."""

    @classmethod
    def read_late(cls, source: Source, row: int) -> Self:
        """Return the annotations of a row, which `source` is asked for when they are looked at."""
        made = cls.__new__(cls)
        made._source = source
        made._row = row
        return made

    @classmethod
    def _filled(cls, row: Mapping[str, Any]) -> Self:
        made = cls.__new__(cls)
        made._fill(row)
        return made

    def _settle(self) -> None:
        """Decode what has been read."""
        if (source := getattr(self, "_source", None)) is not None:
            decoded = self._decoded(source[0](self._row))
            for name in self.parts:
                if name not in self.made_late and not self._has(name):  # a caller may have set it
                    setattr(self, name, getattr(decoded, name))
            self._source = None  # last, as other threads may look, too

    def _decoded(self, row: Mapping[str, Any]) -> Self:
        return self._filled(row)

    def _has(self, name: str) -> bool:
        try:
            object.__getattribute__(self, name)
        except AttributeError:
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        # Only called for attributes that are not set: parts that are yet to be decoded.
        try:
            value = _source_of(self)[1][name](self._row)
        except (AttributeError, TypeError, KeyError):
            return self._settled(name)
        if type(value) is np.ndarray:
            setattr(self, name, value)
            return value
        return self._settled(name)

    def _settled(self, name: str) -> Any:
        if name not in self.parts:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        self._settle()
        return object.__getattribute__(self, name)

    def __reduce__(self) -> Any:
        self._settle()
        there = {name: getattr(self, name) for name in self.parts if self._has(name)}
        return _restored, (type(self), there)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        names = self.compared or self.parts
        return all(same(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment] # annotations can be changed


# The fastest way to a slot that may be empty.
_source_of: Callable[[Annotation], Any] = Annotation.__dict__["_source"].__get__


def _restored(cls: type[Annotation], state: dict[str, Any]) -> Annotation:
    made = cls.__new__(cls)
    for name, value in state.items():
        setattr(made, name, value)
    return made


def same(one: Any, other: Any) -> bool:
    """Return whether two parts are the same; NaN is the same as NaN."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if one is None or other is None:
        return one is other
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        one, other = np.ma.asarray(one), np.ma.asarray(other)
        if not (len(one) or len(other)):
            return True  # no instances, of however many points
        if one.shape != other.shape:
            return False
        masks = np.ma.getmaskarray(one), np.ma.getmaskarray(other)
        nan = one.dtype.kind == other.dtype.kind == "f"
        return np.array_equal(*masks) and bool(
            np.array_equal(one.filled(0), other.filled(0), equal_nan=nan)
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
