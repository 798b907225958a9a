"""Values of settings as environment variables have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tlc.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

_TRUTHS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
_NONE = ("", "none", "null")


def parsed(name: str, text: str, kind: str) -> Any:
    """Return the value that a variable stands for.

    Args:
        name: Name of the variable, for errors.
        text: Its value.
        kind: The annotation of the setting, such as ``"int | None"``.

    Raises:
        OptionError: It is no such value.
    """
    base, _, rest = kind.partition(" | ")
    if rest == "None" and text.strip().lower() in _NONE:
        return None
    if base == "str":
        return text
    try:
        return _READERS[base](text.strip())
    except KeyError:
        raise OptionError(
            f"{name} is set, but this setting cannot be given by an environment variable.",
            hint="unset it, and pass the setting to Settings(...).",
        ) from None
    except ValueError:
        raise OptionError(
            f"{name} is {text!r}.", hint=f"it is {_NAMES[base]}{' or none' if rest else ''}."
        ) from None


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise ValueError(text)
    return _TRUTHS[text.lower()]


def _dictionary(text: str) -> dict[str, Any]:
    found = json.loads(text or "{}")
    if not isinstance(found, dict):
        raise ValueError(text)
    return found


_READERS: dict[str, Callable[[str], Any]] = {
    "bool": _truth,
    "int": int,
    "float": float,
    "dict[str, Any]": _dictionary,
}
_NAMES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "dict[str, Any]": "a JSON object",
}
