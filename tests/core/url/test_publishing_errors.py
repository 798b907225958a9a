"""What is left, and what is told, when a system call fails while a file is written."""

from __future__ import annotations

import errno
import os
import pickle

import pytest

from tlc.errors import (
    StorageError,
    StorageFullError,
    StoragePermissionError,
    TlcError,
    UrlExistsError,
)
from tlc.testing.disks import FaultyDisk, InterceptedDisk, use_disk
from tlc.url import Url, UrlAdapterRegistry

CREATE = UrlAdapterRegistry.create_binary_content_at_url
REPLACE = UrlAdapterRegistry.write_binary_content_to_url
APPEND = UrlAdapterRegistry.append_binary_content_to_url


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        (errno.ENOSPC, StorageFullError, "free some space"),
        (errno.EDQUOT, StorageFullError, "quota"),
        (errno.EACCES, StoragePermissionError, "another root"),
        (errno.EPERM, StoragePermissionError, "another root"),
        (errno.EROFS, StorageError, "another root"),
        (errno.EMFILE, StorageError, "ulimit -n"),
        (errno.EIO, StorageError, "failing"),
    ],
    ids=lambda value: errno.errorcode.get(value, None) if isinstance(value, int) else "",
)
@pytest.mark.parametrize("write", [CREATE, REPLACE, APPEND])
def test_the_error_tells_url_reason_and_what_to_do(tmp_path, write, code, kind, hint):
    url = Url(tmp_path / "file")
    with use_disk(FaultyDisk(code, ["write"])), pytest.raises(kind) as caught:
        write(url, b"content")
    error = caught.value
    assert isinstance(error, TlcError)
    assert isinstance(error, PermissionError) == (kind is StoragePermissionError)
    assert error.errno == code
    assert str(url) in str(error)
    assert os.strerror(code) in str(error)
    assert hint in error.hint
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.errno, str(copy)) == (kind, code, str(error))


@pytest.mark.parametrize("write", [CREATE, REPLACE])
@pytest.mark.parametrize("operation", ["open_new", "write", "sync", "close"])
def test_what_cannot_be_written_whole_never_gets_its_name(tmp_path, write, operation):
    """The error of a close counts too: network file systems tell there what could not be stored."""
    disk = FaultyDisk(errno.EIO, [operation])
    with use_disk(disk), pytest.raises(StorageError):
        write(Url(tmp_path / "file"), b"content")
    assert os.listdir(tmp_path) == []
    assert disk.calls["link"] == disk.calls["replace"] == 0


@pytest.mark.parametrize("operation", ["write", "sync", "close", "link", "sync_folder"])
def test_after_a_failure_it_can_be_tried_again(tmp_path, operation):
    url = Url(tmp_path / "new" / "file")
    with use_disk(FaultyDisk(errno.EIO, [operation])):
        with pytest.raises(StorageError):
            CREATE(url, b"first")
        CREATE(url, b"second")
    assert url.read_bytes() == b"second"
    assert os.listdir(tmp_path / "new") == ["file"]


def test_a_file_whose_sync_failed_is_not_synced_again(tmp_path):
    """The system has forgotten the content then, and would say that all is well."""

    class Watching(InterceptedDisk):
        files = ()

        def intercept(self, operation, act, *arguments):
            if operation == "sync":
                self.files += (os.fstat(arguments[0]).st_ino,)
            return act(*arguments)

    (tmp_path / "holds the number of the removed file").touch()
    below = Watching()
    with use_disk(FaultyDisk(errno.EIO, ["sync"], lands=True, disk=below)):
        with pytest.raises(StorageError):
            CREATE(Url(tmp_path / "file"), b"content")
        assert list(tmp_path.glob(".tlc-tmp-*")) == []
        CREATE(Url(tmp_path / "file"), b"content")
    assert len(below.files) == 2
    assert below.calls["open_new"] == 2


@pytest.mark.parametrize(
    ("write", "operation"), [(CREATE, "write"), (CREATE, "link"), (REPLACE, "replace")]
)
def test_the_first_error_is_told_also_if_nothing_can_be_removed(tmp_path, write, operation):
    unremovable = FaultyDisk(errno.EROFS, ["unlink"], count=None)
    with (
        use_disk(FaultyDisk(errno.ENOSPC, [operation], disk=unremovable)),
        pytest.raises(StorageFullError),
    ):
        write(Url(tmp_path / "file"), b"content")
    assert unremovable.failures == 1


@pytest.mark.parametrize("write", [CREATE, REPLACE, APPEND])
def test_the_first_error_is_told_also_if_the_file_cannot_be_closed(tmp_path, write):
    disk = FaultyDisk(errno.ENOSPC, ["write"], disk=FaultyDisk(errno.EIO, ["close"]))
    with use_disk(disk), pytest.raises(StorageFullError):
        write(Url(tmp_path / "file"), b"content")


def test_a_file_that_has_its_name_is_written_although_the_other_name_stays(tmp_path):
    with use_disk(FaultyDisk(errno.EIO, ["unlink"])):
        CREATE(Url(tmp_path / "file"), b"content")
    assert (tmp_path / "file").read_bytes() == b"content"
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.parametrize("operation", ["make_folder", "sync_folder"])
def test_new_folders_go_when_not_all_can_be_made_safe(tmp_path, operation):
    """One that stayed would pass for one that is on the disk."""
    with (
        use_disk(FaultyDisk(errno.ENOSPC, [operation], first=2)),
        pytest.raises(StorageFullError),
    ):
        CREATE(Url(tmp_path / "a" / "b" / "c" / "file"), b"content")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_somebody_else_made_meanwhile_is_as_good(tmp_path):
    class Crowded(InterceptedDisk):
        def intercept(self, operation, act, *arguments):
            if operation == "make_folder":
                os.mkdir(arguments[0])
            return act(*arguments)

    with use_disk(Crowded()):
        CREATE(Url(tmp_path / "a" / "b" / "file"), b"content")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"content"


def test_the_name_of_a_new_file_is_safe_before_somebody_waits_for_a_record(tmp_path):
    """Else a record that is safe could be in a file that is not."""
    disk, url = InterceptedDisk(), Url(tmp_path / "file")
    with use_disk(disk):
        APPEND(url, b"first\n", durable=False)
        assert (disk.calls["sync"], disk.calls["sync_folder"]) == (0, 1)
        APPEND(url, b"second\n", durable=True)
    assert (disk.calls["sync"], disk.calls["sync_folder"]) == (1, 1)


def test_a_system_that_writes_in_small_pieces_writes_all(tmp_path):
    class Slow(InterceptedDisk):
        def intercept(self, operation, act, *arguments):
            if operation != "write":
                return act(*arguments)
            descriptor, data = arguments
            return act(descriptor, data[:3])

    disk = Slow()
    with use_disk(disk):
        CREATE(Url(tmp_path / "file"), b"0123456789")
        assert disk.calls["write"] == 4
        with pytest.raises(StorageFullError):  # a record goes in one piece or not at all
            APPEND(Url(tmp_path / "log"), b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


@pytest.mark.parametrize("operation", ["link", "unlink"])
def test_a_success_that_looks_like_a_failure_is_a_success(tmp_path, operation):
    url = Url(tmp_path / "file")
    with use_disk(FaultyDisk(errno.EIO, [operation], lands=True)):
        CREATE(url, b"content")
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(UrlExistsError):
        CREATE(url, b"other")


def test_a_copy_names_the_file_that_cannot_be_read_or_written(tmp_path):
    source, target = Url(tmp_path / "source").write_bytes(b"content"), Url(tmp_path / "target")
    with (
        use_disk(FaultyDisk(errno.ENOSPC, ["write"])),
        pytest.raises(StorageFullError, match="target"),
    ):
        UrlAdapterRegistry.copy_url(source, target)
    UrlAdapterRegistry.copy_url(source, target)
    assert target.read_bytes() == b"content"
