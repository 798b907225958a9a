from __future__ import annotations

import pytest

from tlc.testing import ProjectContract, UrlAdapterContract


class TestGsUrlAdapter(UrlAdapterContract):
    @pytest.fixture
    def root(self, gs_root):
        return gs_root


class TestProjectInGcs(ProjectContract):
    @pytest.fixture
    def root(self, gs_root):
        return gs_root


class TestFsspecUrlAdapterOfGcs(UrlAdapterContract):
    @pytest.fixture
    def root(self, gcsfs_root):
        return gcsfs_root


class TestProjectThroughGcsfs(ProjectContract):
    is_shared = False  # another process would have to register the scheme too

    @pytest.fixture
    def root(self, gcsfs_root):
        return gcsfs_root
