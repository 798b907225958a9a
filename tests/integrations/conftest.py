"""What is said before any framework is imported."""

from __future__ import annotations

from tests.common import offline as offline
