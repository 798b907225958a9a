"""A process that does what its standard input says, and acknowledges every step.

It reads lines of JSON, ``[command, arguments]``, and answers with one line of JSON per step; the
last line of a command is ``"done"``.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import warnings
from typing import TYPE_CHECKING, Any

from tests.common.members import serve

import tlc
from tlc.errors import TlcError

if TYPE_CHECKING:
    from collections.abc import Iterator


def init(**arguments: Any) -> Iterator[Any]:
    try:
        run = tlc.init(**arguments)
    except TlcError as error:
        yield {"error": type(error).__name__, "message": str(error)}
    else:
        yield {"url": run.url.to_str(), "id": run.id}


def log(url: str, writer: str, count: int) -> Iterator[Any]:
    run = tlc.Run.from_url(url)
    for number in range(count):
        run.log({"writer": writer, "number": number})
        yield number


def parameters(url: str, count: int) -> Iterator[Any]:
    run = tlc.Run.from_url(url)
    for number in range(count):
        run.set_parameters({f"p{number}": number})
        yield number


def log_forked(url: str, count: int) -> Iterator[Any]:
    run = tlc.Run.from_url(url)
    run.log({"writer": "before the fork", "number": 0})
    child = os.fork()
    _log(run, "parent" if child else "child", count)
    if not child:
        os._exit(0)
    yield os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def log_spawned(url: str, count: int) -> Iterator[Any]:
    run = tlc.Run.from_url(url)
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_log, args=(run, f"child {i}", count)) for i in range(2)]
    for child in children:
        child.start()
    _log(run, "parent", count)
    for child in children:
        child.join()
        yield child.exitcode


def log_on_full_disk(url: str) -> Iterator[Any]:
    """Log until the file cannot grow, a little further, and go on when it can again."""
    run = tlc.Run.from_url(url)
    run.log({"number": 0})
    yield 0
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(1, 50):
            run.log({"number": number})
            yield number
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    run.log({"number": 1000})
    yield 1000
    yield [str(each.message) for each in caught]


def write_metrics(
    url: str, table: str, epoch: int, batches: int, unique_ids: bool = False
) -> Iterator[Any]:
    """Write batches of 3 rows, acknowledging each when it is flushed."""
    with tlc.MetricsTableWriter(
        url, table, constants={"epoch": epoch}, unique_ids=unique_ids
    ) as writer:
        for number in range(batches):
            ids = [3 * number, 3 * number + 1, 3 * number + 2]
            writer.add_batch({"example_id": ids, "loss": [float(i) for i in ids]})
            writer.flush()
            yield writer.url.to_str()


def _log(run: tlc.Run, writer: str, count: int) -> None:
    for number in range(count):
        run.log({"writer": writer, "number": number})


if __name__ == "__main__":
    serve(init, log, log_forked, log_on_full_disk, log_spawned, parameters, write_metrics)
