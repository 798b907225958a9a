"""The packages behind reducers: found or named, and kept from talking to themselves."""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.errors import BrokenExtraError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ONE_AT_A_TIME = threading.RLock()
"""PaCMAP keeps its seed in its module, and filters of warnings are those of all threads."""

_NOISE = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning)


def import_package(method: str, module: str, distribution: str) -> Any:
    """Import and return the package of a method.

    Args:
        method: Name of the method, for messages.
        module: Dotted name of the module.
        distribution: Name of what installs it.

    Raises:
        MissingExtraError: It is not installed.
        BrokenExtraError: It is, but cannot be imported, for instance because it needs a package
            that is not.
    """
    try:
        with quiet():
            return require(module, extra="reduction", purpose=f"to reduce embeddings by {method!r}")
    except MissingExtraError:
        raise
    except Exception as error:  # noqa: BLE001 - packages may raise anything as they load
        failure = error
    found = f"{distribution} {version_of(distribution)}"
    raise BrokenExtraError(
        f"The method {method!r} needs the package {distribution!r}, which is there ({found}) but "
        f"cannot be imported: {type(failure).__name__}: {failure}.",
        hint="pip install --force-reinstall 'opentlc[reduction]'; the method 'pca' needs no "
        "package.",
    ) from failure


def version_of(distribution: str) -> str:
    """Return the version of an installed distribution; ``"unknown"`` if none is noted."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


@contextmanager
def quiet(*loggers: str) -> Iterator[None]:
    """Keep back what packages say about themselves: old names they use, and notes on a seed.

    One thread at a time is in such a block.

    Args:
        loggers: Names of loggers whose warnings are such notes.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        for category in _NOISE:
            warnings.simplefilter("ignore", category)
        levels = {name: logging.getLogger(name).level for name in loggers}
        try:
            for name in loggers:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
