"""Packages that `tlc` can use but does not need: import them late, or name the extra to install."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from tlc.errors import MissingExtraError


def require(module: str, *, extra: str, purpose: str) -> Any:
    """Import and return `module`.

    Args:
        module: Dotted name of the module, for example ``"torch.utils.data"``.
        extra: Extra of the distribution that installs it.
        purpose: What it is needed for, to be read after "is needed".

    Raises:
        MissingExtraError: The module is not installed.
    """
    if (found := sys.modules.get(module)) is not None:  # ten times faster than to import it again
        return found
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtraError(module, extra=extra, purpose=purpose) from error


def loaded(module: str) -> Any | None:
    """Return `module` if the program has imported it already, else None.

    A value of a framework's type can only exist if the framework was imported, so this is enough to
    recognise one without loading anything.
    """
    return sys.modules.get(module)
