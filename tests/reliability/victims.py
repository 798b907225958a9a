"""Processes that start in milliseconds, work, and are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Template:
    """Runs `victim.py`, which has imported all it needs and forks a process for each task.

    Args:
        folder: Where it may write while it starts.
    """

    def __init__(self, folder: Path) -> None:
        settings = {
            "VICTIM_FOLDER": str(folder),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "TLC_DISPLAY_PROGRESS": "false",
        }
        self._template = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("victim.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | settings,
        )
        assert "ready" in self._answer()

    def start(self, name: str, root: Path, **task: Any) -> Victim:
        """Start a process that works on a task; see `work` in `victim.py`."""
        self._tell(json.dumps({"name": name, "root": str(root), **task}))
        first = self._answer()
        early = []
        while "process" not in first:  # it may speak before the template does
            early.append(first)
            first = self._answer()
        return Victim(self, first["process"], early)

    def close(self) -> None:
        self._template.kill()
        self._template.wait()
        for pipe in (self._template.stdin, self._template.stdout):
            assert pipe is not None
            pipe.close()

    def _tell(self, line: str) -> None:
        assert self._template.stdin is not None
        self._template.stdin.write(f"{line}\n".encode())
        self._template.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._template.stdout is not None
        line = self._template.stdout.readline()
        assert line, "the template has ended"
        return json.loads(line)


class Victim:
    """One process at work.

    Attributes:
        acknowledged: How much of its work is safe, as far as it is known to have said.
        calls: How often it asked its disk for each operation, if it came to its end.
        status: How it ended: 0, or less than 0 if it was killed.
    """

    def __init__(self, template: Template, process: int, early: list[dict[str, Any]]) -> None:
        self.acknowledged = 0
        self.calls: dict[str, int] = {}
        self.status: int | None = None
        self._failure = ""
        self._template = template
        self._process = process
        for step in early:
            self._take(step)

    def wait_for(self, done: int) -> None:
        """Wait until it has acknowledged so much."""
        while self.acknowledged < done and not self._failure:
            self._take(self._template._answer())

    def kill(self) -> None:
        os.kill(self._process, signal.SIGKILL)

    def end(self) -> None:
        """Wait for its end and for all it has said."""
        self._template._tell("wait")
        while self.status is None:
            self._take(self._template._answer())
        assert not self._failure, self._failure

    def _take(self, step: dict[str, Any]) -> None:
        self._failure = step.get("failed", self._failure)
        self.acknowledged = max(self.acknowledged, step.get("done", 0))
        self.calls = step.get("calls", self.calls)
        self.status = step.get("status")


@contextmanager
def template(folder: Path) -> Iterator[Template]:
    made = Template(folder)
    try:
        yield made
    finally:
        made.close()
