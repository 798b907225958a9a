"""Whatever a power cut leaves of real work, in a model that promises no more than POSIX does.

Each test records work, then goes through what each of its steps could have left on the disk.
"""

from __future__ import annotations

import random
import shutil

import pytest
from tests.reliability.damage import check_harmless
from tests.reliability.scale import size
from tests.reliability.works import WORKS, told_of_lost_lines

from tlc.errors import TlcError
from tlc.testing.disks import LyingDisk, SimulatedDisk, use_disk

STEPS = 12
ENOUGH_STATES = size(20_000, 200_000) // len(WORKS)


class Recording:
    """Work that was done in `folder`, on a disk that leaves out some operations."""

    def __init__(self, folder, name, skipped=()):
        self.folder = folder
        self.work = WORKS[name]
        self.disk = SimulatedDisk(folder / "recorded")
        self.state_count = 0
        root = str(folder / "recorded")
        self.before = self.work.count(root)
        with use_disk(LyingDisk(skipped, self.disk)):
            goal = self.before + STEPS * self.work.step
            self.work.write(root, goal, self.disk.acknowledge)

    def states(self, limit=64):
        """Yield each different state, made real in a folder of its own."""
        before, seen = None, set()
        root = self.folder / "state"
        root.mkdir()
        for state in self.disk.crash_states(limit):
            self.state_count += 1
            key = hash((state.acknowledged[-1:], frozenset(state.files.items())))
            if key not in seen:
                seen.add(key)
                root = root.rename(self.folder / f"state-{self.state_count}")
                state.write_to(root, before)
                before = state
                yield state, str(root)
        shutil.rmtree(root)

    def is_lost(self, state, root):
        """Return whether something acknowledged is missing, or anything cannot be read."""
        acknowledged = max(state.acknowledged, default=self.before)
        try:
            with told_of_lost_lines():
                found = self.work.count(root)
        except (TlcError, UserWarning, AssertionError):
            return True
        return not acknowledged <= found <= acknowledged + self.work.step


@pytest.fixture
def folder(fast_folder):
    (fast_folder / "recorded").mkdir()
    return fast_folder


@pytest.mark.parametrize("name", WORKS)
def test_nothing_acknowledged_is_lost(name, folder):
    generator, states = random.Random(name), 0
    while states < ENOUGH_STATES:
        recording = Recording(folder, name)
        left = []
        for state, root in recording.states():
            assert not recording.is_lost(state, root), state
            left.append(state)
        states += recording.state_count
        assert len(left) > 100
        # The next round goes on where a power cut near the start of this one left things.
        shutil.rmtree(folder / "recorded")
        (folder / "recorded").mkdir()
        generator.choice(left[: len(left) // 4]).write_to(folder / "recorded")


@pytest.mark.parametrize("skipped", ["sync", "sync_folder"])
@pytest.mark.parametrize("name", WORKS)
def test_a_disk_that_does_not_wait_is_caught(name, skipped, folder):
    """The other tests would notice if `tlc` left out one of the two."""
    recording = Recording(folder, name, [skipped])
    assert any(recording.is_lost(state, root) for state, root in recording.states(limit=8))


@pytest.mark.parametrize("name", WORKS)
def test_without_waiting_damage_is_told_and_nothing_is_wrong(name, folder, monkeypatch):
    monkeypatch.setenv("TLC_DURABILITY", "os")
    recording = Recording(folder, name)
    assert recording.disk.calls["sync"] == recording.disk.calls["sync_folder"] == 0
    *_, last = recording.disk.crash_states(limit=2)
    damaged = [
        check_harmless(recording.work, root, last.files)
        for _, root in recording.states(limit=size(12, 100))
    ]
    assert max(damaged) > 0
