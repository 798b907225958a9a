"""tlc.init and its relatives: names, if_exists, the active run."""

from __future__ import annotations

import re

import pytest

import tlc
from tlc.errors import (
    NameNotAllowedError,
    ObjectExistsError,
    ObjectKindError,
    ObjectNotFoundError,
)
from tlc.format.manifest import MANIFEST

MODES = ["rename", "reuse", "overwrite", "raise"]


def test_all_options(tmp_path):
    run = tlc.init(
        "my project",
        "first run",
        "what it is about",
        {"lr": 0.1},
        "raise",
        root_url=tmp_path / "root",
    )
    assert run.url == tlc.Url(tmp_path / "root" / "my project" / "runs" / "first run")
    assert (run.project_name, run.name) == ("my project", "first run")
    assert run.root_url == tlc.Url(tmp_path / "root")
    assert run.description == "what it is about"
    assert run.parameters == {"lr": 0.1}
    assert run.status == 0.0
    assert run.constants == {"parameters": {"lr": 0.1}, "inputs": [], "outputs": []}
    assert run.metrics == []
    assert run.metrics_tables == []
    assert run.created <= run.last_modified


def test_what_init_was_given_is_there_after_reopening():
    run = tlc.init("p", "r", "about", {"lr": 0.1})
    again = tlc.Run.from_url(run.url)
    assert again == run
    assert (again.id, again.created, again.description) == (run.id, run.created, "about")
    assert again.parameters == {"lr": 0.1}


def test_defaults():
    run = tlc.init()
    assert run.project_name == "default-project"
    assert re.fullmatch(r"run-\d{8}-\d{6}", run.name)
    assert run.description == ""
    assert run.parameters == {}


def test_project_and_root_of_the_active_run_are_the_defaults(tmp_path):
    first = tlc.init("p", "first", root_url=tmp_path / "elsewhere")
    second = tlc.init(run_name="second")
    assert second.url == first.url.create_sibling("second")


@pytest.mark.parametrize("mode", MODES)
def test_generated_names_are_always_new(mode):
    runs = [tlc.init("p", if_exists=mode, parameters={"i": i}) for i in range(3)]
    assert len({run.url for run in runs}) == 3
    assert [run.parameters for run in runs] == [{"i": 0}, {"i": 1}, {"i": 2}]


def test_run_url_stands_in_for_the_names(tmp_path):
    run = tlc.init("ignored", "ignored", run_url=tmp_path / "some" / "where")
    assert run.url == tlc.Url(tmp_path / "some" / "where")
    assert tlc.Run.from_url(tmp_path / "some" / "where") == run
    assert run.name == "where"


def test_a_run_outside_the_layout_leaves_the_root_as_it_is(tmp_path):
    before = tlc.Run.create("p", "r")
    run = tlc.init(run_url=tmp_path / "mine")
    assert run.project_name == ""
    assert run.root_url == before.root_url
    assert tlc.Run.from_names("p", "r") == before
    assert tlc.init("p", "s").url == before.url.create_sibling("s")


def test_run_url_of_another_project(tmp_path):
    url = tmp_path / "tlc" / "projects" / "p" / "runs" / "r"
    run = tlc.init(run_url=str(url))
    assert run.project_name == "p"
    assert run.root_url == tlc.Url(tmp_path / "tlc" / "projects")


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "a\nb", "..", " x", "x" * 300])
def test_bad_names(name):
    before = tlc.init("p", "fine")
    if name:
        with pytest.raises(NameNotAllowedError, match="cannot be the name of a run"):
            tlc.init("p", name)
    if name not in ("",):
        with pytest.raises(NameNotAllowedError, match="cannot be the name of a project"):
            tlc.init(name, "r")
    assert tlc.active_run() is before


def test_a_name_that_differs_by_case_only():
    tlc.init("p", "Run")
    with pytest.raises(NameNotAllowedError, match="'Run' exists and differs only by case"):
        tlc.init("p", "run")


@pytest.mark.parametrize("name", ["r", None])
def test_unknown_if_exists(name):
    with pytest.raises(ValueError, match="nonsense"):
        tlc.init("p", name, if_exists="nonsense")
    assert tlc.active_run() is None


class TestIfExists:
    @pytest.fixture
    def old(self, table):
        run = tlc.init("p", "r", "old description", {"lr": 0.1, "old": True})
        run.log({"epoch": 0, "loss": 1.0})
        run.add_metrics({"loss": [0.0] * 5}, foreign_table_url=table)
        run.set_status_completed()
        return run

    def test_rename_is_the_default(self, old):
        names = [tlc.init("p", "r").name for _ in range(3)]
        assert names == ["r_0000", "r_0001", "r_0002"]
        assert tlc.init("p", "r", if_exists="rename").name == "r_0003"
        assert len(old.metrics_tables) == 1
        assert tlc.active_run().metrics_tables == []

    def test_reuse(self, old):
        run = tlc.init("p", "r", parameters={"lr": 0.2, "new": 1}, if_exists="reuse")
        assert run == old
        assert tlc.active_run() is run
        assert run.parameters == {"lr": 0.2, "old": True, "new": 1}
        assert run.description == "old description"
        assert run.metrics_tables == old.metrics_tables
        run.log({"epoch": 1})
        assert [output["epoch"] for output in old.constants["outputs"]] == [0, 1]

    def test_reuse_takes_a_new_description(self, old):
        run = tlc.init("p", "r", "new description", if_exists="reuse")
        assert run.description == "new description"
        assert old.description == "new description"

    def test_reuse_of_nothing_starts_a_run(self):
        run = tlc.init("p", "r", "about", {"a": 1}, if_exists="reuse")
        assert (run.name, run.description, run.parameters) == ("r", "about", {"a": 1})

    def test_overwrite_starts_anew(self, old, table):
        run = tlc.init("p", "r", parameters={"lr": 0.3}, if_exists="overwrite")
        assert run.url == old.url
        assert run.id != old.id
        assert run != old
        for view in (run, tlc.Run.from_url(run.url)):
            assert view.parameters == {"lr": 0.3}
            assert view.description == ""
            assert view.status == tlc.constants.RUN_STATUS_EMPTY
            assert view.metrics == view.metrics_tables == []
            assert view.constants["outputs"] == view.constants["inputs"] == []
            assert view.metrics().num_rows == 0
        run.add_metrics({"loss": [1.0] * 5}, foreign_table_url=table)
        assert run.metrics()["loss"].to_pylist() == [1.0] * 5
        assert len(table) == 5

    def test_a_run_that_was_overwritten_does_not_write_into_the_new_one(self, old):
        run = tlc.init("p", "r", if_exists="overwrite")
        old.log({"epoch": 7})
        old.set_parameters({"stale": True})
        old.set_status_failed("stale")
        assert tlc.Run.from_url(run.url).state == run.state
        assert run.parameters == {}
        assert run.constants["outputs"] == []
        assert run.status == tlc.constants.RUN_STATUS_EMPTY

    def test_overwrite_forgets_unfinished_metrics(self, old):
        writer = tlc.MetricsTableWriter(old)
        writer.add_batch({"loss": [1.0]})
        writer.abort()
        assert old.metrics_tables[-1].is_partial
        assert tlc.init("p", "r", if_exists="overwrite").metrics_tables == []

    def test_overwrite_of_nothing_starts_a_run(self):
        assert tlc.init("p", "r", if_exists="overwrite").name == "r"

    def test_overwrite_replaces_a_damaged_run(self, old):
        (old.url / MANIFEST).write_bytes(b"{}")
        run = tlc.init("p", "r", if_exists="overwrite")
        assert tlc.Run.from_url(old.url) == run
        assert run.metrics_tables == []

    @pytest.mark.parametrize("mode", ["overwrite", "reuse", "raise"])
    def test_a_table_is_never_overwritten_by_a_run(self, table, mode):
        expected = ObjectExistsError if mode == "raise" else ObjectKindError
        with pytest.raises(expected):
            tlc.init(run_url=table.url, if_exists=mode)
        again = tlc.Table.from_url(table.url)
        assert again == table
        assert again.table_rows[4] == {"number": 40, "label": "table-4"}

    def test_raise(self, old):
        with pytest.raises(ObjectExistsError, match=re.escape(f"exists already at {old.url}")):
            tlc.init("p", "r", if_exists="raise")
        assert old.parameters == {"lr": 0.1, "old": True}

    def test_raise_is_a_file_exists_error(self, old):
        with pytest.raises(FileExistsError):
            tlc.init("p", "r", if_exists="raise")

    def test_the_active_run_survives_a_refusal(self, old):
        active = tlc.init("p", "other")
        with pytest.raises(ObjectExistsError):
            tlc.init("p", "r", if_exists="raise")
        assert tlc.active_run() is active

    def test_a_folder_that_is_no_run_is_used(self, tmp_path):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "notes.txt").write_text("notes")
        for mode in ["overwrite", "rename"]:
            run = tlc.init(run_url=tmp_path / "mine", if_exists=mode)
        assert run.url == tlc.Url(tmp_path / "mine_0000")
        assert (tmp_path / "mine" / "notes.txt").read_text() == "notes"


class TestActiveRun:
    def test_there_is_none_at_first(self):
        assert tlc.active_run() is None

    def test_init_sets_and_replaces_it(self):
        first = tlc.init("p", "a")
        assert tlc.active_run() is first
        second = tlc.init("p", "b")
        assert tlc.active_run() is second

    def test_opening_a_run_leaves_it_alone(self):
        first = tlc.init("p", "a")
        second = tlc.init("p", "b")
        assert tlc.Run.from_url(first.url) == first
        assert tlc.Run.from_names("p", "a") == first
        assert first.copy("c").name == "c"
        assert tlc.Run.create("p", "d").name == "d"
        assert tlc.active_run() is second

    def test_set_active_run(self):
        first = tlc.init("p", "a")
        tlc.init("p", "b")
        tlc.set_active_run(first)
        assert tlc.active_run() is first
        tlc.set_active_run(None)
        assert tlc.active_run() is None

    @pytest.mark.parametrize("status", ["completed", "failed", "interrupted"])
    def test_a_final_status_clears_it(self, status):
        run = tlc.init("p", "a")
        getattr(run, f"set_status_{status}")()
        assert tlc.active_run() is None

    @pytest.mark.parametrize("status", ["completed", "failed", "interrupted"])
    def test_the_end_of_another_run_leaves_it_alone(self, status):
        other = tlc.init("p", "a")
        active = tlc.init("p", "b")
        getattr(other, f"set_status_{status}")()
        assert tlc.active_run() is active

    def test_another_handle_of_the_active_run_ends_it_too(self):
        tlc.Run.from_url(tlc.init("p", "a").url).set_status_completed()
        assert tlc.active_run() is None

    @pytest.mark.parametrize("status", ["running", "collecting", "post_processing"])
    def test_other_statuses_leave_it_alone(self, status):
        run = tlc.init("p", "a")
        getattr(run, f"set_status_{status}")()
        assert tlc.active_run() is run


class TestOpening:
    def test_by_url(self, run):
        for url in (run.url, run.url.to_str(), run.url / MANIFEST):
            assert tlc.Run.from_url(url) == run

    def test_by_names(self, run, tmp_path):
        assert tlc.Run.from_names("project", "run") == run
        assert tlc.Run.from_names(run_name="run") == run
        assert tlc.Run.from_names("project", "run", root_url=run.root_url) == run
        with pytest.raises(ObjectNotFoundError):
            tlc.Run.from_names("project", "run", root_url=tmp_path / "elsewhere")

    def test_nothing_is_there(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="There is no run at"):
            tlc.Run.from_url(tmp_path / "nothing")
        with pytest.raises(FileNotFoundError):
            tlc.Run.from_names("project", "nothing")
        with pytest.raises(FileNotFoundError):
            tlc.Run.from_names("project")

    def test_something_else_is_there(self, table, tmp_path):
        with pytest.raises(ValueError, match="is a table, not a run") as caught:
            tlc.Run.from_url(table.url)
        assert caught.type is ObjectKindError
        with pytest.raises(ValueError, match="is not a run"):
            tlc.Run.from_url(tmp_path)

    def test_a_run_is_no_table(self, run):
        with pytest.raises(ValueError, match="is a run, not a table"):
            tlc.Table.from_url(run.url)


@pytest.mark.parametrize("mode", MODES)
def test_eight_processes_start_a_run_of_one_name(crew, tmp_path, mode):
    arguments = {"project_name": "p", "run_name": "r", "root_url": str(tmp_path)}
    if mode == "overwrite":
        old = tlc.init(**arguments, parameters={"old": True})
        old.add_metrics({"loss": [1.0]})
    for number, worker in enumerate(crew):
        worker.start("init", **arguments, if_exists=mode, parameters={"number": number})
    answers = [worker.answers() for worker in crew]
    accepted = [(number, each) for number, (each,) in enumerate(answers) if "id" in each]
    runs = {number: tlc.Run.from_url(each["url"]) for number, each in accepted}
    on_disk = {entry.name for entry in (tmp_path / "p" / "runs").iterdir()}
    assert on_disk == {run.name for run in runs.values()}
    match mode:
        case "rename":
            assert on_disk == {"r", *(f"r_{number:04d}" for number in range(7))}
            assert {n: run.parameters for n, run in runs.items()} == {
                n: {"number": n} for n in range(8)
            }
        case "reuse":
            assert len(runs) == 8
            assert len({run.id for run in runs.values()}) == 1
            assert on_disk == {"r"}
            assert runs[0].parameters["number"] in range(8)
        case "raise":
            assert len(runs) == 1
            ((number, run),) = runs.items()
            assert run.parameters == {"number": number}
            errors = [each["error"] for (each,) in answers if "error" in each]
            assert errors == ["ObjectExistsError"] * 7
        case "overwrite":
            assert [each for (each,) in answers if "error" in each] == []
            assert on_disk == {"r"}
            final = tlc.Run.from_url(tmp_path / "p" / "runs" / "r")
            numbers = {each["id"]: number for number, each in accepted}
            assert final.parameters == {"number": numbers[final.id]}
            assert final.metrics_tables == []
