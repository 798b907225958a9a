"""Metrics collected while SuperGradients' trainer tests a model."""

from __future__ import annotations

import pytest
import torch
from super_gradients.training.metrics import Accuracy
from tests.integrations.super_gradients_trainings import Tiny, fit, table_of_classes
from torch.utils.data import DataLoader
from torchvision.transforms import ToTensor

import tlc
from tlc.catalog import list_runs
from tlc.helpers import ProjectLayout
from tlc.integration.super_gradients import ClassificationDataset, MetricsCollectionCallback
from tlc.metrics import ClassificationMetricsCollector

ROWS = 7
MODES = {
    "own_pass": {},
    "validation": {"metrics_collectors": ClassificationMetricsCollector()},
}


@pytest.fixture
def data(tmp_path):
    parts = {}
    for name, count in (("train", 5), ("test", ROWS)):
        table = table_of_classes(tmp_path / name, count)
        parts[name] = ClassificationDataset(table, [ToTensor()])
    return parts


def trained(data, *callbacks):
    loader = DataLoader(data["train"], 3)
    return fit(Tiny(), loader, phase_callbacks=list(callbacks), max_epochs=2)


def run_test(trainer, data, *callbacks, **loading):
    trainer.test(
        test_loader=DataLoader(data["test"], 4, **loading),
        test_metrics_list=[Accuracy()],
        test_phase_callbacks=list(callbacks),
        silent_mode=True,
    )


def confidences(trainer, data):
    batch = torch.stack([each[0] for each in data["test"]])
    with torch.no_grad():
        return trainer.net.eval()(batch).softmax(1).amax(1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("loading", [{}, {"shuffle": True}, {"drop_last": True}], ids=str)
def test_each_row_of_a_test_is_collected_once(data, mode, loading):
    run = tlc.init("super")
    callback = MetricsCollectionCallback(**MODES[mode])
    trainer = trained(data, callback)
    before = len(run.metrics_tables)
    run_test(trainer, data, callback, **loading)
    (metrics,) = run.metrics_tables[before:]
    info = metrics.metrics_info
    assert (info.split, info.constants) == ("test", {"epoch": 1})
    by_row = dict(
        zip(
            metrics.get_column("example_id").to_pylist(),
            metrics.get_column("confidence").to_pylist(),
            strict=True,
        )
    )
    assert sorted(by_row) == list(range(ROWS))
    found = torch.tensor([by_row[row] for row in range(ROWS)])
    assert torch.allclose(found, confidences(trainer, data), atol=1e-5)
    assert "test_confidence_avg" in run.constants["outputs"][-1]


@pytest.mark.parametrize("mode", MODES)
def test_a_test_without_a_run_makes_one_and_completes_it(data, mode):
    trainer = trained(data)
    run_test(trainer, data, MetricsCollectionCallback(**MODES[mode]))
    (entry,) = list_runs(ProjectLayout.project_url(project_name="super"))
    run = tlc.Run.from_url(entry.url)
    assert run.status == tlc.constants.RUN_STATUS_COMPLETED
    (metrics,) = run.metrics_tables
    assert len(metrics) == ROWS
    assert metrics.metrics_info.constants == {}


def test_tests_within_a_training_are_left_alone(data):
    run = tlc.init("super")
    callback = MetricsCollectionCallback(**MODES["validation"])
    loader = DataLoader(data["train"], 3)
    fit(
        Tiny(),
        loader,
        phase_callbacks=[callback],
        test_loaders={"held out": DataLoader(data["test"], 4)},
        test_metrics_list=[Accuracy()],
    )
    assert [each.metrics_info.split for each in run.metrics_tables] == ["val"]
