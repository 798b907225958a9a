"""How messages put things."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection


def some(values: Collection[Any], most: int) -> str:
    """Return values as a message names them: so many, and dots for the others."""
    more = ", ..." if len(values) > most else ""
    return ", ".join(map(str, islice(values, most))) + more
