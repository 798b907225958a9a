from __future__ import annotations

import errno
import os
import sys

import pytest

from tlc.configuration import Configuration
from tlc.errors import UrlExistsError
from tlc.testing.url_adapter_contract import UrlAdapterContract
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.unfinished import TEMP_PREFIX


class TestLocalUrlAdapter(UrlAdapterContract):
    @pytest.fixture
    def root(self, tmp_path):
        return Url(tmp_path)


class TestLocalUrlAdapterWithoutWaitingForTheDisk(UrlAdapterContract):
    @pytest.fixture
    def root(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TLC_DURABILITY", "os")
        return Url(tmp_path)


class TestLocalUrlAdapterWithoutHardLinks(UrlAdapterContract):
    @pytest.fixture
    def root(self, tmp_path, monkeypatch):
        def link(source, target):
            raise OSError(errno.EPERM, "no links here", source)

        monkeypatch.setattr(os, "link", link)
        return Url(tmp_path)


class TestMemoryUrlAdapter(UrlAdapterContract):
    @pytest.fixture
    def root(self, tmp_path):
        return Url("memory://contract") / tmp_path.name


@pytest.mark.parametrize("root", ["memory://", "memory:///"])
def test_memory_has_one_root(root):
    file = (Url(root) / "in-root.txt").write_bytes(b"")
    assert file in [Url(entry.path) for entry in UrlAdapterRegistry.list_dir(file.parent)]
    file.delete()


@pytest.mark.parametrize("name", ["a?b=c.txt", "a#b.txt", "a\\b.txt", "a:b", "line\nbreak", "<A>"])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_local_names_may_hold_what_urls_may_not(tmp_path, name):
    url = Url(tmp_path / name)
    url.write_bytes(name.encode())
    assert (tmp_path / name).read_bytes() == name.encode()
    assert url.name == name
    assert url.query == ""


def folder_syncs(monkeypatch):
    """Record which folders are synced, by their inode, and still sync them."""
    synced, fsync = [], os.fsync

    def recording(file):
        status = os.fstat(file if isinstance(file, int) else file.fileno())
        synced.append(status.st_ino)
        fsync(file)

    monkeypatch.setattr(os, "fsync", recording)
    return synced


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="syncs in another way")
@pytest.mark.parametrize("write", ["create", "write", "append"])
def test_a_write_reaches_the_disk_with_all_new_folders(tmp_path, monkeypatch, write):
    synced = folder_syncs(monkeypatch)
    url = Url(tmp_path) / "a" / "b" / "c.txt"
    call = {
        "create": UrlAdapterRegistry.create_binary_content_at_url,
        "write": UrlAdapterRegistry.write_binary_content_to_url,
        "append": UrlAdapterRegistry.append_binary_content_to_url,
    }[write]
    call(url, b"content")
    inodes = {os.stat(tmp_path / name).st_ino for name in ("", "a", "a/b", "a/b/c.txt")}
    assert set(synced) == inodes
    assert synced[-1] == os.stat(tmp_path / "a/b").st_ino


def test_durability_os_waits_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Configuration.instance(), "_set", {"durability": "os"})
    synced = folder_syncs(monkeypatch)
    (Url(tmp_path) / "a" / "b").write_bytes(b"content")
    assert synced == []


@pytest.mark.parametrize("broken", ["link", "replace", "fsync"])
def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch, broken):
    def fail(*arguments):
        raise OSError(errno.EIO, "broken")

    url = (Url(tmp_path) / "a").write_bytes(b"before")
    monkeypatch.setattr(os, broken, fail)
    writes = {
        "link": lambda: UrlAdapterRegistry.create_binary_content_at_url(url.create_unique(), b""),
    }
    with pytest.raises(OSError, match="broken"):
        writes.get(broken, lambda: url.write_bytes(b"after"))()
    assert os.listdir(tmp_path) == ["a"]
    assert url.read_bytes() == b"before"


def test_a_success_whose_answer_was_lost_is_a_success(tmp_path, monkeypatch):
    link = os.link

    def link_twice(source, target):
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", link_twice)
    url = Url(tmp_path) / "a"
    UrlAdapterRegistry.create_binary_content_at_url(url, b"content")
    assert url.read_bytes() == b"content"
    with pytest.raises(UrlExistsError):
        UrlAdapterRegistry.create_binary_content_at_url(url, b"other")


def test_files_being_written_are_not_listed(tmp_path):
    (tmp_path / f"{TEMP_PREFIX}1-2").touch()
    (tmp_path / ".hidden").touch()
    assert [entry.name for entry in UrlAdapterRegistry.list_dir(Url(tmp_path))] == [".hidden"]


def test_a_link_that_leads_nowhere_is_listed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    (entry,) = UrlAdapterRegistry.list_dir(Url(tmp_path))
    assert (entry.name, entry.is_dir, entry.size) == ("link", False, None)


def test_writing_to_a_link_changes_the_file_it_leads_to(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    Url(tmp_path / "link").write_bytes(b"content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"content"


def test_new_files_get_the_usual_rights(tmp_path):
    (tmp_path / "usual").touch()
    (Url(tmp_path) / "ours").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode
