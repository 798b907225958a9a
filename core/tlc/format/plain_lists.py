"""Lists that Arrow takes as they are, told without a look at each item from Python."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

FLOAT32_MAX = 3.4028235e38

_LEAVES: tuple[tuple[str, type], ...] = (
    ("is_floating", float),
    ("is_integer", int),
    ("is_boolean", bool),
    ("is_string", str),
    ("is_binary", bytes),
)


def copy_of_plain(values: Sequence[Any], type_: pa.DataType) -> list[Any] | None:
    """Return a copy of a nested list, if all that it holds is of the type that Arrow expects there.

    If not, it may still be good: only then it has to be looked at item by item.

    Args:
        values: A list of values, of lists of values, and so on.
        type_: The type of such a list.

    Returns:
        None if it holds anything else, such as None or a number of another kind.
    """
    depth, leaf, is_narrow = _leaf_of(type_)
    if leaf is None:
        return None
    flat: Sequence[Any] = values
    for _ in range(depth - 1):
        if not set(map(type, flat)) <= {list}:
            return None
        flat = list(chain.from_iterable(flat))
    if not set(map(type, flat)) <= {leaf} or (is_narrow and _may_be_too_large(flat)):
        return None
    return _copied(values, depth)


def _copied(values: Sequence[Any], depth: int) -> list[Any]:
    return list(values) if depth == 1 else [_copied(each, depth - 1) for each in values]


@lru_cache(maxsize=256)
def _leaf_of(type_: pa.DataType) -> tuple[int, type | None, bool]:
    """Return how deep lists are, what Python type is in them, and whether it is of 32 bits."""
    import pyarrow as pa

    depth = 0
    while hasattr(type_, "value_type"):
        depth, type_ = depth + 1, type_.value_type
    for applies, leaf in _LEAVES:
        if getattr(pa.types, applies)(type_):
            return depth, leaf, leaf is float and type_.bit_width < 64
    return depth, None, False


def _may_be_too_large(numbers: Sequence[float]) -> bool:
    """Whether there may be a number that Arrow would make an infinity of, or some are none."""
    if not numbers:
        return False
    # NaN hides others from min and max.
    return not (
        math.isfinite(sum(numbers)) and -FLOAT32_MAX <= min(numbers) <= max(numbers) <= FLOAT32_MAX
    )
