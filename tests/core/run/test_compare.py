"""run.compare: what became of each sample, and what the edits in between did."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import tlc
from tlc.errors import (
    CorruptObjectError,
    DamagedObjectWarning,
    MetricsError,
    ObjectNotFoundError,
    OptionError,
)
from tlc.table import DeleteRows, SetValues

NAN = math.nan


def rows_of(comparison, *names):
    return list(zip(*(comparison.table[name].to_pylist() for name in names), strict=True))


def changes(comparison, metric="loss"):
    names = [f"{metric}_{what}" for what in ("before", "after", "change")]
    return rows_of(comparison, "before_row", "after_row", *names)


# What it says


def test_two_runs_about_one_table(table, collected):
    before = collected(table, {"loss": [5.0, 4.0, 3.0, 2.0, 1.0]})
    after = collected(table, {"loss": [4.0, 4.0, 5.0, 2.0, 0.0]})
    found = before.compare(after)
    assert changes(found) == [
        (0, 0, 5.0, 4.0, -1.0),
        (1, 1, 4.0, 4.0, 0.0),
        (2, 2, 3.0, 5.0, 2.0),
        (3, 3, 2.0, 2.0, 0.0),
        (4, 4, 1.0, 0.0, -1.0),
    ]
    assert found.table["edited"].to_pylist() == [False] * 5
    assert not found.effects
    summary = found.summaries["loss"]
    assert (summary.before, summary.after, summary.change, summary.rows) == (3.0, 3.0, 0.0, 5)
    assert (summary.fell, summary.rose, summary.better) == (2, 1, "lower")
    assert (summary.improved, summary.worsened) == (2, 1)
    assert (found.before, found.after, found.how) == (before, after, "last")
    assert found
    assert str(found).splitlines() == [
        f"{before.url} -> {after.url}",
        "  split 'train', table -> table",
        "    loss: 3 -> 3 in 5 rows, 2 better, 1 worse",
    ]


def test_two_runs_about_revisions(table, collected):
    new = table.revise(
        SetValues("number", [1, 2], [0, 0]), SetValues("label", [4], ["x"]), DeleteRows([0])
    )
    before = collected(table, {"loss": [1.0, 2.0, 3.0, 4.0, 5.0]})
    after = collected(new, {"loss": [1.0, 1.0, 4.0, 5.5]})
    found = before.compare(after)
    assert changes(found) == [
        (1, 0, 2.0, 1.0, -1.0),
        (2, 1, 3.0, 1.0, -2.0),
        (3, 2, 4.0, 4.0, 0.0),
        (4, 3, 5.0, 5.5, 0.5),
        (0, None, 1.0, None, None),
    ]
    assert found.table["edited"].to_pylist() == [True, True, False, True, None]
    assert found.table.schema.types == [pa.int64(), pa.int64(), pa.bool_(), *[pa.float64()] * 3]
    number, label = found.effects
    assert (number.column, number.metric, label.column) == ("number", "loss", "label")
    assert (number.edited_rows, number.edited_change) == (2, -1.5)
    assert (number.other_rows, number.other_change) == (2, 0.25)
    assert (label.edited_rows, label.edited_change) == (1, 0.5)
    assert (label.other_rows, label.other_change) == (3, -1.0)
    summary = found.summaries["loss"]
    assert (summary.before_rows, summary.before_all) == (5, 3.0)
    assert (summary.after_rows, summary.after_all) == (4, 2.875)
    assert (summary.before, summary.after, summary.rows) == (3.5, 2.875, 4)
    assert (found["train"].before_table, found["train"].after_table) == (table, new)
    assert found["train"].diff.removed.tolist() == [0]
    assert str(found).splitlines()[2:] == [
        "    1 row only in the earlier table",
        "    loss: 3.5 -> 2.875 in 4 rows, 2 better, 1 worse",
        "    edited number: loss -1.5 in 2 edited rows, +0.25 in 2 others",
        "    edited label: loss +0.5 in 1 edited row, -1 in 3 others",
    ]


def test_the_earlier_run_may_be_about_the_newer_table(table, collected):
    new = table.delete_rows([1])
    before = collected(new, {"loss": [1.0, 3.0, 4.0, 5.0]})
    found = before.compare(collected(table, {"loss": [0.0] * 5}))
    assert changes(found)[:3] == [
        (0, 0, 1.0, 0.0, -1.0),
        (None, 1, None, 0.0, None),
        (1, 2, 3.0, 0.0, -3.0),
    ]


def test_joins_and_parts(table, make_table, collected):
    other = make_table(2, "other")
    joined = tlc.Table.join_tables([other, table.keep([3, 1], table_name="part")], "joined")
    before = collected(table, {"loss": [0.0, 1.0, 2.0, 3.0, 4.0]})
    found = before.compare(collected(joined, {"loss": [7.0, 7.0, 7.0, 8.0]}))
    assert changes(found) == [
        (None, 0, None, 7.0, None),
        (None, 1, None, 7.0, None),
        (3, 2, 3.0, 7.0, 4.0),
        (1, 3, 1.0, 8.0, 7.0),
        (0, None, 0.0, None, None),
        (2, None, 2.0, None, None),
        (4, None, 4.0, None, None),
    ]


@pytest.mark.parametrize(
    ("how", "before", "after"),
    [
        ("last", [3.0, 30.0], [1.0, 6.0]),
        ("first", [1.0, 10.0], [5.0, 6.0]),
        ("mean", [2.0, 20.0], [3.0, 6.0]),
        ("min", [1.0, 10.0], [1.0, 6.0]),
        ("max", [3.0, 30.0], [5.0, 6.0]),
        ("sum", [6.0, 60.0], [6.0, 6.0]),
        ("count", [3.0, 3.0], [2.0, 1.0]),
        ("std", [math.sqrt(2 / 3), math.sqrt(200 / 3)], [2.0, 0.0]),
    ],
)
def test_several_epochs(make_table, collected, how, before, after):
    table = make_table(2)
    first = collected(table, *({"loss": [1.0 * n, 10.0 * n]} for n in (1, 2, 3)))
    # A collection that was cut off: of row 1 there is only the first epoch.
    second = collected(table, {"loss": [5.0, 6.0]}, {"example_id": [0], "loss": [1.0]})
    found = first.compare(second, how=how)
    assert found.how == how
    np.testing.assert_allclose(found.table["loss_before"].to_numpy(), before)
    np.testing.assert_allclose(found.table["loss_after"].to_numpy(), after)


def test_metrics_that_are_null_or_nan(make_table, collected):
    table = make_table(4)
    before = collected(table, {"loss": [1.0, NAN, 3.0, None]})
    after = collected(table, {"loss": [0.0, 1.0, NAN, 4.0]})
    found = before.compare(after)
    values = changes(found)
    assert values[0] == (0, 0, 1.0, 0.0, -1.0)
    assert math.isnan(values[1][2])
    assert math.isnan(values[1][4])
    assert values[3] == (3, 3, None, 4.0, None)
    summary = found.summaries["loss"]
    assert (summary.rows, summary.before_rows, summary.after_rows) == (1, 2, 3)
    assert (summary.before_all, summary.change) == (2.0, -1.0)


def test_rows_without_metrics_are_left_out(make_table, collected):
    table = make_table(4)
    before = collected(table, {"example_id": [1, 2], "loss": [1.0, 2.0]})
    after = collected(table, {"example_id": [2, 3], "loss": [0.0, 0.0]})
    found = before.compare(after)
    assert changes(found) == [
        (1, 1, 1.0, None, None),
        (2, 2, 2.0, 0.0, -2.0),
        (3, 3, None, 0.0, None),
    ]


def test_without_a_common_row_with_the_metric_means_are_nan(make_table, collected):
    table = make_table(2)
    new = table.set_values("number", [0], [7])
    before = collected(table, {"example_id": [0], "loss": [1.0]})
    found = before.compare(collected(new, {"example_id": [1], "loss": [1.0]}))
    assert math.isnan(found.summaries["loss"].change)
    assert "loss: no value -> no value in 0 rows" in str(found)
    assert "loss without change in 0 edited rows" in str(found)
    assert found.summary()["splits"][0]["effects"][0]["edited_rows"] == 0


# Splits


def test_each_split_is_compared_with_its_own(table, make_table, collected):
    val = make_table(2, "val")
    before = collected(val, {"loss": [1.0] * 2}, split="val")
    collected(table, {"loss": [1.0] * 5}, split="train", run=before)
    after = collected(table, {"loss": [2.0] * 5}, split="train")
    collected(val, {"loss": [3.0] * 2}, split="val", run=after)
    collected(val, {"loss": [3.0] * 2}, split="test", run=after)
    found = before.compare(after)
    assert {part.split: part.summaries["loss"].change for part in found.splits} == {
        "train": 1.0,
        "val": 2.0,
    }
    assert found["val"].after_table == val
    assert found.left_out == (f"{after.name}, split 'test' of {val.url}",)
    assert f"not compared: {after.name}, split 'test'" in str(found)
    with pytest.raises(MetricsError, match="2 parts were compared"):
        found.table  # noqa: B018 - reads
    with pytest.raises(MetricsError, match="0 of the compared parts are of the split 'test'"):
        found["test"]
    with pytest.raises(MetricsError, match="has none of split 'vall', but of 'val', 'train';"):
        before.compare(after, split="vall")
    only = before.compare(after, split="val")
    assert only.summaries["loss"].rows == 2
    assert not only.left_out


def test_two_tables_of_one_split(table, make_table, collected):
    other = make_table(3, "other")
    before = collected(table, {"loss": [1.0] * 5})
    collected(other, {"loss": [1.0] * 3}, run=before)
    after = collected(other.set_values("number", [0], [1]), {"loss": [2.0] * 3})
    collected(table, {"loss": [3.0] * 5}, run=after)
    found = before.compare(after)
    changed = {part.before_table.name: part.summaries["loss"].change for part in found.splits}
    assert changed == {"other": 1.0, "table": 2.0}
    with pytest.raises(MetricsError, match="2 of the compared parts"):
        found["train"]


def test_parts_of_one_table_that_share_no_row(table, collected):
    one, two = table.keep([0, 1], table_name="one"), table.keep([2, 3, 4], table_name="two")
    before, after = (collected(each, {"loss": [1.0] * len(each)}) for each in (one, two))
    with pytest.raises(MetricsError, match="no rows with metrics"):
        before.compare(after)
    collected(two, {"loss": [2.0] * 3}, run=before)
    collected(one, {"loss": [4.0] * 2}, run=after)
    changed = {
        (part.before_table.name, part.after_table.name): part.summaries["loss"].change
        for part in before.compare(after).splits
    }
    assert changed == {("one", "one"): 3.0, ("two", "two"): -1.0}


def test_metrics_of_one_run_about_several_revisions(table, collected):
    new = table.delete_rows([0])
    before = collected(table, {"loss": [1.0] * 5})
    after = collected(table, {"loss": [2.0] * 5})
    collected(new, {"loss": [3.0] * 3 + [None]}, run=after)
    found = before.compare(after)
    assert found["train"].after_table == new
    assert changes(found) == [
        (1, 0, 1.0, 3.0, 2.0),
        (2, 1, 1.0, 3.0, 2.0),
        (3, 2, 1.0, 3.0, 2.0),
        (4, 3, 1.0, 2.0, 1.0),
        (0, None, 1.0, None, None),
    ]


@pytest.mark.parametrize(
    ("how", "values"), [("last", [9.0, 6.0, 7.0, 8.0, 9.0]), ("first", [0.0, 1.0, 2.0, 3.0, 4.0])]
)
def test_rows_that_one_metrics_table_has_twice(table, collected, how, values):
    twice = tlc.Table.join_tables([table, table], "twice")
    after = collected(twice, {"loss": list(range(10))})
    collected(table, {"example_id": [0], "loss": [9]}, run=after)
    found = collected(table, {"loss": [0] * 5}).compare(after, how=how)
    assert found.table["loss_after"].to_pylist() == values


def test_runs_that_have_nothing_in_common(table, make_table, collected):
    before, empty = collected(table, {"loss": [1.0] * 5}), tlc.Run.create("project", "empty")
    stranger = collected(make_table(5, "stranger"), {"loss": [1.0] * 5})
    val = collected(table, {"loss": [1.0] * 5}, split="val")
    for after, told in ((stranger, "stranger"), (empty, "empty has none"), (val, "split 'val'")):
        with pytest.raises(MetricsError, match=rf"no rows with metrics .* in common.*{told}"):
            before.compare(after)


# Parameters, and whether anything differs


def test_parameters(table, collected):
    before, after = (collected(table, {"loss": [1.0] * 5}) for _ in range(2))
    before.set_parameters({"lr": 0.1, "seed": 1, "nan": NAN, "layers": [1, 2], "gone": None})
    after.set_parameters({"lr": 0.2, "seed": 1, "nan": NAN, "layers": [1, 3], "new": "x"})
    found = before.compare(after)
    assert [(c.name, c.kind, c.before, c.after) for c in found.parameters] == [
        ("lr", "changed", 0.1, 0.2),
        ("layers", "changed", [1, 2], [1, 3]),
        ("gone", "removed", None, None),
        ("new", "added", None, "x"),
    ]
    assert str(found).splitlines()[1:5] == [
        "  parameter lr: 0.1 -> 0.2",
        "  parameter layers: [1, 2] -> [1, 3]",
        "  parameter gone: None, removed",
        "  parameter new: 'x', added",
    ]
    assert repr(found) == str(found)


def test_whether_anything_differs(table, collected):
    before, after = (collected(table, {"loss": [1.0] * 5}) for _ in range(2))
    assert not before.compare(after)
    assert str(before.compare(str(after.url))).endswith("no differences")
    edited = collected(table.set_values("number", [0], [1]), {"loss": [1.0] * 5})
    assert before.compare(edited)
    fewer = collected(table, {"example_id": [0], "loss": [1.0]})
    assert before.compare(fewer)
    again = collected(table, {"loss": [1.0] * 5})
    collected(table, {"loss": [1.0] * 5}, split="test", run=again)
    assert before.compare(again)
    after.set_parameters({"a": 1})
    assert before.compare(after.url)


# What cannot be read


def test_what_is_no_way_to_reduce(table, collected):
    run = collected(table, {"loss": [1.0] * 5})
    with pytest.raises(OptionError, match="'median'"):
        run.compare(run, how="median")


def test_a_run_or_a_table_that_is_gone(table, collected, tmp_path):
    before = collected(table, {"loss": [1.0] * 5})
    new = table.set_values("number", [0], [1])
    after = collected(new, {"loss": [1.0] * 5})
    with pytest.raises(ObjectNotFoundError, match="no run at"):
        before.compare(tmp_path / "none")
    shutil.rmtree(str(new.url))
    with pytest.raises(ObjectNotFoundError, match=new.name):
        before.compare(after)


def test_a_damaged_table_is_named(table, collected):
    before = collected(table, {"loss": [1.0] * 5})
    new = table.set_values("number", [0], [1])
    after = collected(new, {"loss": [1.0] * 5})
    (file,) = Path(str(new.url), "edits").iterdir()
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(CorruptObjectError, match=file.name):
        before.compare(after)


def test_damaged_metrics_are_passed_over_with_a_warning(table, collected):
    before = collected(table, {"loss": [1.0] * 5})
    after = collected(table, {"loss": [2.0] * 5}, {"loss": [3.0] * 5})
    (segment,) = Path(str(after.metrics_tables[1].url)).glob("rank-*/*.parquet")
    segment.write_bytes(b"")
    with pytest.warns(DamagedObjectWarning, match="passed over"):
        found = before.compare(after)
    assert found.summaries["loss"].after == 2.0


# The loop


def test_find_fix_retrain(collected):
    """The samples whose labels were repaired improve, and far more than the others."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 200)
    x = rng.normal(size=(200, 2)) + 3.0 * truth[:, None]
    wrong = rng.choice(200, 20, replace=False)
    labels = truth.copy()
    labels[wrong] = 1 - labels[wrong]
    table = tlc.Table.from_dict({"x": x, "label": labels}, table_name="train")

    def train(table):
        given = table.column("label").to_numpy()
        means = np.stack([x[given == label].mean(axis=0) for label in (0, 1)])
        distance = ((x[:, None] - means) ** 2).sum(axis=2)
        scores = -distance - np.logaddexp(*(-distance.T))[:, None]
        loss = -scores[np.arange(200), given]
        return collected(table, {"loss": loss, "correct": scores.argmax(axis=1) == given})

    before = train(table)
    worst = np.argsort(-before.metrics.by_example("loss", table))[:20]
    assert len(set(worst) & set(wrong)) >= 16
    fixed = table.set_values("label", worst, 1 - labels[worst], description="seen by eye")
    found = before.compare(train(fixed))
    effects = {effect.metric: effect for effect in found.effects}
    assert effects["loss"].edited_rows == 20
    assert effects["loss"].edited_change < -2
    assert abs(effects["loss"].other_change) < 0.5
    assert effects["correct"].edited_change > 0.8
    table_of_changes = found.table.filter(found.table["edited"])
    assert sorted(table_of_changes["after_row"].to_pylist()) == sorted(worst.tolist())
    assert max(table_of_changes["loss_change"].to_pylist()) < 0
