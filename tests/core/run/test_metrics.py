"""run.metrics: a list of infos, and the metrics of all epochs in one table."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tlc
from tlc.errors import ColumnError, ColumnNotFoundError, DamagedObjectWarning, MetricsError


def cells(table, *names):
    """Return the rows of an Arrow table as tuples."""
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


@pytest.fixture
def epochs(run, table):
    """A run with the losses of two epochs: 100 times the epoch plus the row."""
    for epoch in (1, 2):
        losses = [100.0 * epoch + i for i in range(5)]
        run.add_metrics({"loss": losses}, foreign_table_url=table, constants={"epoch": epoch})
    return run


class TestList:
    def test_dicts_of_the_older_form(self, epochs):
        assert len(epochs.metrics) == 2
        assert isinstance(epochs.metrics, list)
        for number, info in enumerate(epochs.metrics):
            assert info["url"] == f"metrics/metrics_{number:04d}"
            assert info["stream_name"] == "default_stream"
            assert info["row_count"] == 5
            assert info["file_size"] == epochs.metrics_tables[number].file_size
        assert epochs.metrics[-1] == epochs.metrics[1]

    def test_empty(self, run):
        assert run.metrics == []
        assert not run.metrics


class TestCall:
    def test_all_epochs(self, epochs, table):
        found = epochs.metrics()
        assert found.column_names == ["example_id", "split", "loss", "epoch"]
        assert found.schema.types[:2] == [pa.int64(), pa.string()]
        assert cells(found, "example_id", "split", "loss", "epoch") == [
            (i, "", 100.0 * epoch + i, epoch) for epoch in (1, 2) for i in range(5)
        ]
        assert epochs.metrics(table) == found

    def test_joined_columns_can_have_other_names(self, epochs, table):
        found = epochs.metrics(table, join={"label": "given"})
        assert found["given"].to_pylist() == table.column("label").to_pylist() * 2
        with pytest.raises(ColumnError, match="'loss' is a column of the metrics"):
            epochs.metrics(table, join={"label": "loss"})

    def test_no_metrics(self, run, table):
        for found in (run.metrics(), run.metrics(table), run.metrics(join=["label"])):
            assert found.column_names == ["example_id", "split"]
            assert found.schema.types == [pa.int64(), pa.string()]
            assert found.num_rows == 0

    def test_split(self, run, table):
        for split in ("train", "val", "", "val"):
            run.add_metrics({"loss": [0.0] * 5}, foreign_table_url=table, split=split)
        assert run.metrics(split="val").num_rows == 10
        assert run.metrics(split="train")["split"].to_pylist() == ["train"] * 5
        assert run.metrics(split="").num_rows == 5
        assert run.metrics(split="test").num_rows == 0
        assert run.metrics()["split"].to_pylist() == [
            each for split in ("train", "val", "", "val") for each in [split] * 5
        ]

    def test_a_split_column_of_their_own(self, run, table):
        run.add_metrics({"split": list("abcde")}, foreign_table_url=table, split="val")
        run.add_metrics({"loss": [0.0] * 5}, foreign_table_url=table, split="val")
        assert run.metrics()["split"].to_pylist() == [*"abcde", *["val"] * 5]
        assert run.metrics(split="val").num_rows == 10

    @pytest.mark.parametrize(
        ("columns", "names", "rows"),
        [
            (None, ["example_id", "split", "loss", "epoch", "iou"], 15),
            (["loss"], ["example_id", "split", "loss"], 10),
            (["epoch", "loss"], ["example_id", "split", "epoch", "loss"], 10),
            (["iou", "loss", "loss"], ["example_id", "split", "loss", "iou"], 15),
            (["loss", "example_id", "split"], ["example_id", "split", "loss"], 10),
            (["example_id"], ["example_id", "split"], 15),
            (["split"], ["example_id", "split"], 15),
            ([], ["example_id", "split"], 15),
            (["unknown"], ["example_id", "split"], 0),
        ],
    )
    def test_columns(self, epochs, table, columns, names, rows):
        epochs.add_metrics({"iou": [0.5] * 5}, foreign_table_url=table)
        found = epochs.metrics(columns=columns)
        assert found.column_names == names
        assert found.num_rows == rows

    def test_columns_that_some_do_not_have_are_null(self, run, table):
        run.add_metrics({"a": [1] * 5}, foreign_table_url=table)
        run.add_metrics({"b": ["x"] * 5, "a": [1.5] * 5}, foreign_table_url=table)
        found = run.metrics()
        assert found["a"].to_pylist() == [1.0] * 5 + [1.5] * 5
        assert found["b"].to_pylist() == [None] * 5 + ["x"] * 5

    def test_columns_of_contradicting_kinds(self, run, table):
        run.add_metrics({"a": [1] * 5, "b": [1.0] * 5}, foreign_table_url=table)
        run.add_metrics({"a": ["x"] * 5, "b": [2.0] * 5}, foreign_table_url=table, split="val")
        with pytest.raises(MetricsError, match=r"do not fit together.*\ba\b.*Hint"):
            run.metrics()
        assert run.metrics(columns=["b"])["b"].to_pylist() == [1.0] * 5 + [2.0] * 5
        assert run.metrics(split="val")["a"].to_pylist() == ["x"] * 5

    def test_vectors_of_different_lengths(self, run, table):
        for width in (2, 3):
            run.add_metrics({"embedding": np.ones((5, width))}, foreign_table_url=table)
        found = run.metrics()["embedding"].to_pylist()
        assert [len(each) for each in found] == [2] * 5 + [3] * 5

    @pytest.mark.parametrize("form", ["table", "url", "text", "view"])
    def test_all_ways_to_name_the_table(self, epochs, table, form):
        given = {
            "table": table,
            "url": table.url,
            "text": table.url.to_str(),
            "view": table.with_transform(len).with_transform(len),
        }[form]
        assert epochs.metrics(given) == epochs.metrics()
        with pytest.raises(FileNotFoundError):
            epochs.metrics(table.url / "nothing")

    def test_about_other_tables(self, epochs, table, make_table):
        other = make_table(name="other")
        epochs.add_metrics({"loss": [7.0] * 5}, foreign_table_url=other)
        epochs.add_metrics({"iou": [0.5]})
        assert epochs.metrics(other)["loss"].to_pylist() == [7.0] * 5
        assert epochs.metrics(table).num_rows == 10
        assert epochs.metrics().num_rows == 15
        third = make_table(name="third")
        assert epochs.metrics(third).column_names == ["example_id", "split"]

    def test_an_empty_table_has_no_metrics(self, epochs, table):
        assert epochs.metrics(table.delete_rows(range(5))).num_rows == 0

    def test_ids_of_another_type(self, run, table):
        schema = {"example_id": tlc.schemas.Int32Schema()}
        run.add_metrics({"example_id": [3], "loss": [0.5]}, schema, table)
        found = run.metrics(table.delete_rows([0]))
        assert cells(found, "example_id", "loss") == [(2, 0.5)]
        assert found.schema.types[0] == pa.int64()


class TestJoin:
    def test_by_id(self, run, table):
        ids = [4, 0, 0]
        run.add_metrics({"example_id": ids, "loss": [0.4, 0.0, 0.1]}, foreign_table_url=table)
        for found in (
            run.metrics(join=["label", "number"]),
            run.metrics(table, join=["label", "number"]),
        ):
            assert found.column_names == ["example_id", "split", "loss", "label", "number"]
            assert found["label"].to_pylist() == [f"table-{i}" for i in ids]
            assert found["number"].to_pylist() == [10 * i for i in ids]

    def test_each_with_its_own_table(self, run, table, make_table):
        other = make_table(name="other", rows=3)
        run.add_metrics({"loss": [0.0] * 3}, foreign_table_url=other)
        run.add_metrics({"loss": [0.0] * 5}, foreign_table_url=table)
        assert run.metrics(join=["label"])["label"].to_pylist() == [
            *(f"other-{i}" for i in range(3)),
            *(f"table-{i}" for i in range(5)),
        ]

    def test_cells_are_those_of_the_table_that_was_asked_for(self, epochs, table):
        edited = table.set_values("label", [1], ["corrected"])
        found = epochs.metrics(edited, columns=["loss"], join=["label"])
        labels = ["table-0", "corrected", "table-2", "table-3", "table-4"]
        assert found["label"].to_pylist() == labels * 2
        assert epochs.metrics(table, join=["label"])["label"][1].as_py() == "table-1"

    def test_errors(self, epochs, table):
        with pytest.raises(ColumnNotFoundError, match="'unknown'"):
            epochs.metrics(table, join=["unknown"])
        clash = table.add_column("loss", [0.0] * 5)
        with pytest.raises(ColumnError, match="'loss' is a column of the metrics and of"):
            epochs.metrics(clash, join=["loss"])
        assert epochs.metrics(clash, columns=["epoch"], join=["loss", "loss"]).num_rows == 10


class TestOtherTablesOfTheSameRows:
    def test_a_later_revision(self, epochs, table):
        edited = table.set_values("label", [0], ["x"]).add_column("y", range(5))
        shorter = edited.delete_rows([1, 3])
        found = epochs.metrics(shorter, join=["number"])
        assert cells(found, "example_id", "loss", "number") == [
            (new, 100.0 * epoch + old, 10 * old)
            for epoch in (1, 2)
            for new, old in enumerate([0, 2, 4])
        ]
        assert epochs.metrics(edited)["example_id"].to_pylist() == [*range(5), *range(5)]

    def test_an_earlier_revision(self, run, table):
        shorter = table.delete_rows([1, 3])
        run.add_metrics({"loss": [0.0, 2.0, 4.0]}, foreign_table_url=shorter)
        assert cells(run.metrics(table), "example_id", "loss") == [(0, 0.0), (2, 2.0), (4, 4.0)]

    def test_branches(self, run, table):
        left, right = table.delete_rows([0]), table.delete_rows([4])
        run.add_metrics({"loss": [1.0, 2.0, 3.0, 4.0]}, foreign_table_url=left)
        assert cells(run.metrics(right), "example_id", "loss") == [(1, 1.0), (2, 2.0), (3, 3.0)]

    def test_a_join(self, epochs, table, make_table):
        other = make_table(name="other", rows=2)
        epochs.add_metrics({"loss": [7.0, 8.0]}, foreign_table_url=other, constants={"epoch": 9})
        joined = tlc.Table.join_tables([other, table.delete_rows([0])])
        found = epochs.metrics(joined, columns=["loss"], join=["label"])
        assert cells(found, "example_id", "loss", "label") == [
            (1 + old, 100.0 * epoch + old, f"table-{old}")
            for epoch in (1, 2)
            for old in range(1, 5)
        ] + [(0, 7.0, "other-0"), (1, 8.0, "other-1")]

    def test_metrics_of_a_join_beside_its_parts(self, run, table, make_table):
        other = make_table(name="other", rows=2)
        joined = tlc.Table.join_tables([other, table])
        run.add_metrics({"loss": [float(i) for i in range(7)]}, foreign_table_url=joined)
        assert cells(run.metrics(other), "example_id", "loss") == [(0, 0.0), (1, 1.0)]
        assert cells(run.metrics(table), "example_id", "loss") == [(i, 2.0 + i) for i in range(5)]

    def test_a_table_joined_with_itself(self, epochs, table):
        twice = tlc.Table.join_tables([table, table])
        assert epochs.metrics(twice)["example_id"].to_pylist() == [*range(5), *range(5)]

    def test_a_subset_that_is_no_revision(self, epochs, table, tmp_path):
        subset = table.delete_rows([0, 1, 2], table_url=tmp_path / "subset")
        found = epochs.metrics(subset, join=["label"], columns=["loss"])
        assert cells(found, "example_id", "loss", "label") == [
            (new, 100.0 * epoch + old, f"table-{old}")
            for epoch in (1, 2)
            for new, old in enumerate([3, 4])
        ]

    def test_a_squashed_table(self, epochs, table):
        squashed = table.delete_rows([0]).squash("squashed")
        found = epochs.metrics(squashed)
        assert found["example_id"].to_pylist() == [0, 1, 2, 3] * 2
        assert found["loss"].to_pylist()[:4] == [101.0, 102.0, 103.0, 104.0]

    def test_another_table_under_the_old_name_gets_no_metrics(self, epochs, table):
        new = tlc.Table.from_dict(
            {"number": [1] * 5}, project_name="project", table_name="table", if_exists="overwrite"
        )
        assert new.url == table.url
        with pytest.warns(DamagedObjectWarning, match="there is another one of that name"):
            assert epochs.metrics(new).num_rows == 0
        assert epochs.metrics().num_rows == 10


@st.composite
def collections(draw):
    """Collections of metrics about revisions of one table of 8 rows; see `test_against_lists`."""
    deleted = st.lists(st.integers(0, 7), unique=True, max_size=8)
    revisions = [[], *draw(st.lists(deleted, min_size=1, max_size=3))]
    kept = [[row for row in range(8) if row not in gone] for gone in revisions]
    written = []
    for epoch in range(draw(st.integers(0, 4))):
        revision = draw(st.integers(0, len(kept) - 1))
        rows = len(kept[revision])
        ids = draw(st.lists(st.integers(0, rows - 1), max_size=6) if rows else st.just([]))
        written.append((revision, draw(st.sampled_from(["train", "val"])), epoch, ids))
    return revisions, kept, written, draw(st.integers(0, len(kept) - 1))


@given(collections())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_against_lists(tmp_path_factory, case):
    revisions, kept, written, wanted = case
    root = tmp_path_factory.mktemp("root")
    first = tlc.Table.from_dict({"name": [f"row {i}" for i in range(8)]}, root_url=root)
    tables = [first.delete_rows(gone) if gone else first for gone in revisions]
    run = tlc.init(run_name="run", root_url=root)
    for number, (revision, split, epoch, ids) in enumerate(written):
        run.add_metrics(
            {"example_id": ids, "number": [100 * number + k for k in range(len(ids))]},
            foreign_table_url=tables[revision],
            constants={"epoch": epoch},
            split=split,
        )

    def expected(only_split, about):
        for number, (revision, split, epoch, ids) in enumerate(written):
            for k, example_id in enumerate(ids):
                row = kept[revision][example_id]
                if only_split in (None, split) and row in kept[about]:
                    yield (kept[about].index(row), split, epoch, 100 * number + k, f"row {row}")

    names = ["example_id", "split", "epoch", "number", "name"]
    for split in (None, "train"):
        oracle = list(expected(split, wanted))
        found = run.metrics(tables[wanted], split=split, join=["name"])
        assert found.num_rows == len(oracle)
        if oracle:
            assert cells(found, *names) == oracle
    everything = run.metrics()
    assert everything["example_id"].to_pylist() == [i for *_, ids in written for i in ids]


class TestWhatCannotBeRead:
    """One bad table must never hide the others."""

    def test_a_deleted_metrics_table(self, epochs):
        shutil.rmtree(str(epochs.metrics_tables[0].url))
        with pytest.warns(DamagedObjectWarning, match="metrics_0000"):
            assert [t.name for t in epochs.metrics_tables] == ["metrics_0001"]
        with pytest.warns(DamagedObjectWarning, match="metrics_0000"):
            assert epochs.metrics()["epoch"].to_pylist() == [2] * 5
        assert len(epochs.metrics) == 2

    def test_a_damaged_manifest(self, epochs):
        (epochs.metrics_tables[1].url / "manifest.json").write_bytes(b"{}")
        with pytest.warns(DamagedObjectWarning, match="metrics_0001"):
            assert [t.name for t in epochs.metrics_tables] == ["metrics_0000"]

    def test_a_damaged_data_file(self, epochs):
        (file,) = Path(str(epochs.metrics_tables[0].url)).rglob("*.parquet")
        file.write_bytes(file.read_bytes()[:-1])
        with pytest.warns(DamagedObjectWarning, match=file.name):
            assert epochs.metrics()["epoch"].to_pylist() == [2] * 5

    def test_a_deleted_input_table(self, epochs, table, make_table):
        later = table.add_column("x", range(5))
        shutil.rmtree(str(table.url))
        assert epochs.metrics().num_rows == 10
        other = make_table(name="other")
        with pytest.warns(DamagedObjectWarning, match="no table at"):
            assert epochs.metrics(other).num_rows == 0
        with pytest.raises(FileNotFoundError):
            epochs.metrics(join=["label"])
        assert later.columns == ["number", "label", "x"]

    def test_foreign_things_among_the_metrics(self, epochs):
        (Path(str(epochs.url)) / "metrics" / "notes.txt").write_text("notes")
        (Path(str(epochs.url)) / "metrics" / "empty").mkdir()
        assert len(epochs.metrics_tables) == 2
        assert epochs.metrics().num_rows == 10
