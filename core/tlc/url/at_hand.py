"""Contents of remote files that were fetched for the samples that are being read just now."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.errors import TlcError

__all__ = ["AT_HAND", "content_at_hand"]

AT_HAND: ContextVar[Mapping[str, bytes | TlcError] | None] = ContextVar("AT_HAND", default=None)
"""By url: the content, or why there is none."""


def content_at_hand(url: str) -> bytes | None:
    """Return the content of a file that was fetched; None if it was not.

    Raises:
        TlcError: It could not be fetched.
    """
    contents = AT_HAND.get()
    found = None if contents is None else contents.get(url)
    if isinstance(found, Exception):
        raise found
    return found
