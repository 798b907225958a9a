"""How the end of a process is understood; `tests/reliability/test_interrupts.py` ends real ones."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from tlc import _lifetime
from tlc._lifetime import Ending, ending
from tlc.configuration import Configuration


class Note:
    rank = 0

    def keep(self):
        pass

    def end(self, ending):
        pass


@pytest.fixture
def signs(monkeypatch):
    """What has been seen of the end: nothing yet."""
    for name in ("last_exc", "last_value", "ps1"):
        monkeypatch.delattr(sys, name, raising=False)
    monkeypatch.setattr(ending._Signs, "error_before", None)
    monkeypatch.setattr(ending._Signs, "exit_argument", None)
    monkeypatch.setattr(ending._Signs, "terminated", False)
    return monkeypatch


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (None, Ending("completed")),
        (0, Ending("completed")),
        (False, Ending("completed")),
        (2, Ending("failed", "sys.exit(2)")),
        (True, Ending("failed", "sys.exit(True)")),
        ("no such file", Ending("failed", "no such file")),
        (130, Ending("interrupted", "sys.exit(130)")),
        (143, Ending("interrupted", "sys.exit(143)")),
    ],
)
def test_what_sys_exit_is_given(signs, argument, expected):
    noting = ending._noting(sys.exit)
    with pytest.raises(SystemExit) as caught:
        noting(argument)
    assert caught.value.code is argument
    assert ending._ending() == expected


@pytest.mark.parametrize("name", ["last_exc", "last_value"])
def test_an_error_that_nobody_caught(signs, name):
    signs.setattr(sys, name, ValueError("loss is NaN"), raising=False)
    assert ending._ending() == Ending("failed", "ValueError: loss is NaN")
    signs.setattr(sys, name, ValueError("x" * 5000))
    assert len(ending._ending().reason) == 1000
    signs.setattr(sys, name, KeyboardInterrupt())
    assert ending._ending() == Ending("interrupted", "KeyboardInterrupt")


def test_an_error_from_before_is_none_of_ours(signs):
    error = ValueError("long ago")
    signs.setattr(sys, "last_value", error, raising=False)
    signs.setattr(ending._Signs, "error_before", error)
    assert ending._ending() == Ending("completed")


def test_an_error_on_its_way(signs):
    """As a process of `multiprocessing` ends."""
    try:
        raise SystemExit(4)
    except SystemExit:
        assert ending._ending() == Ending("failed", "sys.exit(4)")
    try:
        raise OSError("gone")
    except OSError:
        assert ending._ending() == Ending("failed", "OSError: gone")


def test_memory_is_made_free_to_save_the_rest(signs):
    def hoard():
        rows = [0] * 10
        raise MemoryError(len(rows))

    with pytest.raises(MemoryError) as caught:
        hoard()
    error = caught.value
    signs.setattr(sys, "last_value", error, raising=False)
    assert error.__traceback__.tb_next.tb_frame.f_locals
    assert ending._ending() == Ending("failed", "MemoryError: 10")
    assert not error.__traceback__.tb_next.tb_frame.f_locals


def test_an_interactive_session(signs):
    signs.setattr(sys, "ps1", ">>> ", raising=False)
    signs.setattr(sys, "last_value", ValueError("typed wrong"), raising=False)
    assert ending._ending() == Ending("interrupted", "The interactive session ended.")


def test_sigterm_is_the_reason_whatever_came_of_it(signs):
    signs.setattr(sys, "last_value", ValueError("stopped"), raising=False)
    signs.setattr(ending._Signs, "terminated", True)
    assert ending._ending() == Ending("interrupted", "SIGTERM")


class TestHandler:
    @pytest.fixture(autouse=True)
    def handler(self, monkeypatch):
        """Whatever other tests have set, the system's default, and afterwards what was there."""
        before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
        monkeypatch.setattr(ending._Signs, "handler_of", 0)
        yield
        signal.signal(signal.SIGTERM, before)

    def keep_something(self):
        _lifetime.keep(Note())
        return signal.getsignal(signal.SIGTERM)

    def test_stands_in_for_the_default_action(self):
        assert self.keep_something() is ending._on_sigterm

    def test_leaves_one_of_the_program_alone(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert self.keep_something() is signal.SIG_IGN

    def test_can_be_switched_off(self):
        Configuration.instance().handle_sigterm = False
        assert self.keep_something() is signal.SIG_DFL

    def test_is_set_when_the_main_thread_comes(self):
        thread = threading.Thread(target=self.keep_something)
        thread.start()
        thread.join()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert self.keep_something() is ending._on_sigterm
