"""Events with a checksum that fits, but values that make no sense: each costs only itself."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

import tlc
from tlc.errors import DamagedObjectWarning


def deep(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def add_line(run, body):
    path = next((Path(str(run.url)) / "events").rglob("*.jsonl"))
    with path.open("ab") as file:
        file.write(body + b',"crc32":"%08x"}\n' % zlib.crc32(body))


def event(type_, values):
    return json.dumps({"time": "2026-11-22T00:00:00.000000Z", "type": type_, "values": values})[:-1]


BAD = {
    "metrics without a url": ("metrics", {"row_count": 3}),
    "metrics with a number for a url": ("metrics", {"url": 3}),
    "metrics removed without a url": ("metrics_removed", {}),
    "a status of a dict": ("status", {"status": {}}),
    "a status without one": ("status", {}),
    "a reason of a list": ("status", {"status": 4, "reason": []}),
    "a description of none": ("description", {"description": None}),
    "an input of a number": ("input", {"input_table_url": 7}),
    "values that are none": ("output", {"$float": "nan"}),
    "a number that is none": ("output", {"loss": {"$float": "many"}}),
    "a deep one": ("output", deep(250)),
    "a bottomless one": ("output", deep(900)),
}


@pytest.mark.parametrize("name", BAD)
def test_an_event_that_makes_no_sense_is_passed_over(name):
    run = tlc.init("p", parameters={"lr": 0.1})
    type_, values = BAD[name]
    body = event(type_, values)
    add_line(run, body.encode())
    run.log({"loss": 1.0})
    opened = tlc.Run.from_url(run.url)
    with pytest.warns(DamagedObjectWarning, match=r"line \d+ is damaged and was passed over"):
        state = opened.state
    assert (state.parameters, state.outputs) == ({"lr": 0.1}, [{"loss": 1.0}])
    assert opened.metrics_tables == []


def test_what_other_versions_may_write_is_ignored():
    run = tlc.init("p", parameters={"lr": 0.1})
    before = run.state.status
    add_line(run, event("hologram", {"any": ["thing"]}).encode())
    add_line(run, event("status", {"status": 99}).encode())
    add_line(run, event("output", {"nested": deep(100)}).encode())
    state = tlc.Run.from_url(run.url).state
    assert state.status == before
    assert state.outputs == [{"nested": deep(100)}]


@pytest.mark.parametrize("tail", [b"\0" * 50, b'{"a":1}', b"x"])
def test_what_is_no_start_of_a_line_is_told(tail):
    run = tlc.init("p")
    run.log({"loss": 1.0})
    path = next((Path(str(run.url)) / "events").rglob("*.jsonl"))
    path.write_bytes(path.read_bytes() + tail)
    opened = tlc.Run.from_url(run.url)
    with pytest.warns(DamagedObjectWarning, match="is damaged"):
        assert opened.state.outputs == [{"loss": 1.0}]


def test_a_last_newline_that_was_changed_is_told():
    run = tlc.init("p")
    run.log({"loss": 1.0})
    path = next((Path(str(run.url)) / "events").rglob("*.jsonl"))
    path.write_bytes(path.read_bytes()[:-1] + b"\x0b")
    with pytest.warns(DamagedObjectWarning, match="is damaged"):
        assert tlc.Run.from_url(run.url).state.outputs == []
