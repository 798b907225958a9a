"""The disks that misbehave do so as they say."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from tlc.testing.disks import (
    OPERATIONS,
    Disk,
    FaultyDisk,
    InterceptedDisk,
    LyingDisk,
    SimulatedDisk,
    current_disk,
    use_disk,
)

KILLED = """
import sys
from tlc.testing.disks import KillingDisk, use_disk
from tlc.url.publish import create

with use_disk(KillingDisk(sys.argv[2], int(sys.argv[3]), sys.argv[4])):
    for number in range(2):
        create(f"{sys.argv[1]}/{number}", b"0123456789", durable=True)
"""


def write(path, content):
    """Write a file by the disk in use, without waiting."""
    disk = current_disk()
    descriptor = disk.open_new(str(path))
    disk.write(descriptor, content)
    return disk, descriptor


def states(disk):
    """Return what each step may have left, in a form that can be compared."""
    found = {}
    for state in disk.crash_states():
        found.setdefault(state.after, set()).add(frozenset(state.files.items()))
    return list(found.values())


def test_a_disk_is_in_use_until_its_block_ends():
    before, disk = current_disk(), InterceptedDisk()
    with use_disk(disk):
        assert current_disk() is disk
    assert current_disk() is before
    with pytest.raises(KeyError), use_disk(disk):
        raise KeyError
    assert current_disk() is before


def test_every_operation_can_be_intercepted(tmp_path):
    asked = []

    class Noting(InterceptedDisk):
        def intercept(self, operation, act, *arguments):
            asked.append(operation)
            return act(*arguments)

    disk = Noting()
    path = str(tmp_path / "a")
    with use_disk(disk):
        _, descriptor = write(path, b"x")
    disk.sync(descriptor)
    disk.close(descriptor)
    disk.close(disk.open_append(path, create=False))
    disk.link(path, f"{path}b")
    disk.replace(path, f"{path}c")
    disk.unlink(f"{path}b")
    disk.make_folder(path)
    disk.sync_folder(path)
    disk.remove_folder(path)
    disk.make_folder(path)
    disk.remove_tree(path)
    assert os.listdir(tmp_path) == ["ac"]
    assert set(asked) == set(OPERATIONS) == set(disk.calls)
    assert disk.calls.total() == len(asked)


def test_a_faulty_disk_fails_at_the_calls_that_it_was_told(tmp_path):
    disk = FaultyDisk(errno.EIO, ["make_folder", "remove_folder"], first=2, count=2)
    outcomes = []
    for call in [disk.make_folder, disk.remove_folder, disk.remove_folder, disk.remove_folder]:
        try:
            call(str(tmp_path / "a"))
            outcomes.append(None)
        except OSError as error:
            outcomes.append(error.errno)
    assert outcomes == [None, errno.EIO, errno.EIO, None]
    assert disk.failures == 2


def test_a_write_that_fails_leaves_half(tmp_path):
    with use_disk(FaultyDisk(errno.ENOSPC, ["write"])), pytest.raises(OSError, match="space"):
        write(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"01234"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    ("operation", "number", "moment", "left"),
    [
        ("open_new", 1, "before", []),
        ("open_new", 1, "after", [b""]),
        ("write", 1, "middle", [b"01234"]),
        ("write", 1, "after", [b"0123456789"]),
        ("link", 1, "after", [b"0123456789"] * 2),
        ("unlink", 2, "after", [b"0123456789"] * 2),
    ],
)
def test_a_killing_disk_ends_its_process_at_the_point(tmp_path, operation, number, moment, left):
    arguments = [str(tmp_path), operation, str(number), moment]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert ended.returncode == -9
    assert [path.read_bytes() for path in tmp_path.iterdir()] == left


def test_content_that_was_not_synced_may_be_anything(tmp_path):
    disk = SimulatedDisk(tmp_path)
    with use_disk(disk):
        _, descriptor = write(tmp_path / "a", b"0123")
    disk.sync_folder(str(tmp_path))
    disk.sync(descriptor)
    disk.close(descriptor)
    nothing = frozenset()
    contents = [
        frozenset({("a", content)}) for content in (b"", b"01", b"0123", bytes(4), b"\0\x0023")
    ]
    assert states(disk) == [
        {nothing, contents[0]},
        {nothing, *contents},
        set(contents),
        {contents[2]},
    ]


def test_each_name_that_was_not_synced_may_be_there_or_not(tmp_path):
    disk = SimulatedDisk(tmp_path)
    disk.make_folder(str(tmp_path / "a"))
    disk.make_folder(str(tmp_path / "b"))
    disk.make_folder(str(tmp_path / "a" / "c"))
    disk.sync_folder(str(tmp_path / "a"))
    a, b, c = ("a", None), ("b", None), ("a/c", None)
    kept = [frozenset(names) for names in ([], [a], [b], [a, b], [a, c], [a, b, c])]
    assert states(disk) == [set(kept[:2]), set(kept[:4]), set(kept), {*kept[4:], kept[0], kept[2]}]


def test_a_name_is_replaced_in_one_step(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    disk = SimulatedDisk(tmp_path)
    with use_disk(disk):
        _, descriptor = write(tmp_path / "b", b"new")
    disk.sync(descriptor)
    disk.close(descriptor)
    disk.sync_folder(str(tmp_path))
    disk.replace(str(tmp_path / "b"), str(tmp_path / "a"))
    assert states(disk)[-1] == {
        frozenset({("a", b"old"), ("b", b"new")}),
        frozenset({("a", b"new")}),
    }


def test_acknowledgements_count_from_where_they_came(tmp_path):
    disk = SimulatedDisk(tmp_path)
    disk.acknowledge("nothing")
    disk.make_folder(str(tmp_path / "a"))
    disk.acknowledge("a")
    assert [state.acknowledged for state in disk.crash_states()] == [
        ("nothing",),
        ("nothing",),
        ("nothing",),
        ("nothing", "a"),
        ("nothing", "a"),
    ]


def test_what_lies_elsewhere_is_not_recorded(tmp_path):
    (tmp_path / "root").mkdir()
    disk = SimulatedDisk(tmp_path / "root")
    with use_disk(disk):
        _, descriptor = write(tmp_path / "a", b"x")
    disk.sync(descriptor)
    disk.close(descriptor)
    assert list(disk.crash_states()) == []


def test_a_tree_that_is_removed_may_be_there_in_part(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x")
    disk = SimulatedDisk(tmp_path)
    disk.remove_tree(str(tmp_path / "a"))
    whole, empty = [("a", None), ("a/b", b"x")], [("a", None)]
    assert states(disk) == [{frozenset(whole), frozenset(empty), frozenset()}]


def test_a_state_can_be_made_real_from_another(tmp_path):
    recorded, real = tmp_path / "recorded", tmp_path / "real"
    recorded.mkdir()
    real.mkdir()
    disk = SimulatedDisk(recorded)
    with use_disk(disk):
        for number in range(2):
            disk.make_folder(str(recorded / str(number)))
            _, descriptor = write(recorded / str(number) / "a", b"0123")
            disk.close(descriptor)
        disk.remove_tree(str(recorded / "0"))
        write(recorded / "0", b"a file in place of the folder")
    before = None
    for state in disk.crash_states(limit=20):
        state.write_to(real, before)
        before = state
        found = {
            str(path.relative_to(real)): path.read_bytes() if path.is_file() else None
            for path in real.rglob("*")
        }
        assert found == state.files


def test_only_some_states_are_shown_if_there_are_too_many(tmp_path):
    disk = SimulatedDisk(tmp_path)
    for number in range(20):
        disk.make_folder(str(tmp_path / str(number)))
    last = [state.files for state in disk.crash_states(limit=10) if state.after == 20]
    assert len(last) == 10
    assert {} in last
    assert {str(number): None for number in range(20)} in last
    assert len({frozenset(files) for files in last}) > 2


def test_a_lying_disk_leaves_out_what_it_was_told(tmp_path):
    below = InterceptedDisk(Disk())
    disk = LyingDisk(["sync"], below)
    with use_disk(disk):
        _, descriptor = write(tmp_path / "a", b"x")
    disk.sync(descriptor)
    disk.close(descriptor)
    assert disk.calls["sync"] == 1
    assert dict(below.calls) == {"open_new": 1, "write": 1, "close": 1}
