"""A writer that is killed at any moment loses nothing that it has acknowledged."""

from __future__ import annotations

import os
import random
import sys
import time

import pytest
from tests.reliability.scale import size
from tests.reliability.victims import template
from tests.reliability.works import WORKS, Metrics

from tlc.testing.disks import OPERATIONS
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.unfinished import TEMP_PREFIX

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

KILLS = size(50, 250)
KILLS_PER_POINT = size(2, 20)


@pytest.fixture(scope="module")
def victims(tmp_path_factory):
    with template(tmp_path_factory.mktemp("template")) as made:
        yield made


def temp_files(root):
    return [name for _, _, names in os.walk(root) for name in names if name.startswith(TEMP_PREFIX)]


def sweep(root):
    adapter, url = UrlAdapterRegistry.resolve(Url(root))
    return adapter.sweep_unfinished(url, older_than_seconds=0)


def check(work, root, victim):
    """Assert that all is well where a writer was killed, and return what it left unfinished."""
    root = str(root)
    found = work.count(root)
    assert victim.acknowledged <= found <= victim.acknowledged + work.step
    if isinstance(work, Metrics):
        assert victim.acknowledged <= work.logged(root)
    left = len(temp_files(root))
    goal = found + 2 * work.step
    work.write(root, goal, str)
    assert work.count(root) == goal
    assert len(sweep(root)) == left
    assert temp_files(root) == []
    assert work.count(root) == goal
    return left


@pytest.mark.parametrize("name", WORKS)
def test_a_kill_at_any_moment_loses_nothing_acknowledged(name, victims, tmp_path):
    generator = random.Random(name)
    for number in range(KILLS):
        victim = victims.start(name, tmp_path / str(number), goal=10**9)
        victim.wait_for(generator.randrange(8) * WORKS[name].step)
        time.sleep(generator.uniform(0.0, 0.02))  # the moment is what is being tried
        victim.kill()
        victim.end()
        assert victim.status == -9
        check(WORKS[name], tmp_path / str(number), victim)


def points(name, victims, root):
    """Return points of the work at which to kill: each operation, before, amid and after it."""
    whole = victims.start(name, root, goal=6 * WORKS[name].step, point=["none"])
    whole.end()
    assert whole.status == 0
    generator = random.Random(name)
    for operation, count in sorted(whole.calls.items()):
        for moment in ["before", "after", *(["middle"] if operation == "write" else [])]:
            for number in generator.choices(range(1, count + 1), k=KILLS_PER_POINT):
                yield operation, number, moment


@pytest.mark.parametrize("name", WORKS)
def test_a_kill_at_each_named_point_loses_nothing_acknowledged(name, victims, tmp_path):
    left = {}
    for number, point in enumerate(points(name, victims, tmp_path / "whole")):
        root = tmp_path / str(number)
        victim = victims.start(name, root, goal=6 * WORKS[name].step, point=list(point))
        victim.end()
        assert victim.status == -9, point
        left[point] = check(WORKS[name], root, victim)
    # What the points mean: a link leaves its temporary name, whose removal leaves nothing.
    assert all(left[point] for point in left if point[::2] == ("link", "after"))
    assert not any(left[point] for point in left if point[::2] == ("unlink", "after"))


def test_all_operations_are_among_the_points(victims, tmp_path):
    used = {
        operation for name in WORKS for operation, _, _ in points(name, victims, tmp_path / name)
    }
    assert used == set(OPERATIONS) - {"remove_folder"}  # only needed after an error
