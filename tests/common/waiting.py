"""Waiting for what another thread or process does."""

from __future__ import annotations

import time

PATIENCE_SECONDS = 60.0


def wait_until(happened):
    """Return as soon as `happened()` is true; fail if that takes too long."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.01)
