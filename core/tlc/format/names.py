"""Which names projects, datasets, tables, runs and columns may have."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from tlc.errors import NameNotAllowedError

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PROJECT = "default-project"
DEFAULT_DATASET = "default-dataset"
DEFAULT_TABLE = "table"
_LONGEST = 200
_SEPARATORS = frozenset('/\\<>:"|?*')


def check_name(name: str, what: str) -> str:
    """Return `name` if it may name an object that has a folder of its own.

    Args:
        name: The name; spaces, ``&`` and letters of any script are fine.
        what: What it names, for the message: ``"table"``, ``"project"`` ...

    Raises:
        NameNotAllowedError: The name is empty, too long, starts with a dot, or holds a path
            separator, a control character or a character that some file systems forbid.
    """
    reason = _objection(name)
    if reason:
        raise NameNotAllowedError(
            f"{name!r} cannot be the name of a {what}: {reason}.",
            hint="letters, digits, spaces and - _ . & ( ) are fine, a leading dot is not.",
        )
    return name


def check_case(name: str, siblings: Iterable[str], what: str) -> None:
    """Refuse `name` if it differs from a sibling only by case.

    Such a pair would be one folder on the file systems of macOS and Windows.

    Raises:
        NameNotAllowedError: There is such a sibling.
    """
    folded = name.casefold()
    for sibling in siblings:
        if sibling != name and sibling.casefold() == folded:
            raise NameNotAllowedError(
                f"{name!r} cannot be the name of a {what}: {sibling!r} exists and differs only by "
                "case, which some file systems cannot tell apart.",
                hint=f"use {sibling!r}, or a name that differs by more than case.",
            )


def check_column_name(name: object) -> str:
    """Return `name` if it may name a column.

    Raises:
        NameNotAllowedError: It is not a string, is empty, or holds a control character.
    """
    if not isinstance(name, str):
        raise NameNotAllowedError(
            f"The column name {name!r} is {_article(type(name).__name__)}, not a string."
        )
    if not name or _has_control(name):
        raise NameNotAllowedError(
            f"{name!r} cannot be the name of a column: it is empty or holds a control character."
        )
    return name


def _objection(name: object) -> str:
    if not isinstance(name, str):
        return f"it is {_article(type(name).__name__)}, not a string"
    if not name.strip():
        return "it is empty"
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    if name.startswith("."):
        return "it starts with a dot"
    if name != name.strip() or name.endswith("."):
        return "it begins or ends with a space, or ends with a dot"
    forbidden = sorted(_SEPARATORS & set(name))
    if forbidden:
        return f"it holds {forbidden[0]!r}"
    if _has_control(name):
        return "it holds a control character"
    return ""


def _has_control(name: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cs"} for char in name)


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
