from __future__ import annotations

import pytest

from tlc.testing import ProjectContract, UrlAdapterContract


class TestS3UrlAdapter(UrlAdapterContract):
    @pytest.fixture
    def root(self, s3_root):
        return s3_root


class TestProjectInS3(ProjectContract):
    @pytest.fixture
    def root(self, s3_root):
        return s3_root
