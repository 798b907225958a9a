"""No framework asks the network for anything in these tests."""

from __future__ import annotations

from tests.common import offline as offline
