"""What a whole project must do wherever it lies: on a disk, in a store, behind any adapter.

Subclass `ProjectContract` in a test file, name the class ``Test...`` and override `root`.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

import tlc
from tlc.catalog import list_projects, list_runs, list_tables
from tlc.errors import ObjectExistsError, ObjectNotFoundError
from tlc.schemas import CategoricalLabelSchema, ImageSchema
from tlc.url import Url

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ProjectContract"]

_WRITERS = 4


class ProjectContract:
    """Tests that an heir inherits; all projects lie at the url that `root` returns.

    Attributes:
        is_shared: Whether another process sees what this one has written.
    """

    is_shared: ClassVar[bool] = True

    @pytest.fixture
    def root(self, tmp_path: Path) -> Url:
        """Return the url of a folder of its own, into which the tests may write.

        Args:
            tmp_path: A folder of this machine, made for the test.
        """
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _root_of_projects(self, root: Url, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TLC_PROJECT_ROOT_URL", str(root))

    def test_a_table_comes_back(self, root: Url) -> None:
        """Columns, schemas, keys and description survive; a second process reads the same."""
        table = _animals()
        assert table.url == root / "zoo" / "datasets" / "animals" / "tables" / "first"
        again = tlc.Table.from_names("first", "animals", "zoo")
        assert again.id == table.id
        assert [again[i] for i in range(3)] == [{"name": n, "label": v} for n, v in _ROWS]
        assert again.get_simple_value_map("label") == {0: "cat", 1: "dog"}
        with pytest.raises(ObjectNotFoundError):
            tlc.Table.from_names("second", "animals", "zoo")

    def test_revisions_find_each_other(self, root: Url) -> None:
        """Edits make revisions; the newest is found from the first, and all stay as they were."""
        first = _animals()
        second = first.set_values("label", [0], [1], description="a dog")
        third = second.delete_rows([1])
        assert first.latest().url == third.url
        assert [table.id for table in third.history()] == [first.id, second.id, third.id]
        assert _labels(tlc.Table.from_url(first.url)) == [0, 1, 0]
        assert _labels(tlc.Table.from_url(second.url)) == [1, 1, 0]
        assert _labels(tlc.Table.from_url(third.url)) == [1, 0]
        assert _listed(root / "zoo") == {first.url, second.url, third.url}

    def test_names_are_taken_once(self, root: Url) -> None:
        """Of writers that want one name at once one gets it; with "rename" each gets its own."""

        def write(number: int, if_exists: str) -> Url:
            writer = tlc.TableWriter("t", "d", "race", if_exists=if_exists)
            writer.add_row({"number": number})
            return writer.finalize().url

        with ThreadPoolExecutor(_WRITERS) as pool:
            urls = list(pool.map(lambda number: write(number, "rename"), range(_WRITERS)))
        assert len(set(urls)) == _WRITERS
        assert _listed(root / "race") == set(urls)
        numbers = [tlc.Table.from_url(str(url))[0]["number"] for url in urls]
        assert sorted(numbers) == list(range(_WRITERS))
        with pytest.raises(ObjectExistsError):
            write(9, "raise")

    def test_bulk_data_is_read_back(self, root: Url) -> None:
        """Images that were written come back with their pixels, one by one and in batches."""
        from PIL import Image

        pixels = [np.full((4, 5, 3), 40 * number, np.uint8) for number in range(5)]
        writer = tlc.TableWriter("images", "d", "bulk", schema={"image": ImageSchema()})
        with writer:
            for each in pixels:
                writer.add_row({"image": Image.fromarray(each)})
        table = tlc.Table.from_names("images", "d", "bulk")
        assert all(Url(row["image"]).scheme == root.scheme for row in table.table_rows)
        for samples in (list(table), table.__getitems__(range(5))):
            for sample, expected in zip(samples, pixels, strict=True):
                assert np.array_equal(np.asarray(sample["image"]), expected)

    def test_runs_keep_what_they_were_told(self, root: Url) -> None:
        """Parameters, logged values, status and metrics are there for another process."""
        table = _animals()
        run = tlc.init("zoo", "training", parameters={"lr": 0.1})
        tlc.log({"epoch": 0, "loss": 1.5})
        run.add_input_table(table)
        run.add_metrics({"loss": [0.5, 1.5, 2.5]}, foreign_table_url=table.url)
        tlc.close()
        again = tlc.Run.from_url(run.url)
        assert again.url == root / "zoo" / "runs" / "training"
        assert again.parameters == {"lr": 0.1}
        assert again.input_tables == [table.url]
        (metrics,) = again.metrics_tables
        assert metrics.get_column_as_pyarrow_array("loss").to_pylist() == [0.5, 1.5, 2.5]
        assert [entry.url for entry in list_runs(root / "zoo")] == [run.url]
        assert list_projects(root) == [root / "zoo"]
        assert {"epoch": 0, "loss": 1.5} in again.constants["outputs"]

    def test_metrics_are_collected(self, root: Url) -> None:
        """A pass over the table with a collector gives a metrics table that is joined to it."""
        table = _animals()
        run = tlc.init("zoo", "collecting")

        def lengths(batch: Any, _: Any) -> dict[str, Any]:
            return {"length": [len(name) for name in batch["name"]]}

        tlc.collect_metrics(table, lengths, dataloader_args={"batch_size": 2})
        tlc.close()
        (metrics,) = tlc.Run.from_url(run.url).metrics_tables
        assert metrics.get_column_as_pyarrow_array("length").to_pylist() == [3, 3, 4]
        assert metrics.get_column_as_pyarrow_array("example_id").to_pylist() == [0, 1, 2]

    def test_the_command_lists_it(self, root: Url) -> None:
        """`tlc ls` names projects, tables and runs."""
        if not self.is_shared:
            return
        _animals()
        tlc.init("zoo", "training")
        tlc.close()
        command = [sys.executable, "-m", "tlc", "ls", "--root", str(root), "zoo"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        assert "first" in answer.stdout
        assert "training" in answer.stdout


_ROWS = (("tom", 0), ("rex", 1), ("lily", 0))


def _animals() -> Any:
    names, labels = zip(*_ROWS, strict=True)
    return tlc.Table.from_dict(
        {"name": list(names), "label": list(labels)},
        schema={"label": CategoricalLabelSchema(["cat", "dog"])},
        table_name="first",
        dataset_name="animals",
        project_name="zoo",
    )


def _labels(table: Any) -> list[int]:
    return table.get_column_as_pyarrow_array("label").to_pylist()


def _listed(project: Url) -> set[Url]:
    entries = list_tables(project)
    assert not [entry for entry in entries if entry.fault]
    return {entry.url for entry in entries}
