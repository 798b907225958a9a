"""What schemas hold as JSON and back, without loss: also NaN, infinities and bytes.

They are ``{"$float": "nan"}`` and ``{"$bytes": "<base64>"}``; a key that starts with ``$`` is
written with one more.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

from tlc.errors import SchemaError

FLOAT = "$float"
BYTES = "$bytes"


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
        return float(value) if math.isfinite(value) else {FLOAT: repr(float(value))}
    if isinstance(value, bytes):
        return {BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return {escaped(str(key)): to_json(item) for key, item in value.items()}
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
    if value.keys() == {FLOAT}:
        return float(value[FLOAT])
    if value.keys() == {BYTES}:
        return base64.b64decode(value[BYTES])
    return {
        key.removeprefix("$") if isinstance(key, str) else key: from_json(item)
        for key, item in value.items()
    }


def escaped(key: str) -> str:
    """Return a key so that it is not taken for one of those that mean something here."""
    return f"${key}" if key.startswith("$") else key
