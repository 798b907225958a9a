from __future__ import annotations

import sys
from threading import RLock

import pytest
from fsspec.implementations.memory import MemoryFileSystem

import tlc
from tlc.errors import (
    ConfigurationError,
    MissingExtraError,
    StorageError,
    UnsettledWriteError,
    UnsupportedOperationError,
)
from tlc.testing import ProjectContract, UrlAdapterContract
from tlc.url import FsspecUrlAdapter, Url, UrlAdapterRegistry, list_url_adapters, register_fsspec


class Locked(MemoryFileSystem):
    """A file system of one's own, which creates in one indivisible step."""

    protocol = "locked"
    store, pseudo_dirs = {}, [""]
    lock = RLock()

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        with self.lock:
            super().pipe_file(path, bytes(value), mode=mode, **kwargs)


@pytest.fixture
def locked(monkeypatch, tmp_path):
    monkeypatch.setattr(UrlAdapterRegistry, "_adapters", dict(UrlAdapterRegistry._adapters))
    register_fsspec("locked", Locked(), creates_exclusively=True)
    return Url(f"locked://tests/{tmp_path.name}")


class TestFsspecUrlAdapter(UrlAdapterContract):
    @pytest.fixture
    def root(self, locked):
        return locked


class TestProjectThroughFsspec(ProjectContract):
    is_shared = False

    @pytest.fixture
    def root(self, locked):
        return locked


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.setattr(UrlAdapterRegistry, "_adapters", dict(UrlAdapterRegistry._adapters))
    return register_fsspec("plain", "memory")


def test_a_file_system_is_named(plain):
    url = Url("plain://folder/a").write_bytes(b"content")
    assert url.read_bytes() == b"content"
    assert isinstance(UrlAdapterRegistry.get(url), FsspecUrlAdapter)
    assert {"scheme": "plain", "source": "registered"}.items() <= next(
        info.items() for info in list_url_adapters() if info["scheme"] == "plain"
    )
    with pytest.raises(ConfigurationError, match="'s3'"):
        register_fsspec("s3", "memory")


def test_a_file_system_that_may_overwrite_is_refused_for_tables(plain):
    assert not plain.creates_exclusively()
    with pytest.raises(UnsupportedOperationError, match="MemoryFileSystem is not known to create"):
        tlc.Table.from_dict({"a": [1]}, root_url="plain://projects")
    assert not Url("plain://projects").exists()


def test_its_urls_have_folders(plain):
    Url("plain://folder/a.csv").write_bytes(b"x\n1\n")
    assert UrlAdapterRegistry.get(Url("plain://folder/a.csv")).is_remote()
    assert Url("plain://folder/x/../a.csv").to_absolute() == Url("plain://folder/a.csv")


def test_fsspec_need_not_be_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"opentlc\[fsspec\]"):
        register_fsspec("hf", "hf")


def test_errors_of_a_file_system_name_the_url(plain, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("the network is down")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", fail)
    with pytest.raises(StorageError, match=r"plain://folder/a.*RuntimeError: the network is down"):
        Url("plain://folder/a").read_bytes()
    monkeypatch.setattr(MemoryFileSystem, "pipe_file", fail)
    with pytest.raises(UnsettledWriteError):
        plain.put_if_absent(Url("plain://folder/a"), b"", "id")
