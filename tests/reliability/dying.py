"""A training that ends in the way that its argument says: ``python dying.py WAY URL``.

It starts the run at that url, and writes rows and logged values to it. Each line that it says is
the number of rows, and of logged values, that it was told are taken.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from itertools import count
from pathlib import Path

from tests.reliability import no_append

import tlc

BATCH = 7
STEPS = 20


class Training:
    """A run and an open writer; `step` adds a batch and logs a value."""

    def __init__(self, url: str) -> None:
        self.run = tlc.init(run_url=url)
        self.writer = tlc.MetricsTableWriter(constants={"epoch": 0})
        self.steps = 0

    def step(self) -> None:
        rows = range(BATCH * self.steps, BATCH * (self.steps + 1))
        self.writer.add_batch({"n": list(rows)})
        tlc.log({"n": self.steps})
        self.steps += 1
        print(self.steps, flush=True)  # noqa: T201 - what its parent reads

    def go(self, steps: int = STEPS) -> None:
        for _ in range(steps):
            self.step()


def the_end(training: Training) -> None:
    """Nothing more to do."""


def within_with(training: Training) -> None:
    with training.writer:
        training.go()
        raise ValueError("within with")


def exception(training: Training) -> None:
    raise ValueError("loss is NaN")


def caught_exception(training: Training) -> None:
    with suppress(ValueError):
        raise ValueError("loss is NaN")


def exception_in_a_thread(training: Training) -> None:
    thread = threading.Thread(target=exception, args=(training,))
    thread.start()
    thread.join()


def exception_in_a_loader(training: Training) -> None:
    from torch.utils.data import DataLoader

    class Broken:
        def __len__(self) -> int:
            return 100

        def __getitem__(self, index: int) -> int:
            if index > 60:
                raise ValueError("cannot read the sample")
            return index

    for _ in DataLoader(Broken(), batch_size=BATCH, num_workers=2, multiprocessing_context="fork"):
        training.step()


def closed(training: Training) -> None:
    training.run.add_metrics_table(training.writer.finalize())
    tlc.close()


def exit_without_fault(training: Training) -> None:
    sys.exit()


def exit_with_a_number(training: Training) -> None:
    sys.exit(3)


def exit_with_a_text(training: Training) -> None:
    sys.exit("no such checkpoint")


def exit_as_if_terminated(training: Training) -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    os.kill(os.getpid(), signal.SIGTERM)


def until_seen(training: Training) -> None:
    """Wait to be killed, with nothing more to do."""
    while True:
        time.sleep(60)


def until_killed(training: Training) -> None:
    """Work until a signal comes, which the parent sends."""
    with suppress(RuntimeError):  # as training loops do, which a Ctrl-C passes
        for _ in count():
            training.step()


def until_killed_in_slow_code(training: Training) -> None:
    """Wait for a signal where it cannot be handled at once."""
    training.step()
    while True:
        time.sleep(0.05)
        ctypes.CDLL(None).usleep(200_000)


def until_killed_with_a_handler(training: Training) -> None:
    """Handle SIGTERM as trainers do that end an epoch in good order, and pass it on."""
    before = signal.getsignal(signal.SIGTERM)
    stop = threading.Event()

    def handler(number: int, frame: object) -> None:
        stop.set()
        before(number, frame)

    signal.signal(signal.SIGTERM, handler)
    while not stop.is_set():
        training.step()
    training.go(3)


def out_of_memory(training: Training) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), resource.RLIM_INFINITY))
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))


def os_exit(training: Training) -> None:
    os._exit(9)


def segmentation_fault(training: Training) -> None:
    ctypes.string_at(0)


def forked_child_that_leaves(training: Training) -> None:
    """A child that ends like any program, its copy of the writer still open."""
    child = os.fork()
    if not child:
        sys.exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    training.go()


def forked_child_that_writes(training: Training) -> None:
    child = os.fork()
    if not child:
        refused = 0
        for use in (training.step, training.writer.flush, training.writer.finalize):
            with suppress(tlc.errors.WriterStateError):
                use()
                continue
            refused += 1
        with training.writer:
            refused += 1
        training.writer.abort()
        tlc.log({"child": refused})
        os._exit(refused)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4
    training.go()


def forked_child_that_is_terminated(training: Training) -> None:
    child = os.fork()
    if not child:
        signal.pause()
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    training.go()


def subprocess_that_is_terminated(training: Training) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    child.terminate()
    assert child.wait() == -signal.SIGTERM
    training.go()


def processes_of_multiprocessing(training: Training) -> None:
    """Processes with runs of their own, which end without what ends a program."""
    for method in ("fork", "spawn"):
        url = f"{training.run.url}-{method}"
        child = multiprocessing.get_context(method).Process(target=fail, args=(url,))
        child.start()
        child.join()
        assert child.exitcode == 1


def fail(url: str) -> None:
    training = Training(url)
    training.go()
    raise ValueError("loss is NaN")


def dropped_writer(training: Training) -> None:
    del training.writer


def main() -> None:
    warnings.filterwarnings("ignore", "This process", DeprecationWarning)  # fork beside threads
    no_append.register()
    # What a shell starts in the background it starts deaf to Ctrl-C, and its children with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    way, url = sys.argv[1:]
    training = Training(url)
    training.go()
    globals()[way](training)


if __name__ == "__main__":
    main()
