"""Work in a new interpreter: what it costs from nothing, in time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import Timed

# Runs sys.argv[2] unmeasured and then sys.argv[3] under the clock; the report goes to a file.
_REPORTER = """
import sys, time
def status(name):
    with open("/proc/self/status") as file:
        return next(int(l.split()[1]) / 1024 for l in file if l.startswith(name + ":"))
names = {"__name__": "__main__"}
exec(compile(sys.argv[2], "setup", "exec"), names)
before, resident = set(sys.modules), status("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
started = time.perf_counter()
exec(compile(sys.argv[3], "work", "exec"), names)
seconds = time.perf_counter() - started
report = {"seconds": seconds, "added_mb": max(0.0, status("VmHWM") - resident),
    "kept_mb": status("VmRSS") - resident, "peak_mb": status("VmHWM"),
    "threads": round(status("Threads") * 1024), "modules": sorted(set(sys.modules) - before),
    "result": names.get("result")}
import json
with open(sys.argv[1], "w") as file:
    json.dump(report, file)
"""


@dataclass(frozen=True)
class Measured(Timed):
    """What a snippet cost in its interpreter.

    Attributes:
        seconds: Time that the snippet took.
        added_mb: Resident megabytes at its peak over those before it.
        kept_mb: Resident megabytes after it over those before it.
        peak_mb: Resident megabytes of the process at the snippet's peak.
        threads: Threads of the process after it.
        modules: Modules that it loaded.
        result: Value of its variable ``result``, if it has one; JSON.
    """

    added_mb: float
    kept_mb: float
    peak_mb: float
    threads: int
    modules: list[str]
    result: Any


def fresh(code: str, *, setup: str = "", environment: dict[str, str] | None = None) -> Measured:
    """Run `setup` and then, measured, `code` in a new interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        arguments = [sys.executable, "-P", "-c", _REPORTER, str(report), setup, code]
        surroundings = {**os.environ, **(environment or {})}
        subprocess.run(arguments, check=True, env=surroundings, stdout=subprocess.DEVNULL)
        return Measured(**json.loads(report.read_text()))


def whole(code: str, *, environment: dict[str, str] | None = None) -> Timed:
    """Run `code` in a new interpreter; return how long the process took from start to end."""
    arguments = [sys.executable, "-P", "-c", code]
    surroundings = {**os.environ, **(environment or {})}
    started = time.perf_counter()
    subprocess.run(arguments, check=True, env=surroundings, stdout=subprocess.DEVNULL)
    return Timed(time.perf_counter() - started)
