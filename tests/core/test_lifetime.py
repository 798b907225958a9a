"""What is looked after as long as the process runs, and at its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from tests.common.waiting import wait_until

from tlc import _lifetime
from tlc._lifetime import Ending, keeper, process
from tlc.errors import TlcWarning


class Note:
    """Something that is kept; `act` is called at each turn, and at the end."""

    def __init__(self, act=lambda: None, rank=0):
        self.act = act
        self.rank = rank
        self.turns = 0
        self.endings = []

    def keep(self):
        self.turns += 1
        self.act()

    def end(self, ending):
        self.endings.append(ending)
        self.act()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(keeper, "TURN_SECONDS", 0.01)


@pytest.fixture
def own():
    """A keeper of the test's own, so that its end is nobody else's."""
    made = keeper.Keeper()
    yield made
    made.clear()


def threads():
    return [each for each in threading.enumerate() if each.name == "tlc-keeper"]


def fail():
    raise OSError("the disk is on fire")


class TestTurns:
    def test_one_thread_serves_all_and_ends_with_the_last(self):
        wait_until(lambda: not threads())
        notes = [Note(), Note()]
        assert all(_lifetime.keep(note) for note in notes)
        wait_until(lambda: all(note.turns > 2 for note in notes))
        assert len(threads()) == 1
        for note in notes:
            _lifetime.release(note)
        wait_until(lambda: not threads())
        turns = [note.turns for note in notes]
        _lifetime.keep(notes[0])
        wait_until(lambda: notes[0].turns > turns[0])
        assert notes[1].turns == turns[1]

    def test_an_error_is_told_once_and_is_the_end_of_nobody(self, own):
        bad, good = Note(fail, rank=1), Note()
        own.add(good)
        wait_until(lambda: good.turns)
        with pytest.warns(TlcWarning, match=r"OSError: the disk is on fire It is tried") as told:
            self.take_turns(own, bad)
        turns = good.turns
        wait_until(lambda: good.turns > turns)
        assert len(told) == 1

    def take_turns(self, own, note):
        own.add(note)
        wait_until(lambda: note.turns > 5)

    def test_an_error_is_told_where_warnings_are_errors_too(self, own, monkeypatch):
        told = []
        monkeypatch.setattr(threading, "excepthook", told.append)
        bad = Note(fail)
        own.add(bad)
        wait_until(lambda: bad.turns > 5)
        (hook,) = told
        assert "the disk is on fire" in str(hook.exc_value)


class TestEnd:
    def test_each_hears_once_of_it_in_order(self, own):
        order = []
        notes = {rank: Note(lambda rank=rank: order.append(rank), rank) for rank in (2, 0, 1)}
        for note in notes.values():
            own.add(note)
        wait_until(lambda: all(note.turns for note in notes.values()))
        for _ in range(2):
            own.end(Ending("failed", "why"), 60)
        assert [note.endings for note in notes.values()] == [[Ending("failed", "why")]] * 3
        assert order[-3:] == [0, 1, 2]
        assert not own.add(Note())

    def test_an_error_does_not_keep_others_from_hearing(self, own):
        good = Note(rank=1)
        own.add(Note(fail))
        own.add(good)
        with pytest.warns(TlcWarning, match="the disk is on fire"):
            own.end(Ending("completed"), 60)
        assert good.endings == [Ending("completed")]

    def test_a_store_that_hangs_does_not_hold_the_process(self, own):
        free = threading.Event()
        own.add(Note(free.wait))
        try:
            with pytest.warns(TlcWarning, match="did not answer"):
                own.end(Ending("interrupted"), 0.1)
        finally:
            free.set()

    def test_there_is_nothing_to_do(self, own):
        own.end(Ending("completed"), 60)


class TestProcesses:
    @pytest.fixture
    def child(self):
        started = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        yield started
        started.kill()
        started.communicate()

    def identity(self, child):
        return process.Process(process.machine(), child.pid, process._started(child.pid) or "")

    def test_this_one(self):
        assert process.is_alive(process.this_process())
        assert process.this_process().pid == os.getpid()

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
    def test_another_one(self, child):
        identity = self.identity(child)
        assert process.is_alive(identity)
        assert process.is_alive(process.Process(process.machine(), child.pid, "12")) is False
        child.kill()
        wait_until(lambda: process.is_alive(identity) is False)  # before anybody asks how it ended
        child.wait()
        assert process.is_alive(identity) is False

    @pytest.mark.parametrize(("machine", "pid"), [("another", 1), ("another", 0), (None, 0)])
    def test_nobody_knows(self, machine, pid):
        identity = process.Process(machine or process.machine(), pid, "1")
        assert process.is_alive(identity) is None

    def test_a_number_that_no_process_can_have(self):
        identity = process.Process(process.machine(), 1 << 40, "1")
        assert process.is_alive(identity) is False
