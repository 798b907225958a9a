"""Shapes as tuples, outermost first, and as `size0` to `size5` of a schema, innermost first."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import SupportsIndex, TypeAlias

from tlc.errors import SchemaError
from tlc.schemas.values import DimensionNumericValue

VARIABLE = -1
"""Length of a dimension that varies from row to row."""

MAX_DIMENSIONS = 6

Shape: TypeAlias = int | Sequence[int] | None
"""A shape as callers write it: None for a scalar, ``10`` for ``(10,)``, -1 if a length varies."""


def normalize_shape(shape: Shape) -> tuple[int, ...]:
    """Return a shape as a tuple of lengths, outermost dimension first.

    Raises:
        SchemaError: A length is neither -1 nor a count, or there are more than six dimensions.
    """
    try:
        single = (shape,) if isinstance(shape, SupportsIndex) else shape
        lengths = tuple(index(length) for length in single or ())
    except TypeError as error:
        raise SchemaError(f"The shape {shape!r} is not a tuple of whole numbers.") from error
    if any(length < VARIABLE for length in lengths):
        raise SchemaError(
            f"The shape {shape!r} has a negative length.",
            hint="Write -1 for a dimension whose length varies from row to row.",
        )
    if len(lengths) > MAX_DIMENSIONS:
        raise SchemaError(
            f"The shape {shape!r} has {len(lengths)} dimensions; a schema holds {MAX_DIMENSIONS}."
        )
    return lengths


def to_sizes(shape: Shape) -> list[DimensionNumericValue]:
    """Return `size0`, `size1` ... of a shape, so that ``(a, b)`` gives the sizes of b, a."""
    return [
        DimensionNumericValue() if length == VARIABLE else DimensionNumericValue.fixed_size(length)
        for length in reversed(normalize_shape(shape))
    ]


def from_sizes(sizes: Sequence[DimensionNumericValue | None]) -> tuple[int, ...]:
    """Return the shape that sizes, innermost first, make together.

    Raises:
        SchemaError: A size is given outside of one that is missing.
    """
    used = [size for size in sizes if size is not None]
    if any(size is None for size in sizes[: len(used)]):
        given = ", ".join(f"size{i}" for i, size in enumerate(sizes) if size is not None)
        raise SchemaError(
            f"Of the sizes of a schema only {given} is given.",
            hint="size0 is the innermost dimension; fill the sizes from there without a gap.",
        )
    return tuple(size.size for size in reversed(used))
