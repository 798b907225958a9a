"""Parts of SuperGradients, imported when they are asked for."""

from __future__ import annotations

from typing import Any

from tlc._optional import require


def part(module: str, name: str) -> Any:
    """Return a class or function of SuperGradients.

    Args:
        module: Its module, within ``super_gradients``.
        name: Its name.

    Raises:
        MissingExtraError: SuperGradients is not installed.
    """
    found = require(
        f"super_gradients.{module}", extra="super-gradients", purpose="to work with its trainer"
    )
    return getattr(found, name)
