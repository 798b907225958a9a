"""The part of `Run` that says what the run is doing, and whether anybody is left to do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc import _session
from tlc.run.events import EventLog
from tlc.run.presence import attend, attendance, forget_the_gone, leave
from tlc.run.state import RunState, RunStatus

if TYPE_CHECKING:
    from tlc.url import Url


class HasStatus:
    """State and status of the run in a folder.

    Args:
        url: The run's folder.
        run_id: Its identity.
    """

    def __init__(self, url: Url, run_id: str) -> None:
        self._url = url
        self._run_id = run_id
        self._events = EventLog(url, run_id)

    @property
    def state(self) -> RunState:
        """All that the run holds now, read from its events."""
        return RunState.of(self._events.read())

    @property
    def status(self) -> float:
        """What the run is doing, as one of ``tlc.constants.RUN_STATUS_...``.

        It is what was set last: that of a run whose process was killed does not change any more;
        see `is_crashed`.
        """
        return float(self.state.status)

    @property
    def is_crashed(self) -> bool:
        """Whether the run has not ended, and all processes that were at work on it were killed.

        Processes of this machine are known at once to be gone, those of another one a minute
        after their last sign of life.
        """
        return not self.state.status.is_final and self._is_abandoned()

    @property
    def status_name(self) -> str:
        """What the run is doing, in a word: ``"running"``, ``"completed"``, ``"crashed"`` ..."""
        status = self.state.status
        crashed = not status.is_final and self._is_abandoned()
        return "crashed" if crashed else status.name.lower()

    def set_status_running(self) -> None:
        """Say that the run is at work."""
        self._set_status(RunStatus.RUNNING)

    def set_status_collecting(self) -> None:
        """Say that metrics are being collected."""
        self._set_status(RunStatus.COLLECTING)

    def set_status_post_processing(self) -> None:
        """Say that results are being worked on."""
        self._set_status(RunStatus.POST_PROCESSING)

    def set_status_completed(self) -> None:
        """Say that the run has ended well. If it is the active run, there is none afterwards."""
        self._set_status(RunStatus.COMPLETED)

    def set_status_failed(self, reason: str = "") -> None:
        """Say that the run has failed, and why. If it is the active run, there is none then."""
        self._set_status(RunStatus.FAILED, reason)

    def set_status_interrupted(self, reason: str = "") -> None:
        """Say that somebody stopped the run. If it is the active run, there is none afterwards."""
        self._set_status(RunStatus.INTERRUPTED, reason)

    def _set_status(self, status: RunStatus, reason: str = "") -> None:
        values = {"status": int(status), **({"reason": reason} if reason else {})}
        # A run that goes on must not stop because there is no space to say so.
        self._events.append("status", values, durable=status.is_final)
        if not status.is_final:
            self._attend()
            return
        leave(self._url, self._run_id)
        active: object = _session.get_active()
        if active == self:
            _session.set_active(None)

    def _attend(self) -> None:
        """Note that this process is at work on the run: how it ends is how the run ends."""
        attend(self._url, self._run_id)

    def _leave(self) -> None:
        """Note that this process has done its work; others may be at work still."""
        leave(self._url, self._run_id)

    def _go_on(self) -> None:
        """Start to work on a run that was there before, whatever became of it."""
        forget_the_gone(self._url, self._run_id)
        if self.state.status in (RunStatus.FAILED, RunStatus.INTERRUPTED):
            self.set_status_running()

    def _is_abandoned(self) -> bool:
        present = attendance(self._url, self._run_id)
        return bool(present) and not any(present)
