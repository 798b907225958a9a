"""What the callback for SuperGradients does in passes of its own, and around them."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from super_gradients.training.utils.callbacks import Callback
from tests.integrations.super_gradients_trainings import (
    Tiny,
    fit,
    images,
    table_of_classes,
)
from torch.utils.data import DataLoader
from torchvision.transforms import RandomHorizontalFlip, ToTensor

import tlc
from tlc.catalog import list_runs
from tlc.errors import MetricsError
from tlc.helpers import ProjectLayout
from tlc.integration.super_gradients import ClassificationDataset, MetricsCollectionCallback

ROWS = 7


@pytest.fixture
def table(tmp_path):
    return table_of_classes(tmp_path / "images", ROWS)


@pytest.fixture
def dataset(table):
    return ClassificationDataset(table, [ToTensor()])


def train(dataset, *callbacks, valid=None, **parameters):
    model = Tiny()
    loader = DataLoader(dataset, 3, shuffle=True)
    valid_loader = DataLoader(valid or dataset, 4)
    fit(model, loader, valid_loader, phase_callbacks=list(callbacks), **parameters)
    return model


def collected(run):
    """Return split, epoch and number of rows of each collection."""
    infos = [(each.metrics_info, len(each)) for each in run.metrics_tables]
    return [(info.split, info.constants["epoch"], count) for info, count in infos]


def test_epochs_that_are_asked_for_are_collected_and_the_end(dataset):
    run = tlc.init("super")
    callback = MetricsCollectionCallback(metrics_collection_epochs=[0, 2], collect_val_only=True)
    train(dataset, callback, max_epochs=4, run_validation_freq=2)
    assert collected(run) == [("val", epoch, ROWS) for epoch in (0, 2, 3)]
    steps = [each.metrics_info.constants["step"] for each in run.metrics_tables]
    assert steps == [3, 9, 12]


@pytest.mark.parametrize(("at_end", "epochs"), [(True, [0, 1]), (False, [0])], ids=str)
def test_nothing_is_collected_twice(dataset, at_end, epochs):
    run = tlc.init("super")
    callback = MetricsCollectionCallback(
        metrics_collection_epochs=epochs, collect_metrics_on_train_end=at_end, collect_val_only=True
    )
    train(dataset, callback, max_epochs=2)
    assert collected(run) == [("val", epoch, ROWS) for epoch in epochs]


@pytest.mark.parametrize("method", ["pacmap", "pca"])
def test_embeddings_of_all_epochs_are_reduced_when_the_training_is_over(dataset, method):
    run = tlc.init("super")
    callback = MetricsCollectionCallback(
        metrics_collection_epochs=[0], collect_embeddings=True, embeddings_method=method
    )
    train(dataset, callback, max_epochs=2)
    assert collected(run) == [(split, e, ROWS) for e in (0, 1) for split in ("train", "val")]
    assert len({metrics.model_url for metrics in run.metrics_tables}) == 1
    for metrics in run.metrics_tables:
        assert {"predicted", f"embeddings_{method}"} < set(metrics.columns)
        assert "embeddings" not in metrics.columns
        reduced = np.array(metrics.get_column(f"embeddings_{method}").to_pylist())
        assert reduced.shape == (ROWS, 2)
        assert len(np.unique(reduced, axis=0)) > 1
    assert run.status_name == "running"


def test_collecting_changes_neither_the_training_nor_the_random_state(dataset):
    states = []
    for callbacks in ([MetricsCollectionCallback(metrics_collection_epochs=[0, 1])], []):
        tlc.init("super")
        model = train(dataset, *callbacks, max_epochs=2)
        random = torch.get_rng_state()
        states.append({**model.state_dict(), "random": random})
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_moving_average_is_what_is_collected_from_if_there_is_one(dataset):
    class Watch(Callback):
        def on_validation_batch_end(self, context):
            self.net = context.net

    run = tlc.init("super")
    watch = Watch()
    callback = MetricsCollectionCallback(collect_val_only=True)
    parameters = {"ema": True, "ema_params": {"decay": 0.5, "decay_type": "constant"}}
    model = train(dataset, watch, callback, **parameters)
    assert watch.net is not model
    batch = torch.stack([each[0] for each in dataset])
    with torch.no_grad():
        wanted, other = (each.eval()(batch).softmax(1).amax(1) for each in (watch.net, model))
    (metrics,) = run.metrics_tables
    found = torch.tensor(metrics.get_column("confidence").to_pylist())
    assert torch.allclose(found, wanted, atol=1e-5)
    assert not torch.allclose(found, other, atol=1e-5)


def test_what_is_computed_of_predictions_can_be_anything(dataset, table):
    class Reds(MetricsCollectionCallback):
        def compute_metrics(self, images, predictions, of):
            assert of == table
            columns = super().compute_metrics(images, predictions, of)
            sure = [each.prediction.confidence for each in predictions]
            return {**columns, "red": [int(each[0, 0, 0]) for each in images], "sure": sure}

        def metrics_column_schemas(self, of):
            schemas = super().metrics_column_schemas(of)
            return {**schemas, "red": tlc.schemas.Int32Schema(description="How red")}

    def brightest(batch, output):
        return {"bright": [int(each.max()) for each in batch], "number": output.example_ids}

    run = tlc.init("super")
    callback = Reds(
        metrics_collectors=brightest, collect_on="own_pass", dataloader_args={"num_workers": 2}
    )
    train(dataset, callback)
    for metrics in run.metrics_tables:
        for name in ("example_id", "red", "bright", "number"):
            assert metrics.get_column(name).to_pylist() == list(range(ROWS))
        columns = metrics.get_column("sure"), metrics.get_column("confidence")
        assert columns[0].to_pylist() == pytest.approx(columns[1].to_pylist(), abs=1e-6)
        assert metrics.rows_schema.values["red"].description == "How red"
    logged = {name for each in run.constants["outputs"] for name in each}
    assert {"train_red_avg", "val_accuracy_avg", "val_bright_avg"} <= logged
    assert "val_predicted_avg" not in logged


def test_what_the_trainer_logs_is_in_the_run(dataset):
    run = tlc.init("super")
    train(dataset, MetricsCollectionCallback(collect_metrics_on_train_end=False), max_epochs=2)
    logged = run.constants["outputs"]
    assert [each["epoch"] for each in logged] == [0, 0, 1, 1]
    assert [each["step"] for each in logged] == [3, 3, 6, 6]
    assert {"train_CrossEntropyLoss", "train_Accuracy", "lr"} <= logged[0].keys()
    assert {"val_CrossEntropyLoss", "val_Accuracy"} <= logged[1].keys()
    assert run.parameters["initial_lr"] == 0.1
    assert run.parameters["optimizer"] == "SGD"
    assert run.parameters["batch_size"] == 3
    assert run.parameters["train_metrics_list"] == ["Accuracy"]


def test_a_run_of_its_own_has_project_name_and_description(dataset):
    tlc.init("elsewhere")
    for _ in range(2):
        train(dataset, MetricsCollectionCallback("super", "first", "about it"))
    (entry,) = list_runs(ProjectLayout.project_url(project_name="super"))
    run = tlc.Run.from_url(entry.url)
    assert (run.name, run.description, run.status_name) == ("first", "about it", "completed")
    assert len(run.metrics_tables) == 4


@pytest.mark.parametrize("by_path", [True, False], ids=["path", "resume"])
def test_who_goes_on_from_a_checkpoint_goes_on_with_its_run(dataset, tmp_path, by_path):
    epochs = {"metrics_collection_epochs": range(5), "collect_val_only": True}
    train(dataset, MetricsCollectionCallback(**epochs), max_epochs=2, folder=tmp_path)
    (checkpoint,) = tmp_path.glob("**/ckpt_latest.pth")
    how = {"resume_path": str(checkpoint)} if by_path else {"resume": True}
    train(dataset, MetricsCollectionCallback(**epochs), max_epochs=3, folder=tmp_path, **how)
    (entry,) = list_runs(ProjectLayout.project_url(project_name="super"))
    run = tlc.Run.from_url(entry.url)
    assert run.status_name == "completed"
    assert collected(run) == [("val", epoch, ROWS) for epoch in range(3)]


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("no"), "failed"), (KeyboardInterrupt(), "interrupted")]
)
def test_a_pass_that_ends_early_leaves_what_it_has(dataset, error, status):
    class Failing(MetricsCollectionCallback):
        def compute_metrics(self, images, predictions, table):
            if images[0][0, 0, 0]:
                raise error
            return {"one": [1] * len(images)}

    run = tlc.init("super")
    failing = Failing(collect_val_only=True, batch_size=3)
    with pytest.raises(ValueError, match="no") if status == "failed" else nullcontext():
        train(dataset, failing)
    assert run.status_name == status
    (metrics,) = run.metrics_tables
    assert metrics.is_partial
    assert metrics.get_column("example_id").to_pylist() == [0, 1, 2]


def test_stopping_early_is_no_interruption(dataset):
    class Stop(Callback):
        def on_validation_loader_end(self, context):
            context.stop_training = context.epoch == 1

    train(dataset, Stop(), MetricsCollectionCallback(collect_val_only=True), max_epochs=9)
    (entry,) = list_runs(ProjectLayout.project_url(project_name="super"))
    run = tlc.Run.from_url(entry.url)
    assert run.status_name == "completed"
    assert collected(run) == [("val", 1, ROWS)]


def test_a_training_within_the_handling_of_an_error_is_no_failure(dataset):
    run = tlc.init("super")
    try:
        raise ValueError
    except ValueError:
        train(dataset, MetricsCollectionCallback(collect_val_only=True))
    assert run.status_name == "running"


def test_other_callbacks_are_told_the_rows_of_each_batch(dataset):
    class Watch(Callback):
        def __init__(self):
            self.train, self.val = [], []

        def on_train_batch_end(self, context):
            self.train.append((context.example_id, context.inputs[:, 0, 0, 0] * 255))

        def on_validation_batch_end(self, context):
            reds = context.inputs[:, 0, 0, 0] * 255
            self.val.append((context.additional_batch_items["example_id"], reds))

    watch = Watch()
    tlc.init("super")
    collector = MetricsCollectionCallback(metrics_collectors=lambda batch, _: {"y": batch[1]})
    train(dataset, collector, watch)
    assert [len(rows) for rows, _ in watch.train] == [3, 3, 1]
    for rows, reds in watch.train + watch.val:
        assert reds.round().int().tolist() == rows


class Backwards:
    """A loader whose batches are drawn by nobody."""

    batch_size = 1
    drop_last = False

    def __init__(self, dataset, samples):
        self.dataset, self.samples = dataset, samples

    def __iter__(self):
        return iter(reversed(list(DataLoader(self.samples))))

    def __len__(self):
        return len(self.dataset)


def test_rows_that_are_not_known_are_told_if_they_are_needed(dataset):
    run = tlc.init("super")
    loader = Backwards(dataset, dataset)
    fit(Tiny(), loader, loader, phase_callbacks=[MetricsCollectionCallback(collect_val_only=True)])
    assert collected(run) == [("val", 0, ROWS)]
    callback = MetricsCollectionCallback(metrics_collectors=lambda batch, _: {"y": batch[1]})
    with pytest.raises(MetricsError, match="which rows"):
        fit(Tiny(), loader, loader, phase_callbacks=[callback])
    pairs = DataLoader([(torch.rand(3, 8, 8), 0)] * 4)
    with pytest.raises(MetricsError, match="no url"):
        fit(Tiny(), pairs, pairs, phase_callbacks=[callback])


def test_batches_may_say_their_rows_themselves(dataset):
    class WithIds(torch.utils.data.Dataset):
        source = dataset

        def __getitem__(self, index):
            return (*dataset[index], {"example_id": index, "more": 2 * index})

        def __len__(self):
            return len(dataset)

    run = tlc.init("super")
    collector = MetricsCollectionCallback(
        metrics_collectors=lambda batch, _: {"double": batch[2]["more"]}
    )
    loader = Backwards(dataset, WithIds())
    fit(Tiny(), loader, loader, phase_callbacks=[collector])
    (metrics,) = run.metrics_tables
    assert metrics.get_column("example_id").to_pylist() == list(range(ROWS))
    assert metrics.get_column("double").to_pylist() == [2 * row for row in range(ROWS)]


def test_several_callbacks_share_a_run_and_log_once(dataset):
    run = tlc.init("super")
    own = MetricsCollectionCallback(collect_val_only=True)
    for_all = MetricsCollectionCallback(metrics_collectors=lambda batch, _: {"y": batch[1]})
    train(dataset, own, for_all)
    assert collected(run) == [("val", 0, ROWS)] * 2
    assert len([each for each in run.constants["outputs"] if "val_Accuracy" in each]) == 1


def test_a_callback_can_be_used_again(dataset):
    callback = MetricsCollectionCallback(collect_val_only=True)
    for _ in range(2):
        train(dataset, callback)
    entries = list_runs(ProjectLayout.project_url(project_name="super"))
    runs = [tlc.Run.from_url(entry.url) for entry in entries]
    assert [collected(run) for run in runs] == [[("val", 0, ROWS)]] * 2


def test_images_of_different_sizes_go_through_a_model_one_by_one(tmp_path):
    paths = [*images(tmp_path / "small", 3, 8, 8), *images(tmp_path / "large", 2, 12, 12)]
    schema = {
        "image": tlc.schemas.ImageSchema("url"),
        "class": tlc.schemas.CategoricalLabelSchema(["a", "b"]),
    }
    columns = {"image": paths, "class": [0, 1, 0, 1, 0]}
    table = tlc.Table.from_dict(columns, schema, project_name="super")
    loader = DataLoader(ClassificationDataset(table, [ToTensor()]), 1)
    with pytest.raises(ValueError, match="different shapes") as error:
        fit(Tiny(), loader, phase_callbacks=[MetricsCollectionCallback(collect_val_only=True)])
    assert "batch_size=1" in "".join(error.value.__notes__)
    run = tlc.init("super")
    callback = MetricsCollectionCallback(collect_val_only=True, batch_size=1)
    fit(Tiny(), loader, phase_callbacks=[callback])
    assert collected(run) == [("val", 0, len(paths))]


def test_what_cannot_be_collected_is_told_before_the_training(dataset):
    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 2)

        def forward(self, images):
            return self.layer(images.mean((2, 3)))

    loader = DataLoader(dataset, 4)
    callback = MetricsCollectionCallback(run=tlc.Run.create("super", "told"))
    with pytest.raises(MetricsError, match="no prediction pipeline"):
        fit(Plain(), loader, phase_callbacks=[callback])
    random = ClassificationDataset(dataset.source, [RandomHorizontalFlip(), ToTensor()])
    with pytest.raises(MetricsError, match="how images are to be prepared"):
        train(dataset, callback, valid=random)
    pairs = [(torch.rand(3, 8, 8), 0)] * 4
    with pytest.raises(MetricsError, match="'train' has no table"):
        train(pairs, callback, valid=dataset)
