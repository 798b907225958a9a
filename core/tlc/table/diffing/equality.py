"""Which cells of two Arrow arrays differ, however nested they are, without an object per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tlc.format.plain import is_numeric, numbers_of, validity_of
from tlc.table.arrow_arrays import as_booleans
from tlc.table.paths import is_list, lengths_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]

_EXACT = 1 << 53
"""From here on float64 does not hold every whole number."""


def differing(old: pa.Array, new: pa.Array) -> Flags:
    """Return which cells differ.

    NaN equals NaN, whatever its bits, and 0.0 equals -0.0, as they do where rows are grouped; other
    floats must be equal exactly. Null equals null only, and so is neither NaN nor an empty list.
    Numbers of two types are equal if they are the same number, lists if they have equal items in
    the same order, structs if all their parts are equal; a part that one of them lacks is null
    there. A number never equals a text, nor a list a single value.

    Args:
        old: The cells of one side.
        new: As many of the other; their type may be another one.

    Returns:
        Shape ``(len(old),)``, bool.
    """
    there, here = _valid(old), _valid(new)
    return (there != here) | (there & here & _values_differ(old, new))


def _values_differ(old: pa.Array, new: pa.Array) -> Flags:
    """Return which cells differ, of those that are null in neither; anything for the others."""
    a, b = old.type, new.type
    if is_numeric(a) and is_numeric(b):
        return _numbers_differ(numbers_of(old), numbers_of(new))
    if is_list(a) and is_list(b):
        return _lists_differ(old, new)
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        return _structs_differ(old, new)
    if a == b and not pa.types.is_nested(a):
        met = pc.not_equal(old, new)
        return numbers_of(pc.fill_null(met, fill_value=False) if met.null_count else met)
    return np.ones(len(old), bool)


def _numbers_differ(old: npt.NDArray[np.generic], new: npt.NDArray[np.generic]) -> Flags:
    differ: Flags = old != new
    kinds = old.dtype.kind + new.dtype.kind
    if kinds == "ff":
        return differ & ~(np.isnan(old) & np.isnan(new))
    if "f" in kinds and {"i", "u"} & set(kinds):
        whole = new if kinds[0] == "f" else old
        with np.errstate(invalid="ignore"):
            large = np.flatnonzero(~differ & (np.abs(whole.astype(np.float64)) >= _EXACT))
        for at in large.tolist():
            differ[at] = int(old[at]) != int(new[at])
    return differ


def _lists_differ(old: pa.Array, new: pa.Array) -> Flags:
    """Compare the items of those lists that are as long, all at once."""
    lengths, others = lengths_of(old), lengths_of(new)
    differ: Flags = lengths != others
    if differ.any():
        alike = as_booleans(~differ)
        old, new, lengths = old.filter(alike), new.filter(alike), lengths[~differ]
    items = differing(old.flatten(), new.flatten())
    counts = np.concatenate([[0], np.cumsum(items)])
    ends = np.cumsum(lengths)
    differ[~differ] = counts[ends] > counts[ends - lengths]
    return differ


def _structs_differ(old: pa.Array, new: pa.Array) -> Flags:
    differ = np.zeros(len(old), bool)
    parts, others = _parts(old), _parts(new)
    for name in {**parts, **others}:
        if name in parts and name in others:
            differ |= differing(parts[name], others[name])
        else:
            differ |= _valid(parts[name] if name in parts else others[name])
    return differ


def _parts(cells: pa.Array) -> dict[str, pa.Array]:
    """Return the parts of structs; they are null where a struct is."""
    return {part.name: each for part, each in zip(cells.type, cells.flatten(), strict=True)}


def _valid(cells: pa.Array) -> Flags:
    valid = validity_of(cells)
    return np.ones(len(cells), bool) if valid is None else valid
