"""No framework asks the network for anything in these tests, and no notebook does."""

from __future__ import annotations

import pytest
from notebooks.execution import FULL
from tests.common import offline as offline


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    """Have notebooks take the data at hand, also where the full data are asked for."""
    monkeypatch.delenv(FULL, raising=False)
