"""Many orders of requests, of which any may fail in any way, against what must come of them.

The same code settles doubts in the adapters of clouds (`tlc.url.exactly_once`). Every schedule can
be run again: its seed decides who goes on when, and what goes wrong.
"""

from __future__ import annotations

import random
import warnings
from itertools import pairwise

import pytest
from tests.reliability.scale import size

import tlc
from tlc.errors import RevisionConflictError, TlcError, UnsettledWriteError, UrlExistsError
from tlc.table import SetValues
from tlc.testing import Fault, FaultyUrlAdapter, Turns
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.memory import MemoryUrlAdapter

COMMITTERS = 3
FAULTS = [fault for fault in Fault if fault is not Fault.NONE]
SCHEDULES_OF_CREATES = size(2000, 20_000)
SCHEDULES_OF_REVISIONS = size(2000, 20_000)


class Store:
    """A store in memory whose requests take turns and fail at random."""

    def __init__(self, seed):
        self.turns = Turns(seed)
        self.random = random.Random(seed)
        self.rate = self.random.choice([0.1, 0.3, 0.6, 0.95])
        self.is_quiet = True
        self.adapter = FaultyUrlAdapter(MemoryUrlAdapter(), "faulty", self.next_fault)
        UrlAdapterRegistry.register(self.adapter)

    def next_fault(self, operation, url):
        if self.is_quiet:
            return Fault.NONE
        self.turns.switch()
        return self.random.choice(FAULTS) if self.random.random() < self.rate else Fault.NONE

    def run(self, committers):
        self.is_quiet = False
        self.turns.run(committers)
        self.is_quiet = True
        self.adapter.settle()


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(UrlAdapterRegistry, "_adapters", dict(UrlAdapterRegistry._adapters))
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def test_each_file_is_created_by_one(record_property):
    counts = dict.fromkeys(("won", "lost", "unsettled"), 0)
    for seed in range(SCHEDULES_OF_CREATES):
        for outcome in create(seed):
            counts[outcome] += 1
    record_property("outcomes", counts)
    assert counts["won"] > SCHEDULES_OF_CREATES
    assert counts["lost"] > SCHEDULES_OF_CREATES
    assert counts["unsettled"] > 0  # else the faults were too few to test anything


def create(seed):
    """Let three committers create the same files; return what each was told of each."""
    store = Store(seed)
    urls = [Url(f"faulty://store/{number}") for number in range(3)]
    told = {url: {} for url in urls}

    def committer(name):
        for url in store.random.sample(urls, len(urls)):
            try:
                UrlAdapterRegistry.create_binary_content_at_url(url, b"%d" % name)
                told[url][name] = "won"
            except UrlExistsError:
                told[url][name] = "lost"
            except UnsettledWriteError:
                told[url][name] = "unsettled"

    store.run([lambda name=name: committer(name) for name in range(COMMITTERS)])
    for url, answers in told.items():
        check_file(seed, url, answers)
    assert store.adapter.deleted == []
    return [outcome for answers in told.values() for outcome in answers.values()]


def check_file(seed, url, answers):
    holder = int(url.read_bytes()) if url.exists() else None
    winners = [name for name, outcome in answers.items() if outcome == "won"]
    assert len(winners) < 2, f"seed {seed}: {winners} were told that they have made {url}"
    if winners:
        assert holder == winners[0], f"seed {seed}: the file of {winners[0]} is lost"
    elif holder is None:
        assert set(answers.values()) == {"unsettled"}, f"seed {seed}: refused, but nothing is there"
    else:
        assert answers[holder] == "unsettled", (
            f"seed {seed}: told {answers[holder]}, but it is there"
        )


def test_each_revision_is_committed_once():
    conflicts = 0
    for seed in range(SCHEDULES_OF_REVISIONS):
        conflicts += revise(seed)
    assert conflicts < SCHEDULES_OF_REVISIONS  # most get their turn


def revise(seed):
    """Let three committers revise one lineage; return how many were told of a conflict at last."""
    store = Store(seed)
    first = tlc.Table.from_dict({"n": [0] * COMMITTERS}, root_url="faulty://store")
    outcomes = {}

    def committer(name):
        try:
            table = tlc.Table.from_url(first.url)
            table.revise_latest(lambda newest: [SetValues("n", [name], [name + 1])])
            outcomes[name] = "committed"
        except RevisionConflictError:
            outcomes[name] = "conflict"
        except TlcError:  # the store did not answer: nothing was promised
            outcomes[name] = "no answer"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store.run([lambda name=name: committer(name) for name in range(COMMITTERS)])
    check_lineage(seed, first, outcomes)
    return list(outcomes.values()).count("conflict")


def check_lineage(seed, first, outcomes):
    latest = tlc.Table.from_url(first.url).latest()  # warns of a branch, which is an error here
    cells = latest.get_column_as_pyarrow_array("n").to_pylist()
    for name, outcome in outcomes.items():
        if outcome == "committed":
            assert cells[name] == name + 1, f"seed {seed}: what {name} has committed is lost"
        if outcome == "conflict":
            assert cells[name] == 0, f"seed {seed}: {name} was told of a conflict, but committed"
    # A deleted file that is needed would be missed here.
    steps = [table.get_column_as_pyarrow_array("n").to_pylist() for table in latest.history()]
    changes = [sum(a != b for a, b in zip(*pair, strict=True)) for pair in pairwise(steps)]
    assert changes == [1] * (len(steps) - 1), f"seed {seed}: committed twice, or nothing: {steps}"
