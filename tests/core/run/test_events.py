"""The log of a run on disk: many writers, killed writers, damaged lines."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tlc
from tlc.errors import DamagedObjectWarning
from tlc.run.events import Event, EventLog
from tlc.run.state import RunState


@pytest.fixture
def log_file(run):
    """Returns the one file that the events of the run are in."""

    def find():
        (file,) = _files(run)
        return file

    return find


def _files(run):
    return sorted(Path(str(run.url)).rglob("*.jsonl"))


def reopened(run):
    return tlc.Run.from_url(run.url)


def outputs(run):
    return [output["number"] for output in run.constants["outputs"]]


def test_several_handles_write_and_read_one_run(run):
    handles = [run, reopened(run), reopened(run)]
    for number in range(30):
        handles[number % 3].log({"number": number})
        handles[number % 3].set_parameters({"last": number})
        assert all(handle.parameters == {"last": number} for handle in handles)
    assert all(outputs(handle) == list(range(30)) for handle in handles)


def test_a_torn_last_line_is_passed_over(run, log_file):
    for number in range(3):
        run.log({"number": number})
    whole = log_file().read_bytes()
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(last, len(whole)):
        log_file().write_bytes(whole[:end])
        assert outputs(reopened(run)) == [0, 1]
    log_file().write_bytes(whole)
    assert outputs(reopened(run)) == [0, 1, 2]


def test_a_reader_waits_for_the_end_of_a_line(run, log_file):
    for number in range(3):
        run.log({"number": number})
    whole = log_file().read_bytes()
    log_file().write_bytes(whole[:-5])
    reader = reopened(run)
    assert outputs(reader) == [0, 1]
    log_file().write_bytes(whole)
    assert outputs(reader) == [0, 1, 2]


def test_a_file_that_was_cut_is_read_anew(run, log_file):
    for number in range(3):
        run.log({"number": number})
    assert outputs(run) == [0, 1, 2]
    log_file().write_bytes(b"".join(log_file().read_bytes().splitlines(keepends=True)[:2]))
    assert outputs(run) == [0, 1]


def test_other_writers_go_on_after_a_torn_line(run, log_file):
    run.log({"number": 0})
    run.log({"number": 1})
    file = log_file()
    file.write_bytes(file.read_bytes()[:-5])
    other = reopened(run)
    other.log({"number": 2})
    assert outputs(reopened(run)) == [0, 2]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"time": 1, "type": 2, "values": 3}',
        b'{"time": "2020", "type": "parameters", "values": 3}',
        b'{"time": "2020", "type": "status", "values": {"status": "x"}}',
        b'{"time": "2020", "type": "metrics", "values": {}}',
        b'{"time": "2020", "type": "output", "values": {"x": {"$float": "x"}}}',
        b"\xff\xfe\x00",
    ],
)
def test_a_damaged_line_is_named_and_the_rest_is_read(run, log_file, damage):
    for number in range(5):
        run.log({"number": number})
    lines = log_file().read_bytes().split(b"\n")
    lines[2] = damage
    log_file().write_bytes(b"\n".join(lines))
    with pytest.warns(DamagedObjectWarning) as caught:
        assert outputs(reopened(run)) == [0, 1, 3, 4]
    (warning,) = caught
    assert str(log_file()) in str(warning.message)
    assert "line 3 " in str(warning.message)


def test_a_damaged_line_is_named_once_per_handle(run, log_file):
    for number in range(3):
        run.log({"number": number})
    lines = log_file().read_bytes().split(b"\n")
    lines[1] = b"nonsense"
    log_file().write_bytes(b"\n".join(lines))
    reader = reopened(run)
    with pytest.warns(DamagedObjectWarning):
        assert outputs(reader) == [0, 2]
    reader.log({"number": 3})
    assert outputs(reader) == [0, 2, 3]


def test_the_number_of_a_damaged_line_counts_from_the_start_of_the_file(run, log_file):
    run.log({"number": 0})
    run.log({"number": 1})
    reader = reopened(run)
    assert outputs(reader) == [0, 1]
    run.log({"number": 2})
    lines = log_file().read_bytes().split(b"\n")
    lines[2] = b"nonsense"
    log_file().write_bytes(b"\n".join(lines))
    with pytest.warns(DamagedObjectWarning, match="line 3 "):
        assert outputs(reader) == [0, 1]


@given(data=st.data())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_flipped_bit_goes_unnoticed(tmp_path, data):
    run = tlc.init(run_url=tmp_path / "run", if_exists="overwrite")
    for number in range(4):
        run.log({"number": number, "name": f"n{number}"})
    (file,) = _files(run)
    whole = file.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    file.write_bytes(
        whole[:position] + bytes([whole[position] ^ (1 << bit)]) + whole[position + 1 :]
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = outputs(reopened(run))
    if position == len(whole) - 1:
        assert found == [0, 1, 2]  # the end of the last line is gone, so it counts as torn
    else:
        assert {w.category for w in caught} == {DamagedObjectWarning}
        assert set(found) < {0, 1, 2, 3}


def test_unknown_events_and_statuses_change_nothing(run):
    """A later version may write them."""
    events = EventLog(run.url, run.id)
    run.set_status_running()
    events.append("news", {"anything": 1})
    events.append("status", {"status": 99})
    run.log({"number": 0})
    again = reopened(run)
    assert again.status == tlc.constants.RUN_STATUS_RUNNING
    assert outputs(again) == [0]
    assert again.parameters == {}


def test_foreign_files_among_the_events_change_nothing(run, log_file):
    run.log({"number": 0})
    (log_file().parent / "notes.txt").write_text("notes")
    (log_file().parent / ".hidden.jsonl~").write_text("x\n")
    assert outputs(reopened(run)) == [0]


def test_ties_and_a_clock_that_goes_back_keep_the_order_of_a_writer(run, log_file):
    for number in range(6):
        run.set_parameters({"number": number})
        run.log({"number": number})
    events = EventLog(run.url, run.id).read()
    stamps = ["2030", "2029", "2029", "2031", "2031", "2028", "2028", "2028", "2028", "2027"]
    stamps += ["2001", "2031"]
    for event, stamp in zip(events, stamps, strict=True):
        event.time = f"{stamp}-01-01T00:00:00.000000Z"
    log_file().unlink()
    EventLog(run.url, run.id).add(events)
    assert outputs(reopened(run)) == list(range(6))
    assert reopened(run).parameters == {"number": 5}


@given(st.lists(st.integers(0, 3), max_size=30), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_metrics_are_listed_once_each_in_the_order_of_their_last_event(numbers, rng):
    """Against a list that is searched each time."""
    oracle: list[str] = []
    events = []
    for number in numbers:
        url = f"m{number}"
        kind = rng.choice(["metrics", "metrics", "metrics_removed"])
        events.append(("2020", kind, {"url": url}))
        oracle = [each for each in oracle if each != url] + ([url] if kind == "metrics" else [])
    state = RunState.of([Event(*event) for event in events])
    assert [info["url"] for info in state.metrics] == oracle


class TestProcesses:
    def test_eight_processes_log_into_one_run(self, run, crew):
        for number, worker in enumerate(crew):
            worker.start("log", url=run.url.to_str(), writer=f"w{number}", count=40)
        for worker in crew:
            assert worker.answers() == list(range(40))
        self.check(run, {f"w{number}": 40 for number in range(8)})

    def test_a_fork_writes_a_file_of_its_own(self, run, crew):
        assert crew[0].call("log_forked", url=run.url.to_str(), count=200) == [0]
        self.check(run, {"before the fork": 1, "parent": 200, "child": 200})
        assert len(_files(run)) == 2

    def test_a_run_goes_to_spawned_processes(self, run, crew):
        assert crew[0].call("log_spawned", url=run.url.to_str(), count=50) == [0, 0]
        self.check(run, {"parent": 50, "child 0": 50, "child 1": 50})

    def check(self, run, counts):
        found = reopened(run).constants["outputs"]
        assert len(found) == sum(counts.values())
        for writer, count in counts.items():
            numbers = [output["number"] for output in found if output["writer"] == writer]
            assert numbers == list(range(count))

    @pytest.mark.parametrize("acknowledged", [1, 17, 300])
    def test_what_was_logged_survives_a_kill(self, run, victim, acknowledged):
        victim.start("log", url=run.url.to_str(), writer="victim", count=100_000)
        seen = [victim.answer() for _ in range(acknowledged)]
        seen += victim.kill()
        assert seen == list(range(len(seen)))
        found = outputs(reopened(run))
        assert found[: len(seen)] == seen
        assert len(found) <= len(seen) + 1
        run.log({"number": -1})
        assert outputs(reopened(run)) == [*found, -1]

    def test_parameters_survive_a_kill(self, run, victim):
        victim.start("parameters", url=run.url.to_str(), count=100_000)
        seen = [victim.answer() for _ in range(random.Random(0).randrange(5, 40))]
        seen += victim.kill()
        found = reopened(run).parameters
        assert [found[f"p{number}"] for number in seen] == seen
        assert len(found) <= len(seen) + 1

    def test_a_full_disk_costs_no_line(self, run, crew):
        run.log({"number": -1})
        *answers, warned = crew[0].call("log_on_full_disk", url=run.url.to_str())
        assert answers == [*range(50), 1000]
        assert outputs(reopened(run)) == [-1, *answers]
        (warning,) = warned  # once a minute
        assert "Logged events wait in memory" in warning
        assert str(run.url) in warning
