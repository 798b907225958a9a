from __future__ import annotations

import pytest

from tlc.testing import ProjectContract, UrlAdapterContract


class TestAbfsUrlAdapter(UrlAdapterContract):
    @pytest.fixture
    def root(self, abfs_root):
        return abfs_root


class TestProjectInAzure(ProjectContract):
    @pytest.fixture
    def root(self, abfs_root):
        return abfs_root
