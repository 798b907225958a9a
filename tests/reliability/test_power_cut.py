"""A power cut loses nothing acknowledged: a real file system, as it is on its disk at a moment.

The writer is killed and the disk copied before the kernel has written more than it was asked to.
`test_simulated_power_cut.py` does the same without root, in a model.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path

import pytest
from tests.reliability.damage import check_harmless
from tests.reliability.loop_disk import loop_disk
from tests.reliability.scale import size
from tests.reliability.victims import template
from tests.reliability.works import WORKS, told_of_lost_lines

from tlc.errors import TlcError

CUTS = size(25, 250)
CUTS_WITHOUT_WAITING = size(10, 100)
CUTS_OF_LIARS = 3
# What the last step of the others makes is a name, whose folder must be synced. Here it is a line
# in a file, and ext4 puts a new file's name on the disk when the file is synced.
MADE_BY_NAME = [name for name in WORKS if name != "overwrites"]


@pytest.fixture(scope="module")
def victims(tmp_path_factory):
    with template(tmp_path_factory.mktemp("template")) as made:
        yield made


@pytest.fixture(scope="module")
def disk():
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(prefix="tlc-", dir=memory) as folder,
        loop_disk(Path(folder)) as made,
    ):
        yield made


@pytest.fixture
def roots(disk):
    """Yields folders of the disk that do not exist, and removes the one before.

    What was removed may be there again after a power cut, so no name is used twice.
    """

    def folders():
        while True:
            with tempfile.TemporaryDirectory(dir=disk.root, ignore_cleanup_errors=True) as folder:
                yield Path(folder) / "root"

    return folders()


def found_after(disk, root, work):
    """Return how far the work has come after a power cut, and see that it can go on."""
    with disk.after_power_cut() as folder, told_of_lost_lines():
        after = str(folder / root.relative_to(disk.root))
        found = work.count(after)
        work.write(after, found + 2 * work.step, str)
        assert work.count(after) == found + 2 * work.step
        return found


@pytest.mark.parametrize("name", WORKS)
def test_nothing_acknowledged_is_lost(name, victims, disk, roots):
    generator, work = random.Random(name), WORKS[name]
    for number, root in zip(range(CUTS), roots, strict=False):
        victim = victims.start(name, root, goal=10**9)
        if number % 2:
            victim.wait_for(generator.randint(1, 8) * work.step)
        else:
            time.sleep(generator.uniform(0.002, 0.08))  # the moment is what is being tried
        victim.kill()
        victim.end()
        found = found_after(disk, root, work)
        assert victim.acknowledged <= found <= victim.acknowledged + work.step


@pytest.mark.parametrize(
    ("name", "skipped"),
    [*((name, "sync") for name in WORKS), *((name, "sync_folder") for name in MADE_BY_NAME)],
)
def test_a_disk_that_does_not_wait_is_caught(name, skipped, victims, disk, roots):
    """The test above would notice if `tlc` left out one of the two."""
    work, caught = WORKS[name], 0
    for number, root in zip(range(CUTS_OF_LIARS), roots, strict=False):
        goal = (number + 2) * work.step
        victim = victims.start(name, root, goal=goal, skipped=[skipped], stay=True)
        victim.wait_for(goal)
        victim.kill()
        victim.end()
        try:
            caught += found_after(disk, root, work) < goal
        except (TlcError, UserWarning, AssertionError):
            caught += 1
    assert caught == CUTS_OF_LIARS


@pytest.mark.parametrize("name", WORKS)
def test_without_waiting_damage_is_told_and_nothing_is_wrong(name, victims, disk, roots):
    generator, work, damaged = random.Random(name), WORKS[name], 0
    for _, root in zip(range(CUTS_WITHOUT_WAITING), roots, strict=False):
        victim = victims.start(name, root, goal=10**9, durability="os")
        time.sleep(generator.uniform(0.002, 0.08))
        disk.commit_names()
        victim.wait_for(victim.acknowledged + generator.randint(1, 8) * work.step)
        victim.kill()
        victim.end()
        intact = {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }
        with disk.after_power_cut() as folder:
            damaged += check_harmless(work, str(folder / root.relative_to(disk.root)), intact)
    assert damaged > 0
