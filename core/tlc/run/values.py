"""Values that people log, as JSON can hold them; `from_json` reads them back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tlc.schemas._json import FLOAT, escaped
from tlc.url import Url

_DEEPEST = 100
_LONGEST_INT = 4096  # bits; Python does not turn much longer ones into text


def to_stored(value: Any) -> Any:
    """Return `value` as JSON data, from which `tlc.schemas._json.from_json` makes it again.

    Numbers of NumPy and torch become Python's, arrays lists, paths text, and NaN and the infinities
    keep their value. What has no form in JSON, such as a function, becomes its text, and so does
    what holds itself. No value is refused.
    """
    return _stored(value, ())


def _stored(value: Any, above: tuple[int, ...]) -> Any:
    if hasattr(value, "tolist") and hasattr(value, "dtype") and not isinstance(value, type):
        try:
            value = value.tolist()
        except (TypeError, ValueError, RuntimeError):  # such as a tensor without memory
            return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _LONGEST_INT else _text(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {FLOAT: str(float(value))}
    if isinstance(value, str | PurePath | Url):
        return _encodable(str(value))
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return _text(value)
    if id(value) in above or len(above) == _DEEPEST:
        return _text(value)
    above = (*above, id(value))
    if isinstance(value, Mapping):
        return {escaped(_encodable(str(key))): _stored(item, above) for key, item in value.items()}
    return [_stored(item, above) for item in value]


def _text(value: Any) -> str:
    try:
        return _encodable(repr(value))
    except Exception:  # noqa: BLE001 - whatever is wrong with it, a parameter must not stop a run
        return object.__repr__(value)


def _encodable(text: str) -> str:
    """Return `text` with halves of surrogate pairs, as in paths that are not UTF-8, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
