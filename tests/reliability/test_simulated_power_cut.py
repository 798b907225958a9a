"""Whatever a power cut leaves of real work, in a model that promises no more than POSIX does.

Each test records work, then goes through what each of its steps could have left on the disk.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from tests.reliability.damage import check_harmless
from tests.reliability.scale import size
from tests.reliability.works import WORKS, told_of_lost_lines

from tlc.errors import TlcError
from tlc.testing.disks import LyingDisk, SimulatedDisk, use_disk

STEPS = 6
ENOUGH_STATES = size(20_000, 200_000) // len(WORKS)


class Recording:
    """Work that was done on a disk that leaves out some operations.

    It begins in what `start` left, if that is given.
    """

    def __init__(self, folder, name, skipped=(), start=None):
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.work = WORKS[name]
        recorded = self.folder / "recorded"
        recorded.mkdir()
        if start:
            start.write_to(recorded)
        self.disk = SimulatedDisk(recorded)
        self.state_count = 0
        root = str(recorded)
        with told_of_lost_lines(), use_disk(LyingDisk(skipped, self.disk)):
            self.before = self.work.count(root)
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
        shutil.rmtree(self.folder)

    def is_lost(self, state, root):
        """Return whether something acknowledged is missing, or anything cannot be read."""
        acknowledged = max(state.acknowledged, default=self.before)
        try:
            with told_of_lost_lines():
                found = self.work.count(root)
        except (TlcError, UserWarning, AssertionError):
            return True
        return not acknowledged <= found <= acknowledged + self.work.step


@pytest.mark.parametrize("name", WORKS)
def test_nothing_acknowledged_is_lost(name, fast_folder):
    generator, states, start = random.Random(name), 0, None
    while states < ENOUGH_STATES:
        recording = Recording(fast_folder, name, start=start)
        left = []
        for state, root in recording.states():
            assert not recording.is_lost(state, root), state
            left.append(state)
        states += recording.state_count
        assert len(left) > 50
        # The next round goes on where a power cut near the start of this one left things.
        start = generator.choice(left[: len(left) // 4])


@pytest.mark.parametrize("skipped", ["sync", "sync_folder"])
@pytest.mark.parametrize("name", WORKS)
def test_a_disk_that_does_not_wait_is_caught(name, skipped, fast_folder):
    """The other tests would notice if `tlc` left out one of the two."""
    recording = Recording(fast_folder, name, [skipped])
    assert any(recording.is_lost(state, root) for state, root in recording.states(limit=8))


@pytest.mark.parametrize("name", WORKS)
def test_without_waiting_damage_is_told_and_nothing_is_wrong(name, fast_folder, monkeypatch):
    monkeypatch.setenv("TLC_DURABILITY", "os")
    recording = Recording(fast_folder, name)
    assert recording.disk.calls["sync"] == recording.disk.calls["sync_folder"] == 0
    *_, last = recording.disk.crash_states(limit=2)
    damaged = [
        check_harmless(recording.work, root, last.files)
        for _, root in recording.states(limit=size(12, 100))
    ]
    assert max(damaged) > 0
