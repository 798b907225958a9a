"""Processes that do what a test tells them, and say so step by step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Member:
    """A process that runs the commands of a module, which calls `serve`."""

    def __init__(self, module):
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "TLC_DISPLAY_PROGRESS": "false"},
        )

    def start(self, command, **arguments):
        self.process.stdin.write(json.dumps([command, arguments]) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def answers(self):
        """Return the answers to a command that was started."""
        return list(iter(self.answer, "done"))

    def call(self, command, **arguments):
        self.start(command, **arguments)
        return self.answers()

    def kill(self):
        """Kill the process and return what it had acknowledged until then."""
        self.process.kill()
        rest = [json.loads(line) for line in self.process.stdout if line.endswith("\n")]
        self.process.wait()
        return rest

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def serve(*commands):
    """Run commands, which are generators of answers, as they are asked for by name."""
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "This process", DeprecationWarning)  # fork beside threads
    known = {command.__name__: command for command in commands}
    say("ready")
    for line in sys.stdin:
        name, arguments = json.loads(line)
        for step in known[name](**arguments):
            say(step)
        say("done")


def say(step):
    """Tell the test that a step is done."""
    sys.stdout.write(json.dumps(step) + "\n")
    sys.stdout.flush()
