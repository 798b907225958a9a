"""Copying runs, and moving the project that they lie in."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

import tlc
from tlc.errors import ObjectExistsError, ObjectKindError


@pytest.fixture
def full(run, table):
    """A run with a bit of everything."""
    run.set_parameters({"lr": 0.1})
    run.description = "about"
    run.add_input_value({"seed": 3})
    for epoch in range(2):
        run.add_metrics(
            {
                "loss": [epoch + i / 10 for i in range(5)],
                "image": [Image.new("L", (2, 2), 10 * epoch + i) for i in range(5)],
            },
            foreign_table_url=table,
            constants={"epoch": epoch},
            split="val",
        )
        run.log({"epoch": epoch, "loss": float(epoch)})
    writer = tlc.MetricsTableWriter(run, table)
    writer.add_batch({"example_id": [2], "loss": [9.0]})
    writer.abort()
    run.set_status_failed("why")
    return run


def check_is_complete(copy, table):
    """Check that `copy` has all that `full` has."""
    assert copy.parameters == {"lr": 0.1}
    assert copy.description == "about"
    assert copy.state.status is tlc.run.RunStatus.FAILED
    assert copy.state.reason == "why"
    assert copy.constants["outputs"] == [{"epoch": e, "loss": float(e)} for e in range(2)]
    assert copy.constants["inputs"][0] == {"seed": 3}
    assert copy.input_tables == [table.url]
    first, second, partial = copy.metrics_tables
    assert [t.url.parent for t in (first, second, partial)] == [copy.url / "metrics"] * 3
    assert [t.is_partial for t in (first, second, partial)] == [False, False, True]
    for epoch, metrics in enumerate((first, second)):
        for i in range(5):
            sample = metrics[i]
            assert sample["image"].getpixel((0, 0)) == 10 * epoch + i
            assert (sample["loss"], sample["epoch"]) == (epoch + i / 10, epoch)
            assert metrics.table_rows[i]["image"].startswith(f"{copy.url}/bulk_data/")
    found = copy.metrics(table, columns=["loss"], join=["label"])
    assert found.num_rows == 11
    assert found["label"].to_pylist()[-1] == "table-2"
    foreign = first.metrics_info.foreign_table
    assert tlc.Url(foreign.url).to_absolute(first.url) == table.url
    shown = first.rows_schema.values["input_table_id"].metadata["foreign_table_url"]
    assert tlc.Url(shown).to_absolute(first.url) == table.url


@pytest.mark.parametrize("where", ["same project", "other project", "other root", "anywhere"])
def test_a_copy_stands_alone(full, table, tmp_path, where):
    arguments = {
        "same project": {"run_name": "copy"},
        "other project": {"project_name": "other project"},
        "other root": {"run_name": "copy", "root_url": tmp_path / "other root"},
        "anywhere": {"destination_url": tmp_path / "some" / "where"},
    }[where]
    copy = full.copy(**arguments)
    expected = {
        "same project": full.url.create_sibling("copy"),
        "other project": tlc.Url(full.root_url) / "other project" / "runs" / "run",
        "other root": tlc.Url(tmp_path) / "other root" / "project" / "runs" / "copy",
        "anywhere": tlc.Url(tmp_path) / "some" / "where",
    }[where]
    assert copy.url == expected
    assert copy.id != full.id
    check_is_complete(full, table)
    shutil.rmtree(str(full.url))
    check_is_complete(tlc.Run.from_url(copy.url), table)


def test_a_copy_goes_its_own_way(full, table):
    copy = full.copy("copy")
    copy.log({"epoch": 7})
    copy.set_status_running()
    copy.add_metrics({"loss": [0.0] * 5}, foreign_table_url=table)
    full.set_parameters({"lr": 0.5})
    assert copy.parameters == {"lr": 0.1}
    assert len(full.metrics) == 2
    assert len(copy.metrics) == 3
    assert len(full.constants["outputs"]) == 2


def test_a_copy_of_a_copy(full, table):
    second = full.copy("copy").copy("second", project_name="other")
    shutil.rmtree(str(full.url))
    check_is_complete(second, table)


def test_copying_nothing_yet(run):
    copy = run.copy("copy")
    assert copy.parameters == {}
    assert copy.metrics_tables == []
    assert copy.status == tlc.constants.RUN_STATUS_EMPTY


def test_the_manifests_description_comes_along():
    assert tlc.init("p", "r", "about").copy("copy").description == "about"


def test_times_of_the_log_stay(full):
    assert full.copy("copy").last_modified == full.last_modified


def test_metrics_tables_that_lie_elsewhere_stay_there(run, table, tmp_path):
    run.add_metrics_table(table)
    run.add_metrics({"loss": [1.0]})
    for copy in (
        run.copy("copy"),
        run.copy(project_name="other"),
        run.copy(destination_url=tmp_path / "copy"),
    ):
        linked, own = copy.metrics_tables
        assert linked == table
        assert own.url == copy.url / "metrics" / "metrics_0000"


def test_revisions_of_metrics_tables_come_along(run):
    run.add_metrics({"loss": [1.0, 2.0]})
    run.add_metrics_table(run.metrics_tables[0].add_column("rank", [1, 0]))
    copy = run.copy("copy", project_name="other")
    shutil.rmtree(str(run.url))
    first, revised = copy.metrics_tables
    assert revised.url.parent == copy.url / "metrics"
    assert revised.table_rows[1] == {"loss": 2.0, "rank": 0}
    assert revised.input_tables == [first.url]


class TestIfExists:
    def test_raise_is_the_default(self, full, table):
        other = tlc.init("project", "other", parameters={"mine": 1})
        with pytest.raises(ObjectExistsError, match="exists already"):
            full.copy("other")
        assert other.parameters == {"mine": 1}
        assert other.metrics_tables == []
        check_is_complete(full, table)

    def test_rename(self, full, table):
        names = [full.copy(if_exists="rename").name for _ in range(2)]
        assert names == ["run_0000", "run_0001"]
        check_is_complete(tlc.Run.from_names("project", "run_0001"), table)

    def test_overwrite(self, full, table):
        other = tlc.init("project", "other", parameters={"mine": 1})
        for _ in range(4):
            other.add_metrics({"mine": [1]})
        copy = full.copy("other", if_exists="overwrite")
        assert copy.url == other.url
        assert copy.id not in (other.id, full.id)
        check_is_complete(copy, table)
        other.set_parameters({"stale": 1})
        check_is_complete(tlc.Run.from_url(other.url), table)

    @pytest.mark.parametrize("mode", ["reuse", "nonsense"])
    def test_no_other(self, full, table, mode):
        other = tlc.init("project", "other", parameters={"mine": 1})
        with pytest.raises(ValueError, match=mode):
            full.copy("other", if_exists=mode)
        assert other.parameters == {"mine": 1}
        assert other.metrics_tables == []

    def test_never_onto_itself(self, full, table):
        with pytest.raises(ObjectExistsError):
            full.copy(if_exists="overwrite")
        with pytest.raises(ObjectExistsError):
            full.copy()
        check_is_complete(full, table)

    def test_never_onto_a_table(self, full, table):
        with pytest.raises(ObjectKindError):
            full.copy(destination_url=table.url, if_exists="overwrite")
        assert len(tlc.Table.from_url(table.url)) == 5


def test_a_run_outside_the_layout(tmp_path):
    run = tlc.init(run_url=tmp_path / "mine")
    tlc.set_active_run(None)
    copy = run.copy("copy")
    assert copy.url == tlc.Run.from_names(run_name="copy").url
    assert copy.project_name == "default-project"


class TestMoving:
    def test_a_project_can_be_moved(self, full, table, tmp_path):
        moved = tmp_path / "moved"
        shutil.move(str(full.root_url), str(moved))
        copy = tlc.Run.from_url(moved / "project" / "runs" / "run")
        there = tlc.Table.from_url(
            moved / "project" / "datasets" / "default-dataset" / "tables" / "table"
        )
        assert there.id == table.id
        check_is_complete(copy, there)

    def test_a_run_can_be_opened_by_another_way_to_it(self, full, tmp_path):
        (tmp_path / "link").symlink_to(str(full.url))
        run = tlc.Run.from_url(tmp_path / "link")
        assert run.parameters == {"lr": 0.1}
        assert len(run.metrics_tables) == 3
