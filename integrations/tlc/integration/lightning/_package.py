"""Which of its two packages Lightning is in here: `lightning`, or `pytorch_lightning`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from tlc._optional import loaded, require

_PACKAGES = ("lightning.pytorch", "pytorch_lightning")


def base_classes(module: str, name: str) -> tuple[Any, ...]:
    """Return a class of Lightning: of the packages that the program uses, else of either.

    A class of one package is none of the other's, so what is to work with both inherits from both.

    Args:
        module: The module of the class, within the package.
        name: The class.

    Raises:
        MissingExtraError: Neither package is installed.
    """
    used = [package for package in _PACKAGES if loaded(package) is not None] or [_installed()]
    return tuple(getattr(_module(package, module), name) for package in used)


def _installed() -> str:
    return next((each for each in _PACKAGES if find_spec(each.partition(".")[0])), _PACKAGES[0])


def _module(package: str, module: str) -> Any:
    return require(f"{package}.{module}", extra="lightning", purpose="to work with its trainer")
