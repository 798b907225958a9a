"""The form of urls in rows: absolute, or beginning with an alias, so that they mean one file."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

from tlc.url import Url
from tlc.url.text import is_absolute

UrlLike: TypeAlias = str | os.PathLike[str]
"""A url as callers write it: a string, `Path` or `Url`."""


def is_url_like(value: Any) -> bool:
    """Return whether `value` names a file, but not as rows do: a path, or a relative string."""
    if isinstance(value, str):
        return value != "" and not is_absolute(value)
    return isinstance(value, os.PathLike)


def to_row_url(value: UrlLike) -> str:
    """Return a url as rows have it.

    A string that is absolute or begins with an alias stays as it is, and a relative one is made
    absolute from the working directory. `Url` and `Path` also get an alias where one applies.
    """
    if not isinstance(value, str):
        return Url(value).to_relative().to_str()
    return Url(value).to_absolute().to_str() if is_url_like(value) else value


def to_sample_url(row: str) -> str:
    """Return a url of a row as any library can open it: absolute, and without alias."""
    return row if row[:1] in ("/", "") else Url(row).to_absolute().to_str()
