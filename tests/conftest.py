"""What every test gets: a configuration and projects of its own, and no active run from before."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tlc import _lifetime, _session
from tlc.configuration import Configuration

# A slow machine is no fault. In CI a change is judged by the same examples each time; elsewhere
# they differ, and what they find becomes a test.
settings.register_profile("tlc", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tlc")

# Set before any test imports torch: two cores are shared by several test processes.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    """Keep projects and settings in a folder of the test's own."""
    for name in list(os.environ):
        if name.startswith("TLC_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TLC_DEFAULT_ROOT_DIR", str(tmp_path / "tlc"))
    monkeypatch.setenv("TLC_CACHE_FOLDER", str(tmp_path / "cache"))
    monkeypatch.setenv("TLC_DISPLAY_PROGRESS", "false")
    Configuration.instance().reset()
    yield
    _session.set_active(None)
    _lifetime.forget_all()
    Configuration.instance().reset()
