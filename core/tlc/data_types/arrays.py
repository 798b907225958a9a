"""Checks and conversions of what annotations are made of. All errors say which instance it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.errors import SchemaError
from tlc.sample_types.recognize import is_tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Floats: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
Extras: TypeAlias = dict[str, Any]
"""Name to an array or list with one item per instance."""


def to_numpy(values: Any) -> Any:
    """Return tensors as arrays, also those in a list; anything else as it is."""
    if is_tensor(values):
        return values.detach().cpu().numpy()
    if isinstance(values, list | tuple) and any(map(is_tensor, values)):
        return [to_numpy(item) for item in values]
    return values


def as_floats(
    values: Any, shape: tuple[int, ...], what: str, *, allow_nan: bool = False
) -> npt.NDArray[Any]:
    """Return numbers as an array of float32.

    Args:
        values: Array, tensor or nested lists.
        shape: Shape that they must have; -1 for any length. What has no items fits every shape.
        what: What they are, for messages.
        allow_nan: Whether NaN is a value like others. Infinities never are.

    Raises:
        SchemaError: They are no such numbers.
    """
    try:
        array = np.asarray(to_numpy(values), np.float64)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"{what} are no numbers of shape {shape}: {error}.") from error
    empty = tuple(max(length, 0) for length in shape)
    if not array.size and not _fits(array.shape, shape) and 0 in empty:
        array = array.reshape(empty)
    if not _fits(array.shape, shape):
        raise SchemaError(
            f"{what} have the shape {array.shape}, where it must be {shape}.",
            hint="-1 stands for any length.",
        )
    with np.errstate(over="ignore"):
        made = array.astype(np.float32)
    check_finite(made, what, allow_nan=allow_nan)
    return made


def _fits(have: tuple[int, ...], want: tuple[int, ...]) -> bool:
    pairs = zip(have, want, strict=False)
    return len(have) == len(want) and all(b in (-1, a) for a, b in pairs)


def check_finite(array: npt.NDArray[Any], what: str, *, allow_nan: bool = False) -> None:
    """Refuse infinities, and NaN unless that is allowed.

    Raises:
        SchemaError: There is one; the message names the instance.
    """
    bad = np.isinf(array) if allow_nan else ~np.isfinite(array)
    if bad.any():
        place = [int(number) for number in np.argwhere(bad)[0]]
        where = f" of instance {place[0]}" if len(place) > 1 else f" {place[0]}" if place else ""
        raise SchemaError(
            f"{what}{where} hold {array[tuple(place)]}, which is no place or size.",
            hint="Leave the instance out, or correct its numbers.",
        )


def as_optional(values: Any, dtype: Any, what: str) -> npt.NDArray[Any] | None:
    """Return one number per instance; None if no instance has one.

    Where only some have one, the result is a masked array, in which the others are masked.

    Raises:
        SchemaError: Something is no number of that type.
    """
    if values is None or isinstance(values, np.ma.MaskedArray):
        return values
    if type(values) is np.ndarray and values.ndim == 1 and values.dtype == dtype:
        return values  # what is read passes here, so it is fast
    values = to_numpy(values)
    if not isinstance(values, np.ndarray):
        values = list(values)
        missing = [value is None for value in values]
        if values and all(missing):
            return None
        if any(missing):
            filled = _numbers([0 if v is None else v for v in values], dtype, what)
            return np.ma.array(filled, mask=missing)
    return _numbers(values, dtype, what)


def _numbers(values: Any, dtype: Any, what: str) -> npt.NDArray[Any]:
    given = np.asarray(values) if len(values) else np.empty(0, dtype)
    if given.ndim != 1 or given.dtype.kind not in "biuf":
        raise SchemaError(
            f"{what} are {values!r}, where one number per instance is wanted.",
            hint="Give a list of numbers; class names are given to schema(classes=...).",
        )
    with np.errstate(invalid="ignore", over="ignore"):
        made = given.astype(dtype)
        same = made == given if made.dtype.kind in "iu" else np.isfinite(made)
    if not np.all(same):
        number = int(np.argmin(same))
        raise SchemaError(f"{what}: instance {number} has {given[number]}, no {made.dtype}.")
    return made


def as_extras(values: Mapping[str, Any] | None) -> Extras:
    """Return what else is known of instances: arrays where items are numbers, else lists."""
    return {name: as_extra(items) for name, items in (values or {}).items()}


def as_extra(items: Any) -> Any:
    """Return one item per instance: as an array if they are numbers of one shape, else as a list.

    Raises:
        SchemaError: It is a single value.
    """
    items = to_numpy(items)
    if isinstance(items, np.ndarray) and items.ndim:
        return items if items.dtype.kind in "biuf" else items.tolist()
    if isinstance(items, str | bytes) or not hasattr(items, "__len__"):
        raise SchemaError(
            f"{items!r} is a single value, where one item per instance is wanted.",
            hint="Give a list.",
        )
    items = list(items)
    if items and all(isinstance(item, bool | int | float | np.generic) for item in items):
        array = np.asarray(items)
        return array if array.dtype.kind in "biuf" else items
    if items and all(isinstance(item, np.ndarray) for item in items):
        alike = len({(item.shape, item.dtype) for item in items}) == 1
        return np.stack(items) if alike and items[0].dtype.kind in "biuf" else items
    return items


def check_lengths(count: int, parts: Mapping[str, Any]) -> None:
    """Refuse parts that have not one item per instance. None is skipped.

    Raises:
        SchemaError: One has more or fewer.
    """
    for name, items in parts.items():
        if items is not None and len(items) != count:
            raise SchemaError(
                f"{name!r} has {len(items)} items, where there are {count} instances.",
                hint="Give one item per instance.",
            )


def as_list(items: Any) -> Any:
    """Return items as nested lists of plain values; None for None."""
    if items is None:
        return None
    if hasattr(items, "tolist"):
        return items.tolist()
    return [item.tolist() if hasattr(item, "tolist") else item for item in items]


def stacked(before: Any, count: int, added: Sequence[Any]) -> Any:
    """Return what instances have, followed by what further ones have; None for what is missing."""
    if isinstance(before, np.ma.MaskedArray):
        before = before.tolist()  # its own items warn where they are masked
    known = [None] * count if before is None else list(before)
    return as_extra([*known, *added])


def with_item(extras: Extras, count: int, item: Mapping[str, Any]) -> Extras:
    """Return what `count` instances have with one more; None in `item` is missing there."""
    known = {name: value for name, value in item.items() if value is not None}
    return {
        name: stacked(extras.get(name), count, [known.get(name)])
        for name in names_of([extras, known])
    }


def names_of(parts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return all keys, in the order in which they come first."""
    return list(dict.fromkeys(name for part in parts for name in part))
