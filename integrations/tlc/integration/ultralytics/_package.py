"""The installed `ultralytics`: its modules, if its version is one that the adapter knows."""

from __future__ import annotations

import re
from typing import Any

from tlc._optional import require
from tlc.errors import ConfigurationError

OLDEST, BEYOND = (8, 4, 140), (8, 5, 0)
"""The adapter works from the one, the first that hands callbacks to other processes, to before the
other."""


def framework(name: str = "") -> Any:
    """Return `ultralytics`, or a module of it.

    Args:
        name: The module within the package, such as ``"data.dataset"``.

    Raises:
        MissingExtraError: It is not installed.
        ConfigurationError: It is of a version that the adapter does not know.
    """
    package = require("ultralytics", extra="ultralytics", purpose="to train its models")
    check_version(package.__version__)
    if not name:
        return package
    return require(f"ultralytics.{name}", extra="ultralytics", purpose="to train its models")


def check_version(version: str) -> None:
    """Check that a version of `ultralytics` is one that the adapter knows.

    Raises:
        ConfigurationError: It is not.
    """
    numbers = tuple(map(int, re.findall(r"\d+", version)[:3]))
    if OLDEST <= numbers < BEYOND:
        return
    first, end = (".".join(map(str, each)) for each in (OLDEST, BEYOND))
    raise ConfigurationError(
        f"ultralytics {version} is installed; this version of tlc works with {first} up to, but "
        f"not including, {end}.",
        hint=f"pip install 'ultralytics>={first},<{end}'.",
    )
