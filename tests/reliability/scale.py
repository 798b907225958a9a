"""How much the tests of the promises do: a little in `make test`, more in `make torture`."""

from __future__ import annotations

import os

_IS_TORTURE = os.environ.get("TLC_TORTURE") == "1"  # now: each test begins without such variables


def size(ci: int, torture: int) -> int:
    """Return `torture` if ``TLC_TORTURE=1`` is set, else `ci`."""
    return torture if _IS_TORTURE else ci
