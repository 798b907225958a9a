"""``tlc diff``: what it prints, and exit codes as those of ``diff``."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import tlc
from tlc.cli import main
from tlc.table import DeleteRows, SetValues


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def diff(capsys, monkeypatch):
    """Run ``tlc diff`` and return what came of it."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tlc", "diff", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Result(ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def refused(diff):
    def run(*arguments):
        result = diff(*arguments)
        assert (result.code, result.out) == (2, "")
        assert re.fullmatch(r"tlc: .*\n", result.err)
        return result.err

    return run


@pytest.fixture
def table():
    data = {"x": [0.0, 1.0, 2.0, 3.0], "label": [0, 1, 0, 1], "tags": [["a"], [], ["b"], []]}
    labels = tlc.schemas.CategoricalLabelSchema(["cat", "dog"])
    return tlc.Table.from_dict(data, {"label": labels}, table_name="animals", project_name="p")


@pytest.fixture
def edited(table):
    return table.revise(
        SetValues("label", [1, 2], [0, 1]),
        SetValues("x", [3], [math.nan]),
        SetValues("tags", [0], [["c"]]),
        DeleteRows([0]),
    )


def runs(table, edited):
    """Return two runs with losses, of which those of the later one are one less."""
    found = []
    for number, about in enumerate((table, edited)):
        run = tlc.Run.create("p", f"run{number}")
        run.set_parameters({"lr": 0.1 * (number + 1)})
        for split in ("train", "val"):
            losses = [5.0 - number + row for row in range(len(about))]
            run.add_metrics({"loss": losses}, foreign_table_url=about, split=split)
        found.append(run)
    return found


def test_tables_that_are_equal(diff, table):
    other = table.set_values("x", [0], [0.0])
    result = diff(table.url, other.url)
    assert result == (0, f"{table.url} -> {other.url}\n  no differences in 4 rows\n", "")


def test_tables_that_differ(diff, table, edited):
    result = diff(table.url, edited.url)
    assert (result.code, result.err) == (1, "")
    assert result.out.splitlines() == [
        f"{table.url} -> {edited.url}",
        "  rows: 3 in both, 1 removed",
        "  x: 1 cell",
        "  label: 2 cells",
        "  first cells of x",
        "    row 3  -> 2:  3  ->  nan",
        "  first cells of label",
        "    row 1  -> 0:  1 (dog)  ->  0 (cat)",
        "    row 2  -> 1:  0 (cat)  ->  1 (dog)",
    ]


def test_lists_of_classes(diff):
    schema = tlc.schemas.Int32Schema(shape=(-1,), value_map=["cat", "dog"])
    table = tlc.Table.from_dict({"seen": [[0], [1, 0]]}, {"seen": schema}, table_name="lists")
    new = table.set_values("seen", [1], [[1]])
    assert "row 1  -> 1:  [1, 0]  ->  [1]" in diff(table.url, new.url).out


def test_limit_and_column(diff, table, edited):
    lines = diff(table.url, edited.url, "--limit", 1, "--column", "label").out.splitlines()
    assert lines[2:] == [
        "  label: 2 cells",
        "  first cells of label",
        "    row 1  -> 0:  1 (dog)  ->  0 (cat)",
    ]
    assert "first cells" not in diff(table.url, edited.url, "--limit", 0).out
    same = diff(table.url, table.url, "--column", "x", "--column", "tags")
    assert same.code == 0


def test_json(diff, table, edited):
    result = diff(table.url, edited.url, "--json", "--limit", 1)
    assert result.code == 1
    found = json.loads(result.out)
    assert (found["old"], found["new"]) == (str(table.url), str(edited.url))
    assert found["rows"] == {"in_both": 3, "added": 0, "removed": 1, "moved": 0}
    assert found["cells"] == {
        "x": {"count": 1, "first": [{"old_row": 3, "new_row": 2, "old": 3.0, "new": "NaN"}]},
        "label": {"count": 2, "first": [{"old_row": 1, "new_row": 0, "old": 1, "new": 0}]},
    }
    edited = table.set_values("tags", [1], [["z"]]).set_values("x", [0], [-math.inf])
    found = json.loads(diff(edited.url, table.url, "--json").out)["cells"]
    assert found["tags"]["first"] == [{"old_row": 1, "new_row": 1, "old": ["z"], "new": []}]
    assert found["x"]["first"][0]["old"] == "-Infinity"


def test_tables_of_two_origins(diff, refused, table):
    other = tlc.Table.from_dict({"x": [1.0, 0.0]}, table_name="other", project_name="p")
    assert "no origin in common" in refused(table.url, other.url)
    assert "  rows: 2 in both, 2 removed" in diff(table.url, other.url, "--by", "x").out
    assert "  x: 2 cells" in diff(table.url, other.url, "--by", "position").out


def test_runs(diff, table, edited):
    before, after = runs(table, edited)
    result = diff(before.url, after.url)
    assert (result.code, result.err) == (1, "")
    assert result.out.splitlines() == [
        f"{before.url} -> {after.url}",
        "  parameter lr: 0.1 -> 0.2",
        *[
            line
            for split in ("train", "val")
            for line in (
                f"  split '{split}', animals -> animals-r1",
                "    1 row only in the earlier table",
                "    loss: 7 -> 5 in 3 rows, 3 better, 0 worse",
                "    edited x: loss -2 in 1 edited row, -2 in 2 others",
                "    edited label: loss -2 in 2 edited rows, -2 in 1 other",
            )
        ],
    ]
    assert diff(before.url, before.url).out.splitlines()[-1] == "  no differences"
    assert diff(before.url, before.url).code == 0


def test_runs_as_json(diff, table, edited):
    before, after = runs(table, edited)
    arguments = ("--json", "--split", "val", "--metric", "loss", "--how", "mean")
    found = json.loads(diff(before.url, after.url, *arguments).out)
    assert found["parameters"] == [{"name": "lr", "kind": "changed", "before": 0.1, "after": 0.2}]
    (part,) = found["splits"]
    assert part["split"] == "val"
    assert (
        part["metrics"][0] | {"metric": "loss", "change": -2.0, "improved": 3}
        == (part["metrics"][0])
    )
    assert part["tables"]["cells"] == {"x": 1, "label": 2}
    assert found["how"] == "mean"


def test_numbers_that_json_has_no_form_for(diff, table):
    before, after = (tlc.Run.create("p", name) for name in ("before", "after"))
    before.set_parameters({"clip": math.inf, "betas": [0.9, math.nan]})
    before.add_metrics({"loss": [math.inf] * 4}, foreign_table_url=table)
    after.add_metrics({"loss": [1.0] * 4}, foreign_table_url=table)
    found = json.loads(diff(before.url, after.url, "--json").out)
    assert [each["before"] for each in found["parameters"]] == ["Infinity", [0.9, "NaN"]]
    (metric,) = found["splits"][0]["metrics"]
    assert (metric["before"], metric["change"]) == ("Infinity", "-Infinity")


def test_an_alias_in_a_url(diff, table, edited, monkeypatch):
    folder = str(table.url.parent)
    tlc.url.register_url_alias("TABLES", folder)
    try:
        result = diff("<TABLES>/animals", "<TABLES>/animals-r1")
    finally:
        tlc.url.unregister_url_alias("TABLES")
    assert result.out == diff(table.url, edited.url).out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metric", "loss"], "--metric is about runs"),
        (["--split", "val"], "--split is about runs"),
        (["--how", "mean"], "--how is about runs"),
        (["--column", "y"], "has a column 'y'"),
        (["--by", "y"], "no column 'y'"),
    ],
)
def test_options_that_do_not_fit_tables(refused, table, edited, options, message):
    assert message in refused(table.url, edited.url, *options)


def test_options_that_do_not_fit_runs(refused, table, edited):
    before, after = runs(table, edited)
    assert "--column is about tables" in refused(before.url, after.url, "--column", "x")
    assert "--by is about tables" in refused(before.url, after.url, "--by", "x")
    assert "no reduction 'median'" in refused(before.url, after.url, "--how", "median")
    assert "is a table, and" in refused(table.url, after.url)


def test_what_cannot_be_read(diff, refused, table, edited, tmp_path):
    assert "no table or run at" in refused(table.url, tmp_path / "none")
    assert diff(table.url).code == 2
    assert diff(table.url, edited.url, "--limit", -1).code == 2
    for file in Path(str(edited.url), "edits").iterdir():
        file.write_bytes(file.read_bytes()[:-4])
    assert "animals-r1" in refused(table.url, edited.url)
