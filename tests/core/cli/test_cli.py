"""The command ``tlc``: what it prints, and that whatever goes wrong is one line and exit code 1."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import tlc
from tlc.cli import main
from tlc.configuration import Configuration


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tlc", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Result(ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def succeeds(command):
    def run(*arguments):
        result = command(*arguments)
        assert (result.code, result.err) == (0, "")
        return result.out

    return run


@pytest.fixture
def fails(command):
    """Run a command that must fail with one line, and return the line."""

    def run(*arguments):
        result = command(*arguments)
        assert (result.code, result.out) == (1, "")
        assert re.fullmatch(r"tlc: .*\n", result.err)
        return result.err

    return run


@pytest.fixture
def table():
    labels = tlc.schemas.CategoricalLabelSchema(["cat", "dog", "fox", "hen"])
    return tlc.Table.from_dict(
        {"text": [f"t{n}" for n in range(7)], "label": [0, 1, 2, 3, 0, 1, 2]},
        {"label": labels},
        table_name="animals",
        dataset_name="zoo",
        project_name="p",
        add_weight_column=True,
        description="seven of them",
    )


@pytest.fixture
def run(table):
    run = tlc.init("p", "first", parameters={"lr": 0.5, "sizes": [1, 2]}, description="a trial")
    ids, losses = list(range(5)), [0.5] * 5
    run.add_metrics(
        {"example_id": ids, "loss": losses},
        foreign_table_url=table,
        constants={"epoch": 3},
        split="val",
    )
    run.log({"epoch": 3, "val_loss": 1 / 3})
    return run


def damage(folder):
    (Path(str(folder)) / "manifest.json").write_bytes(b'{"half')


def rows_of(text, heading):
    """Return the indented lines below a heading, each split at two or more spaces."""
    lines = text.splitlines()
    below = lines[lines.index(heading) + 1 :]
    count = next((n for n, line in enumerate(below) if not line.startswith(" ")), len(below))
    return [re.split(r"  +", line.strip()) for line in below[:count]]


# --version, help


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "tlc", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"tlc {tlc.__version__}\n"


def test_without_arguments_the_commands_are_listed(command):
    result = command()
    assert all(f"\n  {name} " in result.out + result.err for name in ("ls", "show", "config"))


def test_an_unknown_command_is_refused(command):
    result = command("sohw")
    assert (result.code, result.out) == (2, "")
    assert "No such command 'sohw'" in result.err


# ls


def test_an_empty_root_says_what_to_do(succeeds, tmp_path):
    assert succeeds("ls") == (
        f"There are no projects in {tmp_path}/tlc/projects. `tlc demo` makes one.\n"
    )
    assert f"no projects in {tmp_path}/other" in succeeds("ls", "--root", tmp_path / "other")


def test_projects_are_counted(succeeds, run, tmp_path):
    tlc.Table.from_dict({"x": [1]}, project_name="another one")
    (tmp_path / "tlc" / "projects" / "no project").mkdir()
    assert succeeds("ls").splitlines() == [
        f"{tmp_path}/tlc/projects",
        "  another one  1  tables  0  runs",
        "  p            1  tables  1  runs",
    ]


def test_tables_and_runs_of_a_project_are_listed(succeeds, table, run):
    table.set_values("label", [0], [1])
    run.set_status_completed()
    out = succeeds("ls", "p")
    assert [row[:3] for row in rows_of(out, "tables")] == [
        ["zoo/animals", "7", "rows"],
        ["zoo/animals-r1", "7", "rows"],
    ]
    assert [row[:4] for row in rows_of(out, "runs")] == [
        ["first", "completed", "1", "metrics tables"]
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", rows_of(out, "runs")[0][-1])


def test_a_project_may_have_no_runs(succeeds, table):
    assert rows_of(succeeds("ls", "p"), "runs") == [["none"]]


def test_a_project_may_have_no_tables(succeeds):
    tlc.init("only-runs", "r")
    assert rows_of(succeeds("ls", "only-runs"), "tables") == [["none"]]


def test_damaged_objects_are_named_and_hide_no_other(succeeds, table, run):
    broken = table.set_values("label", [0], [1])
    damage(broken.url)
    damage(tlc.Run.create("p", "second").url)
    out = succeeds("ls", "p")
    (first, second), (good, bad) = rows_of(out, "tables"), rows_of(out, "runs")
    assert (first[0], good[0]) == ("zoo/animals", "first")
    assert second[0] == "zoo/animals-r1"
    assert second[1] == (
        f"The manifest of {broken.url} is damaged: its digest does not fit its 6 bytes."
    )
    assert (bad[0], "is damaged" in bad[1]) == ("second", True)


def test_a_folder_without_manifest_is_no_table(succeeds, table):
    (Path(str(table.url)).parent / "unfinished" / "data").mkdir(parents=True)
    assert [row[0] for row in rows_of(succeeds("ls", "p"), "tables")] == ["zoo/animals"]


@pytest.mark.parametrize("name", ["q", "../p", "p/datasets"])
def test_a_missing_project_is_one_line(fails, table, name):
    assert f"There is no project {name!r}" in fails("ls", name)


# show: tables


def test_a_table_shows_identity_schema_and_rows(succeeds, table):
    out = succeeds("show", table.url)
    assert rows_of(out, f"Table {table.url}") == [
        ["rows", "7"],
        ["created", table.created],
        ["id", table.id],
        ["description", "seven of them"],
        ["made from", "dict"],
    ]
    assert rows_of(out, "schema") == [
        ["text", "string"],
        ["label", "int32 (cat, dog, fox, ... 4)"],
        ["weight", "float32 as hidden"],
    ]
    assert rows_of(out, "first rows") == [
        ["text", "label", "weight"],
        *[[str(n), f"t{n}", str(n % 4), "1"] for n in range(5)],
    ]


def test_lineage_tells_why_and_where_one_is(succeeds, table):
    second = table.set_values("label", [0], [1], description="a dog")
    second.delete_rows([6])
    assert rows_of(succeeds("show", second.url), "lineage") == [
        ["animals (7 rows)", "seven of them"],
        ["* animals-r1 (7 rows)", "a dog"],
        ["animals-r2 (6 rows)"],
    ]


def test_inputs_of_a_joined_table_are_named(succeeds, table):
    joined = tlc.Table.join_tables([table, table], "twice")
    assert rows_of(succeeds("show", joined.url), "lineage") == [
        ["* twice (14 rows)"],
        *[[f"made from {table.url}"]] * 2,
    ]


def test_a_table_may_have_no_rows(succeeds):
    table = tlc.Table.from_dict({"x": []}, {"x": tlc.schemas.Int32Schema()}, project_name="p")
    out = succeeds("show", table.url)
    assert rows_of(out, "schema") == [["x", "int32"]]
    assert rows_of(out, "first rows") == [["none"]]


@pytest.mark.filterwarnings("default")
def test_a_damaged_relative_is_named_beside_the_table(command, table):
    damage(table.set_values("label", [0], [1]).url)
    result = command("show", table.url)
    assert (result.code, result.out.startswith(f"Table {table.url}\n")) == (0, True)
    assert re.fullmatch(r"tlc: .*animals-r1 was passed over: .*\n", result.err)


# show: runs and metrics tables


def test_a_run_shows_parameters_status_and_metrics(succeeds, table, run):
    out = succeeds("show", run.url)
    facts = dict(rows_of(out, f"Run {run.url}"))
    assert (facts["status"], facts["id"]) == (run.state.status.name.lower(), run.id)
    assert (facts["description"], facts["changed"]) == ("a trial", run.last_modified)
    assert rows_of(out, "parameters") == [["lr", "0.5"], ["sizes", "[1, 2]"]]
    assert rows_of(out, "inputs") == [[str(table.url)]]
    assert "logged values: 1, the last: epoch=3, val_loss=0.333333" in out
    assert rows_of(out, "metrics tables") == [
        ["metrics_0000", "5", "rows", "5 unique, 2 missing", "val", "epoch=3"]
    ]


def test_a_failed_run_shows_why(succeeds):
    run = tlc.init("p", "empty")
    run.set_status_failed("out of memory")
    out = succeeds("show", run.url)
    facts = dict(rows_of(out, f"Run {run.url}"))
    assert (facts["status"], facts["reason"]) == ("failed", "out of memory")
    for heading in ("parameters", "inputs", "metrics tables"):
        assert rows_of(out, heading) == [["none"]]


def test_partial_metrics_are_marked(succeeds, table, run):
    writer = tlc.MetricsTableWriter(run, table, split="train")
    writer.add_batch({"example_id": [0, 1], "loss": [1.0, 2.0]})
    writer.flush()
    listed = rows_of(succeeds("show", run.url), "metrics tables")
    counts = f"2 unique, {len(table) - 2} missing"
    assert listed[1] == ["metrics_0001", "2", "rows", counts, "train", "partial"]
    out = succeeds("show", writer.url)
    facts = dict(rows_of(out, f"Metrics table {writer.url}"))
    assert facts["partial"] == "its writer has not finished"
    assert facts["ids"].startswith(f"2 of {len(table)}")
    writer.abort()


@pytest.mark.filterwarnings("default")
def test_a_damaged_metrics_table_is_named_and_hides_no_other(command, run):
    run.add_metrics({"x": [1, 2]})
    damage(run.metrics_tables[0].url)
    result = command("show", run.url)
    assert result.code == 0
    assert rows_of(result.out, "metrics tables") == [["metrics_0001", "2", "rows"]]
    assert re.fullmatch(r"tlc: The metrics table .*metrics_0000 cannot be read .*\n", result.err)


def test_a_metrics_table_says_what_it_is_about(succeeds, table, run):
    (metrics,) = run.metrics_tables
    out = succeeds("show", metrics.url)
    facts = dict(rows_of(out, f"Metrics table {metrics.url}"))
    assert facts["ids"] == "5 of 7, 2 missing"
    assert (facts["split"], facts["constants"]) == ("val", "epoch=3")
    assert ["loss", "float64"] in rows_of(out, "schema")
    assert rows_of(out, "about") == [[str(table.url)]]


def test_dropped_repeats_are_counted(succeeds, table, run):
    with tlc.MetricsTableWriter(run, table, unique_ids=True) as writer:
        writer.add_batch({"example_id": [0, 1, 0, *range(2, 7)], "loss": [1.0] * 8})
    out = succeeds("show", writer.url)
    facts = dict(rows_of(out, f"Metrics table {writer.url}"))
    assert facts["ids"] == "7 of 7, 1 repeats dropped"


def test_metrics_may_be_about_nothing(succeeds, run):
    run.add_metrics({"x": [1, 2]})
    out = succeeds("show", run.metrics_tables[-1].url)
    assert rows_of(out, "about") == [["nothing in particular"]]


# show: what is not there


def test_a_missing_object_is_one_line(fails, tmp_path):
    assert f"at {tmp_path}/missing." in fails("show", tmp_path / "missing")


def test_a_folder_that_is_no_object_is_one_line(fails, tmp_path):
    assert "neither a table nor a run" in fails("show", tmp_path)


@pytest.mark.parametrize("url", ["nowhere://a/b", "<NOBODY>/a"])
def test_a_url_that_leads_nowhere_is_one_line(fails, url):
    assert url in fails("show", url)


def test_a_damaged_table_is_one_line(fails, table):
    damage(table.url)
    assert "is damaged" in fails("show", table.url)


def test_errors_of_the_system_are_one_line(fails, table, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", "manifest.json")

    monkeypatch.setattr("tlc.cli.app.show_object", refuse)
    assert "Permission denied" in fails("show", table.url)


# config


def test_settings_tell_where_they_come_from(succeeds, tmp_path, monkeypatch):
    file = tmp_path / "tlc" / "config.yaml"
    file.parent.mkdir()
    file.write_text("durability: os\naliases:\n  DATA: /data\n")
    monkeypatch.setenv("TLC_ALIAS_PHOTOS", "/photos")
    tlc.register_url_alias("SCANS", "/scans")
    assert rows_of(succeeds("config"), str(file)) == [
        ["project_root_url", f"{tmp_path}/tlc/projects", "from default", "TLC_PROJECT_ROOT_URL"],
        ["display_progress", "False", "from environment", "TLC_DISPLAY_PROGRESS"],
        ["durability", "os", "from file", "TLC_DURABILITY"],
        ["handle_sigterm", "True", "from default", "TLC_HANDLE_SIGTERM"],
        ["max_decoded_bytes", "1073741824", "from default", "TLC_MAX_DECODED_BYTES"],
        ["cache_folder", f"{tmp_path}/cache", "from environment", "TLC_CACHE_FOLDER"],
        ["cache_size", "17179869184", "from default", "TLC_CACHE_SIZE"],
        ["media_cache_size", "17179869184", "from default", "TLC_MEDIA_CACHE_SIZE"],
        ["exporters", "from default", "TLC_EXPORTERS"],
        ["aliases.DATA", "/data", "from file", "TLC_ALIAS_DATA"],
        ["aliases.PHOTOS", "/photos", "from environment", "TLC_ALIAS_PHOTOS"],
        ["aliases.SCANS", "/scans", "from api", "TLC_ALIAS_SCANS"],
    ]


def test_a_missing_file_of_settings_is_no_fault(succeeds, tmp_path):
    heading = f"{tmp_path}/tlc/config.yaml (does not exist; defaults are used)"
    assert ["durability", "commit", "from default", "TLC_DURABILITY"] in rows_of(
        succeeds("config"), heading
    )


def test_a_bad_setting_is_one_line(fails, monkeypatch):
    monkeypatch.setenv("TLC_DURABILITY", "maybe")
    Configuration.instance().reset()
    assert "TLC_DURABILITY has the value 'maybe'. Hint:" in fails("config")
