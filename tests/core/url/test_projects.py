from __future__ import annotations

import pytest

from tlc.testing import ProjectContract
from tlc.url import Url


class TestProjectOnDisk(ProjectContract):
    @pytest.fixture
    def root(self, tmp_path):
        return Url(tmp_path)


class TestProjectInMemory(ProjectContract):
    is_shared = False

    @pytest.fixture
    def root(self, tmp_path):
        return Url(f"memory://projects/{tmp_path.name}")
