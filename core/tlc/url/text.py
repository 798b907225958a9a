"""The text of a url: one spelling for each place, its parts, and the way from one to another.

Functions on strings, so that `Url` stays a thin value around one of them.
"""

from __future__ import annotations

import os
import posixpath
import re
from typing import NamedTuple

from tlc.url.options import Scheme

__all__ = [
    "ALIAS",
    "Parts",
    "add_folders",
    "has_alias",
    "is_absolute",
    "is_drive",
    "is_local",
    "join",
    "normalise",
    "relative",
    "scheme_of",
    "split",
    "tidy",
]

ALIAS = re.compile(r"<([A-Z][A-Z0-9_]*)>(?=/|$)")
"""An alias at the start of a url."""

# Two characters at least: "C:" is a drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_SYNONYMS = {"gcs": "gs", "s3a": "s3", **dict.fromkeys(("azure", "az", "abfss"), "abfs")}
_KNOWN = {scheme.value: scheme for scheme in Scheme}
# Others may tell "a/" from "a" and "a//b" from "a/b": their text is left as it is.
_FOLDERS: set[str] = {Scheme.MEMORY, Scheme.S3, Scheme.GS, Scheme.ABFS}


class Parts(NamedTuple):
    """A text taken apart.

    Attributes:
        root: Scheme and host, or drive; empty for other paths.
        path: From the first slash after the root; all of a relative path.
        query: What follows the first "?", never of a local path.
    """

    root: str
    path: str
    query: str


def add_folders(scheme: str) -> None:
    """Let ``..`` in urls of a scheme lead to the folder above, and a slash at the end go."""
    _FOLDERS.add(scheme)


def normalise(text: str) -> str:
    """Return the one spelling of a text: local paths plain, slashes forward, none at the end."""
    match = _SCHEME.match(text) if "://" in text else None
    if match is None:
        return _normalise_path(text)
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme == Scheme.FILE:
        return _normalise_path(_path_in_file_url(rest))
    scheme = _SYNONYMS.get(scheme, scheme)
    return f"{scheme}://{rest.rstrip('/') if scheme in _FOLDERS else rest}"


def _normalise_path(text: str) -> str:
    has_drive = text[1:2] == ":" and _DRIVE.match(text) is not None
    # Elsewhere a backslash is a letter like any other.
    if has_drive or os.sep == "\\":
        text = text.replace("\\", "/")
    if not text.endswith("/"):
        return text
    stripped = text.rstrip("/")
    return f"{stripped}/" if not stripped or (has_drive and len(stripped) == 2) else stripped


def _path_in_file_url(rest: str) -> str:
    from urllib.parse import unquote  # late: rare

    host, slash, path = unquote(rest).partition("/")
    if host.lower() in ("", "localhost"):
        path = slash + path
        return path[1:] if _DRIVE.match(path, 1) else path
    return f"{host}/{path}" if _DRIVE.match(f"{host}/") else f"//{host}/{path}"


def is_local(text: str) -> bool:
    """Return whether a text is a path and not a url with a scheme."""
    return "://" not in text or _SCHEME.match(text) is None


def has_alias(text: str) -> bool:
    """Return whether a text starts with an alias."""
    return text.startswith("<") and ALIAS.match(text) is not None


def is_drive(text: str) -> bool:
    """Return whether a text starts with a drive of Windows."""
    return _DRIVE.match(text) is not None


def is_absolute(text: str) -> bool:
    """Return whether a text means the same wherever it is read."""
    return text.startswith("/") or not is_local(text) or has_alias(text) or is_drive(text)


def scheme_of(text: str) -> str:
    """Return the scheme of a normalised text, a `Scheme` if it is one of those."""
    if is_local(text):
        return Scheme.FILE
    scheme = text.partition("://")[0]
    return _KNOWN.get(scheme, scheme)


def split(text: str) -> Parts:
    """Take a normalised text apart."""
    if is_local(text):
        return Parts(text[:2], text[2:], "") if is_drive(text) else Parts("", text, "")
    place, _, query = text.partition("?")
    slash = place.find("/", place.index("://") + 3)
    return Parts(place, "", query) if slash < 0 else Parts(place[:slash], place[slash:], query)


def tidy(text: str) -> str:
    """Resolve ``.`` and ``..`` in an absolute text."""
    root, path, query = split(text)
    if is_local(text):
        path = posixpath.normpath(path)
        # POSIX leaves two leading slashes to the system; only Windows gives them a meaning.
        return root + (path[1:] if path.startswith("//") and os.sep == "/" else path)
    if "/." not in path or scheme_of(text) not in _FOLDERS:
        return text
    return _build(root, posixpath.normpath(path), query)


def join(base: str, text: str) -> str:
    """Return what `text` means inside the folder `base`."""
    if base in ("", ".") or is_absolute(text):
        return text
    root, path, _ = split(base)
    return f"{root}{path.rstrip('/')}/{text}"


def relative(text: str, base: str) -> str | None:
    """Return the way from the folder `base` to `text`, both absolute; None if there is no way."""
    root, path, query = split(text)
    base_root, base_path, _ = split(base)
    if root != base_root:
        return None
    way = posixpath.relpath(path or "/", base_path or "/")
    # A folder may be named like a drive or an alias.
    return _build("./" if is_absolute(way) else "", way, query)


def _build(root: str, path: str, query: str) -> str:
    return f"{root}{path}?{query}" if query else f"{root}{path}"
