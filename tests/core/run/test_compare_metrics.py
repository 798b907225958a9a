"""Which metrics run.compare takes, what is better of them, and random runs beside plain dicts."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tlc
from tlc.errors import ColumnNotFoundError, MetricsError, OptionError
from tlc.run.compare_rows import better_of
from tlc.table import DeleteRows, KeepRows, SetValues

EDITS = [("number", -1), ("number", 5), ("label", "edited")]

# Which metrics


def test_numbers_are_compared_but_no_classes_ids_constants_or_vectors(table, collected):
    classes = tlc.schemas.CategoricalLabelSchema(["a", "b"])
    metrics = {
        "loss": [1.0] * 5,
        "correct": [True] * 5,
        "predicted": [0, 1, 0, 1, 0],
        "group": [0, 1, 0, 1, 0],
        "step": list(range(5)),
        "features": [[1.0, 2.0]] * 5,
        "note": ["x"] * 5,
        "only before": [1] * 5,
    }
    before = tlc.Run.create("project", "before")
    options = {"foreign_table_url": table, "constants": {"epoch": 3, "lr": 0.5}}
    schema = {"predicted": classes, "group": tlc.schemas.Int32Schema(value_map=["a", "b"])}
    before.add_metrics(metrics, schema, **options)
    del metrics["only before"]
    after = tlc.Run.create("project", "after")
    after.add_metrics(metrics, schema, **options)
    found = before.compare(after)
    assert found.splits[0].metrics == ("loss", "correct")
    assert found.table["correct_after"].to_pylist() == [1.0] * 5
    assert before.compare(after, "predicted").splits[0].metrics == ("predicted",)
    named = before.compare(after, ["lr", "loss", "loss"])
    assert named.splits[0].metrics == ("lr", "loss")
    with pytest.raises(MetricsError, match=r"'note' .* not numbers"):
        before.compare(after, "note")
    with pytest.raises(OptionError, match="names no metric"):
        before.compare(after, [])
    with pytest.raises(ColumnNotFoundError, match="do not both have 'only before', 'x'"):
        before.compare(after, ["loss", "only before", "x"])


def test_what_is_a_class_in_one_table_is_no_metric(table):
    run = tlc.Run.create("project", "run")
    classes = tlc.schemas.CategoricalLabelSchema(["a", "b"])
    for schema in ({"kind": classes}, {}):
        metrics = {"kind": [0, 1, 0, 1, 0], "loss": [1.0] * 5}
        run.add_metrics(metrics, schema, foreign_table_url=table)
    assert run.compare(run).splits[0].metrics == ("loss",)


def test_runs_without_a_metric_in_common(table, collected):
    before, after = collected(table, {"a": [1] * 5}), collected(table, {"b": [1] * 5})
    with pytest.raises(ColumnNotFoundError, match="do not both have any metric of numbers"):
        before.compare(after)


@pytest.mark.parametrize(
    ("metric", "better"),
    [
        ("loss", "lower"),
        ("val_loss", "lower"),
        ("Absolute Error", "lower"),
        ("accuracy", "higher"),
        ("mean_iou", "higher"),
        ("iou_cat", "higher"),
        ("f1", "higher"),
        ("label_prob", "higher"),
        ("label_logit", "higher"),
        ("true_positives", "higher"),
        ("el2n", "lower"),
        ("false_positives", "lower"),
        ("false_negatives", "lower"),
        ("confidence", None),
        ("loss_weight", None),
        ("", None),
    ],
)
def test_what_is_better(metric, better):
    assert better_of(metric) == better


def test_what_is_better_can_be_said(table, collected):
    before = collected(table, {"odd": [1.0] * 5, "loss": [1.0] * 5})
    after = collected(table, {"odd": [2.0] * 5, "loss": [2.0] * 5})
    found = before.compare(after, better={"loss": "higher"})
    assert (found.summaries["loss"].improved, found.summaries["loss"].worsened) == (5, 0)
    assert (found.summaries["odd"].improved, found.summaries["odd"].worsened) == (None, None)
    assert "odd: 1 -> 2 in 5 rows, 5 higher, 0 lower" in str(found)
    with pytest.raises(OptionError, match="'up'"):
        before.compare(after, better={"loss": "up"})


def test_numbers_near_the_largest(make_table, collected):
    table = make_table(2)
    before, after = (collected(table, {"score": [sign * 1.7e308] * 2}) for sign in (-1, 1))
    summary = before.compare(after).summaries["score"]
    assert (summary.before, summary.after) == (-math.inf, math.inf)
    assert (summary.change, summary.rose) == (math.inf, 2)


# Rows that come again


@pytest.mark.parametrize(("how", "first"), [("last", 5.0), ("first", 0.0)])
def test_rows_that_come_again_in_a_later_file(table, collected, how, first):
    twice = tlc.Table.join_tables([table, table], "twice")
    after = tlc.Run.create("project", "after")
    with tlc.MetricsTableWriter(after, twice, split="train") as writer:
        for start in (0, 5):
            rows = range(start, start + 5)
            writer.add_batch({"example_id": [*rows], "loss": [float(row) for row in rows]})
            writer.flush()
    collected(table, {"other": [0] * 5}, run=after)
    found = collected(table, {"loss": [0] * 5}).compare(after, how=how)
    assert found.table["loss_after"].to_pylist() == [first + n for n in range(5)]


# Random runs


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def is_number(value):
    return value is not None and not math.isnan(value)


def collect(table, generator):
    """Return a run with two metrics of some rows in some epochs, and their last values by key."""
    run = tlc.Run.create("project", "run")
    keys = list(zip(*(each.tolist() for each in table.row_keys()), strict=True))
    known = {"loss": {}, "score": {}}
    for epoch in range(generator.randrange(1, 4)):
        rows = [n for n in range(len(keys)) if generator.random() < 0.7]
        generator.shuffle(rows)
        metrics = {
            name: [generator.choice([0.0, 1.5, -2.25, math.nan, None]) for _ in rows]
            for name in known
        }
        run.add_metrics(
            {"example_id": rows, **metrics},
            {name: tlc.schemas.Float64Schema() for name in known},
            foreign_table_url=table,
            constants={"epoch": epoch},
        )
        for name, values in metrics.items():
            pairs = zip(rows, values, strict=True)
            known[name].update({keys[row]: v for row, v in pairs if v is not None})
    return run, keys, known


def check_rows(found, keys, known):
    """Assert that the rows of a comparison are those with metrics, with their values."""
    before, after = (dict(zip(each, range(len(each)), strict=True)) for each in keys)
    with_metrics = {key for each in known for values in each.values() for key in values}
    rows = found.table.to_pylist()
    listed = [
        keys[1][row["after_row"]] if row["after_row"] is not None else keys[0][row["before_row"]]
        for row in rows
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == with_metrics
    for key, row in zip(listed, rows, strict=True):
        assert (row["before_row"], row["after_row"]) == (before.get(key), after.get(key))
        for name in ("loss", "score"):
            values = [each[name].get(key) for each in known]
            change = None if None in values else values[1] - values[0]
            said = [row[f"{name}_{what}"] for what in ("before", "after", "change")]
            assert repr(said) == repr([*values, change])
    return listed


def check_means(found, known, edited):
    """Assert that summaries and effects are what the values by key come to."""
    for name in ("loss", "score"):
        was, now = ({k: v for k, v in each[name].items() if is_number(v)} for each in known)
        both = was.keys() & now.keys()
        summary = found.summaries[name]
        assert (summary.rows, summary.before_rows, summary.after_rows) == (
            len(both),
            len(was),
            len(now),
        )
        expected = [mean(was[k] for k in both), mean(now[k] for k in both)]
        expected += [mean(was.values()), mean(now.values())]
        said = [summary.before, summary.after, summary.before_all, summary.after_all]
        assert said == pytest.approx(expected, nan_ok=True)
        assert summary.rose == sum(now[k] > was[k] for k in both)
        assert summary.fell == sum(now[k] < was[k] for k in both)
        for effect in (each for each in found.effects if each.metric == name):
            ours = both & edited[effect.column]
            assert (effect.edited_rows, effect.other_rows) == (len(ours), len(both - ours))
            expected = [mean(now[k] - was[k] for k in group) for group in (ours, both - ours)]
            said = [effect.edited_change, effect.other_change]
            assert said == pytest.approx(expected, nan_ok=True)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**20))
def test_random_runs_about_random_revisions(seed, make_table, monkeypatch):
    monkeypatch.setenv("TLC_DURABILITY", "os")
    generator = random.Random(seed)
    first = make_table(8)
    tables = []
    for _ in range(2):
        gone = [n for n in range(8) if generator.random() < 0.2]
        table = first.revise(
            *(SetValues(c, [generator.randrange(8)], [v]) for c, v in EDITS), DeleteRows(gone)
        )
        order = generator.sample(range(len(table)), len(table))
        tables.append(table.revise(KeepRows(order)))
    collected = [collect(table, generator) for table in tables]
    known = [each[2] for each in collected]
    found = collected[0][0].compare(collected[1][0])
    listed = check_rows(found, [each[1] for each in collected], known)
    rows = [dict(enumerate(table.table_rows)) for table in tables]
    cells = [{key: rows[n][at] for at, key in enumerate(collected[n][1])} for n in (0, 1)]
    shared = [key for key in cells[0] if key in cells[1]]
    edited = {
        name: {key for key in shared if cells[0][key][name] != cells[1][key][name]}
        for name in ("number", "label")
    }
    assert {effect.column for effect in found.effects} == {n for n in edited if edited[n]}
    expected = [
        any(key in keys for keys in edited.values()) if key in shared else None for key in listed
    ]
    assert found.table["edited"].to_pylist() == expected
    check_means(found, known, edited)
