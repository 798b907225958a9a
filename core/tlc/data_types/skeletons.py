"""What the points of a skeleton are, as the metadata of a column of keypoints has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from tlc import constants
from tlc.errors import SchemaError
from tlc.schemas import MapElement

Attributes: TypeAlias = Sequence[str | MapElement | Mapping[str, str]]
"""A name or `MapElement` for each point, line or triangle."""

NUM_KEYPOINTS = "num_keypoints"
_PER_POINT = ("points", "point_attributes", constants.FLIP_INDICES, constants.OKS_SIGMAS)
_GROUPS = {"lines": 2, "triangles": 3}


def skeleton_metadata(num_keypoints: int, skeleton: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a column, without what is not given.

    Args:
        num_keypoints: Number of points; -1 if it varies.
        skeleton: Arguments of `Keypoints2D.schema`; None for what is not given.

    Raises:
        SchemaError: Something has not one item per point, or names a point that is not there.
    """
    given = {name: _plain(value) for name, value in skeleton.items() if value is not None}
    if num_keypoints >= 0:
        _check(num_keypoints, given)
    for name, length in _GROUPS.items():
        if len(given.get(name, ())) % length:
            raise SchemaError(
                f"{name} have {len(given[name])} numbers, where each has {length} points.",
                hint="Give one flat list.",
            )
    return {NUM_KEYPOINTS: num_keypoints, **given}


def attributes_of(metadata: Mapping[str, Any], name: str) -> list[str | MapElement] | None:
    """Return names or `MapElement` from the metadata of a column, as they were given."""
    values = metadata.get(name)
    if values is None:
        return None
    return [MapElement(**value) if isinstance(value, Mapping) else value for value in values]


def _plain(values: Any) -> list[Any]:
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return [
        value.to_dict() if isinstance(value, MapElement) else _plain_item(value) for value in values
    ]


def _plain_item(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.tolist() if hasattr(value, "tolist") else value


def _check(count: int, given: Mapping[str, Any]) -> None:
    for name in _PER_POINT:
        if name in given and len(given[name]) != count:
            raise SchemaError(
                f"{name} has {len(given[name])} items, where there are {count} points.",
                hint="Give one item per point.",
            )
    for name in (*_GROUPS, constants.FLIP_INDICES):
        wrong = [number for number in given.get(name, ()) if not 0 <= number < count]
        if wrong:
            raise SchemaError(f"{name} names point {wrong[0]}, where there are {count}.")
