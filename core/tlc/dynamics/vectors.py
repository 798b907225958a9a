"""Cells of a column as the rows of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.errors import ColumnError
from tlc.format.plain import is_numeric, numbers_of, validity_of
from tlc.table.paths import is_list, lengths_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

__all__ = ["Vectors", "as_vectors", "stacked"]

Vectors: TypeAlias = npt.NDArray[np.float32]
"""float32 of shape (rows, length)."""


def as_vectors(cells: pa.Array, what: str) -> Vectors:
    """Return numbers, or lists of numbers, as vectors.

    Args:
        cells: Numbers, or lists of them of one length, nested or not.
        what: What they are, for the message.

    Returns:
        Shape ``(len(cells), d)``; NaN where a cell, or a number in it, is missing. If all are, d is
        0.

    Raises:
        ColumnError: These are no numbers, or lists of different lengths.
    """
    valid = validity_of(cells)
    there = np.ones(len(cells), bool) if valid is None else valid
    flat = cells.drop_null() if cells.null_count else cells
    while is_list(flat.type):
        if len(np.unique(lengths_of(flat))) > 1:
            raise ColumnError(f"The lists in {what} differ in length: these are no vectors.")
        flat = flat.flatten()
    if not is_numeric(flat.type):
        raise ColumnError(f"There are no vectors in {what}, but {cells.type}.")
    values: npt.NDArray[Any] = numbers_of(flat)
    if (known := validity_of(flat)) is not None:
        values = np.where(known, values, np.nan)
    count = int(there.sum())
    found = values.reshape(count, -1) if count else np.empty((0, 0), np.float32)
    if valid is None:
        return found.astype(np.float32, copy=False)
    made = np.full((len(cells), found.shape[1]), np.nan, np.float32)
    made[there] = found
    return made


def stacked(parts: Sequence[Vectors], what: str) -> Vectors:
    """Return vectors one below the other.

    Args:
        parts: As `as_vectors` returns them.
        what: What they are, for the message.

    Raises:
        ColumnError: They differ in length, or there is none at all.
    """
    lengths = {part.shape[1] for part in parts} - {0}
    if len(lengths) != 1:
        raise ColumnError(
            f"There are vectors of different lengths in {what}: {sorted(lengths)}."
            if lengths
            else f"There are no vectors in {what}."
        )
    made = np.full((sum(map(len, parts)), *lengths), np.nan, np.float32)
    start = 0
    for part in parts:
        if part.shape[1]:
            made[start : start + len(part)] = part
        start += len(part)
    return made
