from __future__ import annotations

import operator

import numpy as np
import pytest
import torch
from PIL import Image

from tlc.errors import (
    CollectorError,
    MetricsError,
    NotPicklableError,
    RowIndexError,
    TlcError,
    WeightError,
    WriterStateError,
)
from tlc.metrics import (
    ClassificationMetricsCollector,
    Collection,
    FunctionalMetricsCollector,
    MetricsCollector,
    collect_metrics,
)
from tlc.run import RunStatus, active_run, init
from tlc.schemas import Int32Schema
from tlc.table import Table
from tlc.url import Url

COUNT = 10


def index_of(batch, predictor_output):
    return {"first": batch["x"][:, 0]}


def written(run=None):
    return (run or active_run()).metrics_tables[-1]


def column(table, name):
    return table.get_column_as_pyarrow_array(name).to_pylist()


class Counting:
    """A collector function that fails at a batch."""

    def __init__(self, error, at=2):
        self.error = error
        self.at = at
        self.calls = 0

    def __call__(self, batch, predictor_output):
        self.calls += 1
        if self.calls > self.at:
            raise self.error
        return index_of(batch, predictor_output)


class TestFailures:
    @pytest.mark.parametrize("error", [ValueError("boom"), KeyboardInterrupt()])
    def test_what_came_in_stays_readable_and_partial(self, view, error):
        run = init("project")
        with pytest.raises(type(error)):
            collect_metrics(view, Counting(error), dataloader_args={"batch_size": 3})
        metrics = written(run)
        assert metrics.is_partial
        assert column(metrics, "example_id") == list(range(6))
        assert run.state.outputs == []
        assert run.state.status is RunStatus.RUNNING

    def test_a_run_that_failed_meanwhile_stays_failed(self, view):
        run = init("project")

        def fail(batch, predictor_output):
            run.set_status_failed("out of memory")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            collect_metrics(view, fail)
        assert run.state.status is RunStatus.FAILED

    @pytest.mark.parametrize(
        ("collectors", "arguments", "error", "message"),
        [
            (
                lambda batch, _: {"loss": torch.tensor(0.5)},
                {},
                CollectorError,
                r"<lambda> \(test_collect\w+.py:\d+\) returned a single number for .*loss",
            ),
            (
                lambda batch, _: {"loss": [1.0]},
                {},
                CollectorError,
                r"<lambda> \(test_collect\w+.py:\d+\) returned 1 values .*, expected 10",
            ),
            (
                [index_of, FunctionalMetricsCollector(index_of)],
                {},
                CollectorError,
                "'first' comes from index_of and from index_of",
            ),
            (
                lambda batch, _: {"epoch": batch["label"]},
                {"constants": {"epoch": 1}},
                CollectorError,
                "'epoch' comes from .* and from a constant",
            ),
            (
                lambda batch, _: {"example_id": batch["label"]},
                {},
                CollectorError,
                "'example_id' comes from .* the collection itself",
            ),
            (ClassificationMetricsCollector, {}, CollectorError, "the class Classification"),
            ("loss", {}, CollectorError, "'loss' is not a metrics collector"),
            (5, {}, CollectorError, "5 is not a metrics collector"),
            (index_of, {"constants": {"example_id": 1}}, MetricsError, "example_id"),
            (
                index_of,
                {"constants_schemas": {"rate": Int32Schema()}},
                MetricsError,
                "constants has no such name",
            ),
            (index_of, {"dataloader_args": {"shuffle": True}}, MetricsError, "shuffle.*in order"),
        ],
    )
    def test_errors(self, view, collectors, arguments, error, message):
        with pytest.raises(error, match=message):
            collect_metrics(view, collectors, **arguments)

    def test_columns_must_stay_the_same(self, view):
        def changing(batch, _):
            return {"x" if len(batch["label"]) == 4 else "y": batch["label"]}

        with pytest.raises(CollectorError, match=r"returned the columns \['y'\], but \['x'\]"):
            collect_metrics(view, changing, dataloader_args={"batch_size": 4})

    def test_arguments_are_checked_before_a_run_is_made(self, view, table):
        for arguments in (
            {"table": table, "dataloader_args": {"drop_last": True}},
            {"table": [1, 2]},
            {"table": object()},
            {"table": view, "predictor": 5},
            {"table": [1] * COUNT, "foreign_table_url": table.url, "exclude_zero_weights": True},
            {"table": [1], "foreign_table_url": table.url},
        ):
            with pytest.raises(TlcError):
                collect_metrics(metrics_collectors=index_of, **arguments)
        assert active_run() is None

    def test_weights_are_needed_to_leave_rows_out(self, table):
        with pytest.raises(WeightError):
            collect_metrics(
                [1] * COUNT, index_of, exclude_zero_weights=True, foreign_table_url=table.url
            )

    def test_images_need_a_transform(self):
        table = Table.from_dict(
            {"image": [Image.new("L", (2, 2)), Image.new("L", (2, 2))]}, project_name="project"
        )
        with pytest.raises(MetricsError, match=r"'image'.*PIL image.*with_transform"):
            collect_metrics(table, index_of)


class TestWorkers:
    def test_forked_workers_give_the_same(self, view):
        collect_metrics(
            view.source.with_transform(lambda sample: view.transform(sample)),
            index_of,
            dataloader_args={"num_workers": 2, "batch_size": 3, "multiprocessing_context": "fork"},
        )
        assert column(written(), "example_id") == list(range(COUNT))
        assert column(written(), "first") == [float(view[i]["x"][0]) for i in range(COUNT)]

    def test_spawned_workers_open_the_table_by_its_url(self, table):
        collect_metrics(
            table.with_transform(operator.itemgetter("label")),
            lambda batch, _: {"y": batch},
            dataloader_args={"num_workers": 1, "multiprocessing_context": "spawn"},
        )
        assert column(written(), "y") == [i % 3 for i in range(COUNT)]

    def test_transforms_that_cannot_be_pickled_are_named(self, table):
        with pytest.raises(NotPicklableError, match=r"table\.transform \(.*<lambda>\)"):
            collect_metrics(
                table.with_transform(lambda sample: sample),
                index_of,
                dataloader_args={"num_workers": 1, "multiprocessing_context": "spawn"},
            )
        assert active_run() is None


class TestCollection:
    def test_an_adapter_drives_it_by_hand(self, table):
        run = init("project")
        collection = Collection(table, index_of, run=run, constants={"step": 7}).open()
        for ids in ([3, 1], torch.tensor([0])):
            collection.add(ids, {"x": torch.full((len(ids), 2), 5.0)})
        metrics = collection.finalize()
        assert collection.finalize() is metrics
        assert column(metrics, "example_id") == [3, 1, 0]
        assert run.metrics_tables == [metrics]
        assert run.state.outputs == [{"step": 7, "first_avg": 5.0}]
        assert collection.run is run

    def test_repeats_count_neither_as_rows_nor_in_means(self, table):
        with Collection(table, index_of, unique_ids=True) as collection:
            for ids in ([0, 1, 1], [9, 0, 2], [2]):
                collection.add(ids, {"x": torch.tensor(ids)[:, None]})
        metrics = collection.metrics_table
        assert column(metrics, "example_id") == [0, 1, 2, 9]
        assert (metrics.completeness.repeats_dropped, metrics.completeness.missing) == (3, 6)
        assert collection.aggregate_values == {"first_avg": 3.0}

    def test_two_collections_with_one_collector_do_not_mix(self, table):
        collector = FunctionalMetricsCollector(index_of)
        with Collection(table, collector, split="train") as outer:
            outer.add([0], {"x": torch.tensor([[1.0]])})
            with Collection(table, collector, split="val") as inner:
                inner.add([0], {"x": torch.tensor([[2.0]])})
            outer.add([1], {"x": torch.tensor([[3.0]])})
        assert inner.aggregate_values == {"val_first_avg": 2.0}
        assert outer.aggregate_values == {"train_first_avg": 2.0}

    def test_buffers_of_a_collector_may_be_used_again(self, table):
        class Reusing(MetricsCollector):
            buffer = np.zeros(2)

            def compute_metrics(self, batch, predictor_output):
                self.buffer += 1
                return {"x": self.buffer, "vectors": self.buffer[:, None]}

        with Collection(table, Reusing()) as collection:
            for ids in ([0, 1], [2, 3]):
                collection.add(ids, None)
        assert column(collection.metrics_table, "x") == [1, 1, 2, 2]
        assert column(collection.metrics_table, "vectors") == [[1], [1], [2], [2]]

    def test_states(self, table):
        collection = Collection(table, index_of)
        for use in (lambda: collection.run, lambda: collection.add([0], None), collection.finalize):
            with pytest.raises(WriterStateError, match="not open"):
                use()
        collection.abort()
        with collection:
            pass
        assert collection.finalize() is None
        with pytest.raises(WriterStateError, match="closed"):
            collection.add([0], None)
        with pytest.raises(WriterStateError, match="only once"):
            collection.open()

    def test_ids_must_be_rows_of_the_table(self, table):
        with pytest.raises(RowIndexError), Collection(table, index_of) as collection:
            collection.add([COUNT], {"x": torch.ones(1, 1)})

    def test_urls_of_views_are_those_of_their_tables(self, view):
        assert Collection(view, index_of).foreign_table_url == view.source.url
        assert isinstance(view.url, Url)
        with pytest.raises(MetricsError, match="foreign_table_url"):
            Collection([1], index_of)

    @pytest.mark.parametrize("value", [torch.tensor(0.5), np.array(0.5), np.float64(0.5)])
    def test_constants_without_dimensions_are_numbers(self, table, value):
        with Collection(table, index_of, constants={"step": value}) as collection:
            collection.add([0], {"x": torch.ones(1, 1)})
        assert column(collection.metrics_table, "step") == [0.5]
        assert active_run().state.outputs == [{"step": 0.5, "first_avg": 1.0}]


class TestCollectors:
    def test_a_collector_need_not_call_the_init_of_its_base(self, table):
        class Own(MetricsCollector):
            def __init__(self):
                assert self.aggregate_values == {}

            def compute_metrics(self, batch, predictor_output):
                return index_of(batch, predictor_output)

        with Collection(table, Own()) as collection:
            collection.add([0], {"x": torch.ones(1, 1)})
        assert collection.aggregate_values == {"first_avg": 1.0}

    @pytest.mark.parametrize(
        ("read", "noted"),
        [
            (lambda output: output.forward, True),
            (lambda output: output[0], True),
            (lambda output: [].forward, False),
        ],
    )
    def test_reading_predictions_without_a_predictor_is_explained(self, view, read, noted):
        with pytest.raises((AttributeError, TypeError)) as info:
            collect_metrics(view, lambda batch, output: {"y": read(output)})
        notes = " ".join(getattr(info.value, "__notes__", ()))
        assert ("no predictor was given" in notes) is noted

    def test_a_transform_that_fails_says_at_which_row(self, table):
        view = table.with_transform(lambda sample: 1 / (sample["label"] - 2)).with_transform(str)
        for read in (lambda: view[2], lambda: view.__getitems__([0, 1, 2]), lambda: list(view)):
            with pytest.raises(ZeroDivisionError) as info:
                read()
            assert info.value.__notes__ == [f"The transform failed at row 2 of {table.url}."]

    def test_a_transform_must_be_callable(self, table):
        with pytest.raises(TypeError, match="transform must be callable, not 'x'"):
            table.with_transform("x")
