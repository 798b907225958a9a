from __future__ import annotations

import pytest

from tlc.export import registry


@pytest.fixture(autouse=True)
def only_built_in(monkeypatch):
    """Forget what a test registers."""
    monkeypatch.setattr(registry, "_registered", {})
