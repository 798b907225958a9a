from __future__ import annotations

import gc
import random
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tlc.metrics import (
    ClassificationMetricsCollector,
    EmbeddingsMetricsCollector,
    FunctionalMetricsCollector,
    Predictor,
    PredictorOutput,
    SegmentationMetricsCollector,
    collect_metrics,
)
from tlc.metrics.collect import reset_dataloader_cache
from tlc.run import Run, RunStatus, active_run, init
from tlc.schemas import Float64Schema, SampleWeightSchema
from tlc.table import Table

COUNT = 10


def index_of(batch, predictor_output):
    return {"first": batch["x"][:, 0]}


def written(run=None):
    return (run or active_run()).metrics_tables[-1]


def column(table, name):
    return table.get_column_as_pyarrow_array(name).to_pylist()


class TestWhatIsWritten:
    def test_one_row_per_sample_joined_by_row_number(self, view, table, net):
        run = init("project")
        collectors = [
            ClassificationMetricsCollector(classes=["a", "b", "c"]),
            EmbeddingsMetricsCollector(layers=[1]),
            index_of,
        ]
        collect_metrics(
            view,
            collectors,
            Predictor(net, layers=[1]),
            constants={"epoch": 3, "rate": 0.1},
            constants_schemas={"rate": Float64Schema(display_name="Rate")},
            split="val",
            dataloader_args={"batch_size": 4},
        )
        (metrics,) = run.metrics_tables
        with torch.no_grad():
            x = torch.stack([view.transform(sample)["x"] for sample in table])
            logits = net.eval()(x)
            hidden = net[0](x)
        assert column(metrics, "example_id") == list(range(COUNT))
        assert column(metrics, "epoch") == [3] * COUNT
        assert column(metrics, "rate") == [0.1] * COUNT
        assert column(metrics, "predicted") == logits.argmax(1).tolist()
        assert column(metrics, "first") == x[:, 0].tolist()
        np.testing.assert_allclose(column(metrics, "embeddings_1"), hidden, rtol=1e-5, atol=1e-6)
        assert metrics.rows_schema.values["rate"].display_name == "Rate"
        assert metrics.get_simple_value_map("predicted") == {0: "a", 1: "b", 2: "c"}
        assert metrics.completeness.missing == 0
        assert not metrics.is_partial
        assert run.input_tables == [table.url]
        assert run.state.status is RunStatus.RUNNING

    def test_aggregates_are_means_over_samples(self, view):
        run = init("project")
        collect_metrics(
            view, index_of, constants={"epoch": 1}, split="val", dataloader_args={"batch_size": 4}
        )
        mean = np.mean(column(written(), "first"))
        assert run.state.outputs == [{"epoch": 1, "val_first_avg": pytest.approx(mean)}]

    @pytest.mark.parametrize(
        ("collector", "arguments"),
        [
            (index_of, {"collect_aggregates": False}),
            (FunctionalMetricsCollector(index_of, compute_aggregates=False), {}),
        ],
    )
    def test_aggregates_can_be_switched_off(self, view, collector, arguments):
        run = init("project")
        collect_metrics(view, collector, **arguments)
        assert run.state.outputs == []

    def test_zero_weights_are_left_out_but_ids_stay_row_numbers(self, view, table):
        collect_metrics(
            view, index_of, exclude_zero_weights=True, dataloader_args={"batch_size": 2}
        )
        metrics = written()
        assert column(metrics, "example_id") == [1, 3, 5, 7, 9]
        assert column(metrics, "first") == [
            pytest.approx(table[i]["x"][0], rel=1e-6) for i in (1, 3, 5, 7, 9)
        ]
        assert metrics.completeness.missing == 5

    def test_masks_are_written_and_read_as_images(self):
        table = Table.from_dict(
            {"x": [0.0, 1.0]}, project_name="project", dataset_name="data", table_name="masks"
        )
        maps = torch.tensor([[[0, 1], [1, 1]], [[0, 0], [0, 1]]])
        collector = SegmentationMetricsCollector(
            label_map={0: "a", 1: "b"}, preprocess_fn=lambda batch, output: ((0, maps), output)
        )
        collect_metrics(table, collector, lambda batch: list(maps), split="val")
        metrics = written()
        assert isinstance(metrics[1]["predicted_mask"], Image.Image)
        assert np.asarray(metrics[1]["predicted_mask"]).tolist() == [[0, 0], [0, 1]]
        assert column(metrics, "mean_iou") == [1.0, 1.0]
        assert column(metrics, "iou_per_class") == [[1.0, 1.0], [1.0, 1.0]]
        assert active_run().state.outputs == [{"val_mean_iou_avg": 1.0}]

    def test_tables_go_in_without_a_transform_where_samples_can_be_batched(self, table):
        collect_metrics(table, lambda batch, _: {"y": batch["label"]})
        assert column(written(), "y") == [i % 3 for i in range(COUNT)]

    def test_other_datasets_say_what_they_refer_to(self, table):
        collect_metrics(
            list(range(COUNT)), lambda batch, _: {"y": batch}, foreign_table_url=table.url.to_str()
        )
        assert column(written(), "example_id") == list(range(COUNT))
        assert active_run().input_tables == [table.url]

    def test_nothing_to_visit_writes_nothing(self):
        empty = Table.from_dict(
            {"x": [1.0], "weight": [0.0]}, {"weight": SampleWeightSchema()}, project_name="project"
        )
        run = init("project")
        collect_metrics(empty, index_of, exclude_zero_weights=True)
        assert run.metrics_tables == []
        assert run.state.status is RunStatus.RUNNING


class TestRun:
    def test_a_run_is_made_in_the_project_of_the_table(self, view):
        collect_metrics(view, index_of)
        assert active_run().project_name == "project"
        assert len(active_run().metrics_tables) == 1

    def test_each_call_adds_a_table_and_inputs_are_noted_once(self, view):
        run = init("project")
        for epoch in range(3):
            collect_metrics(view, index_of, constants={"epoch": epoch})
        assert [column(m, "epoch")[0] for m in run.metrics_tables] == [0, 1, 2]
        assert len(run.input_tables) == 1

    @pytest.mark.parametrize(
        "form", [lambda run: run, lambda run: run.url, lambda run: str(run.url)]
    )
    def test_a_run_can_be_given(self, view, form):
        given = Run.create("project", "given")
        init("project", "active")
        collect_metrics(view, index_of, run_url=form(given))
        assert len(given.metrics_tables) == 1
        assert active_run().metrics_tables == []

    def test_status_is_collecting_meanwhile(self, view):
        run = init("project")
        seen = []
        collect_metrics(view, lambda batch, _: seen.append(run.state.status) or index_of(batch, _))
        assert set(seen) == {RunStatus.COLLECTING}
        assert run.state.status is RunStatus.RUNNING

    def test_a_run_that_has_ended_stays_so(self, view):
        run = Run.create("project", "done")
        run.set_status_completed()
        collect_metrics(view, index_of, run_url=run)
        assert run.state.status is RunStatus.COMPLETED
        assert len(run.metrics_tables) == 1


def random_states():
    return (
        random.getstate(),
        [str(part) for part in np.random.get_state()],
        torch.get_rng_state().tolist(),
    )


class Noisy:
    """A dataset whose samples draw random numbers."""

    def __init__(self, view):
        self.view = view
        self.url = view.url

    def __len__(self):
        return len(self.view)

    def __getitem__(self, index):
        random.random()
        np.random.rand()
        torch.rand(1)
        return self.view[index]


@pytest.mark.parametrize(("setting", "shown"), [("1", True), ("0", False)])
def test_progress_is_shown_if_configured(view, monkeypatch, capsys, setting, shown):
    monkeypatch.setenv("TLC_DISPLAY_PROGRESS", setting)
    collect_metrics(view, index_of, split="val")
    assert ("Collecting metrics val" in capsys.readouterr().err) is shown


class TestLeavesNoTrace:
    @pytest.mark.parametrize("fails", [False, True])
    def test_modes_and_random_states_are_as_before(self, view, net, fails):
        net.train()
        net[2].eval()
        seen = []

        def watch(batch, output):
            seen.append((net.training, torch.is_inference_mode_enabled(), torch.is_grad_enabled()))
            if fails:
                raise ZeroDivisionError
            return {"x": output.forward[:, 0]}

        before, modes = random_states(), [module.training for module in net.modules()]
        try:
            collect_metrics(Noisy(view), watch, net)
        except ZeroDivisionError:
            assert fails
        assert set(seen) == {(False, True, False)}
        assert [module.training for module in net.modules()] == modes
        assert random_states() == before

    def train(self, view, collect):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 3))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        loader = torch.utils.data.DataLoader(view, batch_size=5, shuffle=True)
        for epoch in range(2):
            for batch in loader:
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(batch["x"]), batch["label"]).backward()
                optimizer.step()
            if collect:
                collector = [ClassificationMetricsCollector(), EmbeddingsMetricsCollector([1])]
                collect_metrics(
                    view, collector, Predictor(net, layers=[1]), constants={"epoch": epoch}
                )
        return net.state_dict()

    def test_training_is_bit_identical_with_and_without(self, view):
        without, with_ = self.train(view, False), self.train(view, True)
        assert all(torch.equal(without[name], with_[name]) for name in without)

    def test_samples_that_a_dataset_keeps_can_be_trained_on(self, view, net):
        kept = {}

        class Keeping(Noisy):
            def __getitem__(self, index):
                return kept.setdefault(index, self.view.transform(self.view.source[index]))

        keeping = Keeping(view)
        collect_metrics(keeping, index_of, net)
        net[0](keeping[0]["x"]).sum().backward()

    def test_batches_are_not_held(self, view):
        alive, most = [], []

        def watch(batch, output):
            gc.collect()
            alive.append(weakref.ref(batch["x"]))
            most.append(sum(ref() is not None for ref in alive))
            return {"vector": batch["x"]}

        collect_metrics(view, watch, lambda batch: batch["x"], dataloader_args={"batch_size": 1})
        assert len(most) == COUNT
        assert max(most) <= 2

    def test_reset_dataloader_cache_does_nothing(self):
        reset_dataloader_cache()


class TestPredictors:
    def test_without_a_model_collectors_get_none(self, view):
        def nothing(batch, predictor_output):
            assert predictor_output is None
            return index_of(batch, None)

        collect_metrics(view, nothing)

    @pytest.mark.parametrize("wrap", [lambda net: net, Predictor])
    def test_modules_and_predictors(self, view, net, wrap):
        collect_metrics(view, lambda batch, output: {"y": output.forward[:, 0]}, wrap(net))
        with torch.no_grad():
            expected = net.eval()(torch.stack([view[i]["x"] for i in range(COUNT)]))[:, 0]
        np.testing.assert_allclose(column(written(), "y"), expected, rtol=1e-5)

    def test_methods_of_a_module_run_in_evaluation_mode(self, view):
        class Steps(nn.Module):
            def predict_step(self, batch):
                assert not self.training
                return batch["x"][:, 0]

        steps = Steps()
        collect_metrics(view, lambda _, output: {"y": output.forward}, steps.predict_step)
        assert steps.training

    def test_functions_get_the_whole_batch(self, view):
        def predict(batch):
            assert set(batch) == {"x", "label"}
            return PredictorOutput(batch["x"])

        collect_metrics(view, lambda batch, output: {"y": output.forward[:, 0]}, predict)


def test_importing_the_layer_imports_no_framework():
    code = (
        "import sys, tlc.metrics;"
        "sys.exit(', '.join({'torch', 'PIL', 'pandas', 'sklearn'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
