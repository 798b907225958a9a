"""Scores are columns that can be put together, ranked, and added to a table or a run."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import tlc
from tlc.dynamics import Scores
from tlc.errors import ColumnError, ColumnNotFoundError, MetricsError
from tlc.run import Run
from tlc.table import Table

nan = float("nan")


@pytest.fixture
def table():
    return Table.from_dict({"x": [1.0, 2.0, 3.0, 4.0]}, table_name="train")


@pytest.fixture
def scores(table):
    return Scores(table, {"hard": np.array([0.5, nan, 2.0, 0.5])}, description="how hard")


def test_a_score_is_found_by_its_name(scores):
    assert list(scores) == ["hard"]
    assert len(scores) == 1
    assert scores["hard"][2] == 2
    assert repr(scores) == "Scores(hard of 4 rows of train)"
    with pytest.raises(ColumnNotFoundError, match=r"'easy'.*there are hard"):
        scores["easy"]


def test_rows_come_in_the_order_of_a_score(scores):
    assert scores.rows("hard").tolist() == [2, 0, 3]
    assert scores.rows("hard", highest=False).tolist() == [0, 3, 2]
    assert scores.rows("hard", 2).tolist() == [2, 0]
    flags = Scores(scores.table, {"odd": np.array([False, True, False, True])})
    assert flags.rows("odd", 2).tolist() == [1, 3]


def test_rows_are_put_in_order_by_one_number_each(table):
    lists = pa.array([[1], [], [3, 4], [5]])
    scores = Scores(table, {"wide": np.ones((4, 2)), "lists": lists, "text": list("abcd")})
    for name in scores:
        with pytest.raises(ColumnError, match=f"not one number in '{name}'"):
            scores.rows(name)
    with pytest.raises(ColumnError, match="not one number"):
        Scores(table, {"short": np.zeros(3)}).rows("short")


def test_a_revision_has_the_scores_and_its_samples_do_not(scores, table):
    revision = scores.add_to_table()
    assert revision.columns == ["x", "hard"]
    np.testing.assert_array_equal(revision.column("hard").to_numpy(), scores["hard"])
    assert revision[0] == {"x": 1.0}
    assert revision.description == "how hard"
    assert not revision.rows_schema.values["hard"].writable
    assert table.latest() == revision
    assert table.columns == ["x"]


def test_scores_replace_those_of_the_same_name(scores):
    first = scores.add_to_table(description="first")
    again = Scores(first, {"hard": np.arange(4.0), "more": np.ones((4, 2))}).add_to_table()
    assert again.columns == ["x", "hard", "more"]
    assert again.column("hard").to_pylist() == [0, 1, 2, 3]
    assert again.column("more").to_pylist() == [[1.0, 1.0]] * 4
    assert first.column("hard").to_pylist()[2] == 2


def test_data_are_not_replaced_by_scores(table):
    with pytest.raises(ColumnError, match=r"'x' that is no score.*add_to_run"):
        Scores(table, {"x": np.zeros(4)}).add_to_table()
    assert table.latest() == table


@pytest.mark.parametrize("arrow", [False, True])
def test_lists_of_any_length_are_hidden_too(table, arrow):
    lists = [[1, 2], [], [3], [4]]
    values = pa.array(lists, pa.list_(pa.int32())) if arrow else [np.array(x, int) for x in lists]
    schemas = {"boxes": tlc.schemas.Int32Schema(shape=(-1,), description="counts")}
    scores = Scores(table, {"boxes": values}, schemas)
    revision = scores.add_to_table()
    assert revision.column("boxes").to_pylist() == lists
    assert revision[0] == {"x": 1.0}
    assert revision.rows_schema.values["boxes"].description == "counts"
    assert schemas["boxes"].sample_type == "", "the schema given stays as it is"


def test_a_run_gets_them_joined_to_the_rows(scores, table):
    run = Run.create("project", "run")
    metrics = scores.add_to_run(run, split="train")
    assert metrics.metrics_info.foreign_table.id == table.id
    found = run.metrics(table=table, split="train", join=["x"])
    assert found["x"].to_pylist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(found["hard"].to_numpy(), scores["hard"])


def test_scores_of_one_table_go_together(scores, table):
    schema = tlc.schemas.Float32Schema(description="how easy")
    other = Scores(table, {"easy": np.zeros(4)}, {"easy": schema}, description="how easy")
    both = scores | other
    assert list(both) == ["hard", "easy"]
    assert both.description == "how hard; how easy"
    assert both.add_to_table().rows_schema.values["easy"].description == "how easy"
    assert list(scores) == ["hard"]
    again = both | Scores(table, {"easy": np.array(["a", "b", "c", "d"])})
    assert again.add_to_table().column("easy").to_pylist() == ["a", "b", "c", "d"]
    with pytest.raises(MetricsError, match="do not go together"):
        scores | Scores(table.delete_rows([0]), {"easy": np.zeros(3)})
