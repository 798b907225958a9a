"""A process that reads hostile objects, with little memory and little time.

``python hostile.py FILES LOG`` reads numbers of batches from its standard input, makes as many
objects for each, reads them in every way there is, and answers with a line of JSON per batch. Which
object it is at stands in `LOG`, for the case that the process does not survive it.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from functools import partial

BATCH, SECONDS, BYTES = 500, 60, 2 << 30
HOST = "memory://h/root"


def limit():
    """Allow this process the memory that a hostile file may cost."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


class Reader:
    """Makes hostile objects out of good ones, and reads them."""

    def __init__(self, files, users):
        from tlc.url import Url

        self.files, self.users, self.url = files, users, Url
        for path, content in files.items():
            self.write(path, content)
        self.by_kind = {
            "manifest": [p for p in files if p.endswith(".json")],
            "parquet": [p for p in files if p.endswith(".parquet")],
            "events": [p for p in files if p.endswith(".jsonl")],
        }

    def write(self, path, content):
        self.url(f"{HOST}/{path}").write_bytes(content)

    def contents(self, kind, generator):
        """Return hostile contents of some files, and the objects that need them."""
        from tests.reliability import mutations

        path = generator.choice(self.by_kind[kind])
        content = getattr(mutations, kind)(self.files[path], generator)
        users = [generator.choice(self.users[path])]
        changed = {path: content}
        if kind == "parquet":
            for user in users:
                manifest = f"{user}/manifest.json"
                if manifest not in self.files:
                    changed[path] = mutations.resealed_parquet(content)
                    continue
                same_file = partial(self.same_file, path, user)
                changed[manifest] = mutations.described(self.files[manifest], content, same_file)
        return changed, users

    def same_file(self, path, user, entry):
        """Whether an entry in the manifest of `user` is that of the file at `path`."""
        absolute = self.url(entry).to_absolute(self.url(f"{HOST}/{user}"))
        return absolute.to_str() == f"{HOST}/{path}"

    def read(self, kind, generator, seen):
        """Make one object, read it, and count what happened."""
        from tlc.errors import TlcError

        changed, users = self.contents(kind, generator)
        for path, content in changed.items():
            self.write(path, content)
        try:
            for user in users:
                thorough = generator.random() < 0.005
                for act in acts(f"{HOST}/{user}", thorough=thorough):
                    try:
                        act()
                        seen["read"] += 1
                    except TlcError:
                        seen["refused"] += 1
        finally:
            for path in changed:
                self.write(path, self.files[path])


def acts(url, *, thorough):
    """Return all ways to read an object."""
    import tlc
    from tlc.catalog import list_runs, list_tables
    from tlc.cli.showing import show_object
    from tlc.objects import open_object
    from tlc.upkeep import collect_garbage, examine

    yield (
        lambda: (
            read_run(tlc.Run.from_url(url)) if is_run(url) else read_table(tlc.Table.from_url(url))
        )
    )
    if thorough:
        project = tlc.url.Url(f"{HOST}/p")
        yield lambda: open_object(url)
        yield lambda: list_tables(project) + list_runs(project)
        yield lambda: show_object(tlc.url.Url(url))
        yield lambda: repr(open_object(url))
        yield lambda: open_object(url).input_tables
        if is_run(url):
            yield lambda: tlc.Run.from_url(url).metrics_tables
            yield lambda: tlc.Run.from_url(url).metrics()
        if not is_run(url):
            yield lambda: open_object(url).latest()
            yield lambda: open_object(url).revisions()
        yield lambda: examine(project)
        yield lambda: collect_garbage("p", HOST)


def is_run(url):
    return url.split("/")[-2] == "runs"


def read_table(table):
    from tlc.errors import TlcError

    few = [number for number in (0, len(table) - 1) if 0 <= number < len(table)]
    steps = [
        lambda: (table.rows_schema, table.file_size, table.metrics_info, table.completeness),
        lambda: [table.get_value_map(name) for name in table.columns],
        lambda: [table.table_rows[number] for number in few],
        lambda: [table[number] for number in few],
        lambda: [table.column(name) for name in table.columns],
        lambda: list(table.table_rows) if len(table) < 10 else None,
        table.row_keys,
    ]
    run_all(steps, TlcError)


def read_run(run):
    from tlc.errors import TlcError

    steps = [
        lambda: (run.constants, run.description, run.last_modified, run.status_name),
        lambda: (run.input_tables, run.metrics),
    ]
    run_all(steps, TlcError)


def run_all(steps, allowed):
    """Take all steps, also after one was refused; raise the last refusal."""
    refused = None
    for step in steps:
        try:
            step()
        except allowed as error:
            refused = error
    if refused is not None:
        raise refused


def run_batch(reader, batch, log):
    """Return what happened in a batch: counts, and objects that were not refused politely."""
    seen, bad, slowest = Counter(), [], 0.0
    for number in range(BATCH):
        os.pwrite(log, f"{batch} {number:6d}\n".encode(), 0)
        generator = random.Random(batch * BATCH + number)
        kind = generator.choices(["manifest", "parquet", "events"], [60, 30, 10])[0]
        start = time.monotonic()
        try:
            reader.read(kind, generator, seen)
        except BaseException as error:  # noqa: BLE001
            bad.append(f"{kind} {number} of batch {batch}: {told(error)}")
        slowest = max(slowest, time.monotonic() - start)
        seen[kind] += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"seen": seen, "bad": bad, "slowest": slowest, "peak": peak}


def told(error):
    last = [line for line in traceback.format_exception(error) if "tlc" in line][-3:]
    return f"{type(error).__name__}: {str(error)[:200]} {''.join(last)}"


def main():
    files, log = sys.argv[1:]
    limit()
    warnings.simplefilter("ignore")
    with open(files, "rb") as file:
        reader = Reader(*pickle.load(file))
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT)
    for line in sys.stdin:
        signal.alarm(SECONDS)
        answer = run_batch(reader, int(line), descriptor)
        signal.alarm(0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
