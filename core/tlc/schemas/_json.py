"""What schemas hold as JSON and back, without loss: also NaN, infinities and bytes."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

from tlc.errors import SchemaError

_FLOAT = "__float__"
_BYTES = "__bytes__"


def to_json(value: Any) -> Any:
    """Return `value` as plain JSON data: dict, list, str, int, float, bool, None.

    Arrays, tensors and their scalars become lists and numbers; tuples become lists; keys become
    strings.

    Raises:
        SchemaError: The value has no JSON form.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_FLOAT: repr(float(value))}
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if callable(as_list := getattr(value, "tolist", None)):
        return to_json(as_list())
    raise SchemaError(
        f"A schema cannot hold a value of type {type(value).__name__!r}.",
        hint="Use numbers, strings, lists and dictionaries.",
    )


def from_json(value: Any) -> Any:
    """Return what `to_json` was given, with lists for tuples and arrays."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_FLOAT}:
        return float(value[_FLOAT])
    if value.keys() == {_BYTES}:
        return base64.b64decode(value[_BYTES])
    return {key: from_json(item) for key, item in value.items()}
