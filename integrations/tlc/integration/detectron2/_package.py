"""The framework, which is imported only when an adapter of it is."""

from __future__ import annotations

from typing import Any

from tlc._optional import require


def detectron2(module: str) -> Any:
    """Return a module of the framework.

    Args:
        module: Its name within the package, such as ``"engine"``.

    Raises:
        MissingExtraError: It is not installed.
    """
    return require(f"detectron2.{module}", extra="detectron2", purpose="to work with its trainer")
