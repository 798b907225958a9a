"""Values that people log, as JSON can hold them, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tlc.format.encode import as_numpy
from tlc.url import Url

_FLOAT = "$float"


def to_stored(value: Any) -> Any:
    """Return `value` as JSON data.

    Numbers of NumPy and torch become Python's, arrays lists, paths text, and NaN and the infinities
    keep their value. What has no form in JSON, such as a function, becomes its text.
    """
    value = as_numpy(value)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else {_FLOAT: str(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_stored(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_stored(item) for item in value]
    if isinstance(value, PurePath | Url):
        return str(value)
    return repr(value)


def from_stored(value: Any) -> Any:
    """Return what `to_stored` was given, as far as JSON could hold it."""
    if isinstance(value, dict):
        if value.keys() == {_FLOAT}:
            return float(value[_FLOAT])
        return {key: from_stored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_stored(item) for item in value]
    return value
