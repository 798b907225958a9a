"""When a trainer of `transformers` collects, whatever else it does: each row once at a time."""

from __future__ import annotations

import weakref

import pytest
import torch
import transformers
from tests.integrations.test_hugging_face import ROWS, Linear, arguments, loss, made, number, passes
from tests.integrations.test_hugging_face import table as table

import tlc
from tlc.catalog import list_runs
from tlc.errors import OptionError
from tlc.integration.hugging_face import TLCTrainer, Trainer

EPOCHS = [0, 1, 2]
BOTH = {(split, epoch, ROWS) for split in ("train", "eval") for epoch in EPOCHS}

USUAL = {
    "drop_last": {
        "dataloader_drop_last": True,
        "per_device_train_batch_size": 3,
        "per_device_eval_batch_size": 7,
    },
    "accumulation": {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 3},
    "workers_that_stay": {"dataloader_num_workers": 1, "dataloader_persistent_workers": True},
    "evaluation_first": {"eval_on_start": True},
    "evaluation_at_steps": {"eval_strategy": "steps", "eval_steps": 1},
    "evaluation_never": {"eval_strategy": "no"},
    "sequential": {"train_sampling_strategy": "sequential"},
    "best": {"load_best_model_at_end": True, "save_strategy": "epoch", "save_only_model": True},
    "bar": {"disable_tqdm": False},
}


@pytest.mark.parametrize("kind", USUAL)
def test_each_row_is_collected_once_at_each_epoch_asked_for(kind, table, tmp_path):
    run = tlc.init("transformers")
    trainer = made(table, tmp_path, metrics_collection_epochs=EPOCHS, arguments=USUAL[kind])
    trainer.train()
    trainer.evaluate()
    assert set(passes(run)) == BOTH
    assert len(passes(run)) == len(BOTH)
    assert_right(run, table)


def assert_right(run, table):
    found = run.metrics(table=table)
    assert found["number"].to_pylist() == found["example_id"].to_pylist()
    for metrics in run.metrics_tables:
        ids = metrics.get_column_as_pyarrow_array("example_id").to_pylist()
        assert ids == list(range(ROWS))


@pytest.mark.parametrize("kind", ["workers_that_stay", "drop_last", "evaluation_first"])
def test_each_evaluation_is_collected_by_default(kind, table, tmp_path):
    run = tlc.init("transformers")
    made(table, tmp_path, arguments=USUAL[kind]).train()
    first = [0] if kind == "evaluation_first" else []
    assert passes(run) == [("eval", epoch, ROWS) for epoch in [*first, 1, 2]]
    assert_right(run, table)


def test_workers_that_stay_may_have_been_started_before(table, tmp_path):
    run = tlc.init("transformers")
    made(
        table,
        tmp_path,
        eval_dataset=table.keep(range(9)),
        metrics_collection_epochs=[2],
        arguments=USUAL["workers_that_stay"],
    ).train()
    assert passes(run) == [("eval", 2, 9), ("train", 2, ROWS)]


def test_an_evaluation_may_leave_out_rows_of_weight_zero_by_default(table, tmp_path):
    run = tlc.init("transformers")
    made(table, tmp_path, exclude_zero_weights_metrics_collection=True).train()
    assert passes(run) == [("eval", 1, 5), ("eval", 2, 5)]


def test_an_epoch_that_is_cut_short_counts(table, tmp_path):
    run = tlc.init("transformers")
    options = {"max_steps": 4, "per_device_train_batch_size": 2}  # three steps are an epoch
    made(table, tmp_path, metrics_collection_epochs=EPOCHS, arguments=options).train()
    assert set(passes(run)) == BOTH
    assert len(passes(run)) == len(BOTH)
    assert set(run.metrics(table=table)["step"].to_pylist()) == {0, 3, 4}


def test_rows_say_the_step_of_an_evaluation_within_an_epoch(table, tmp_path):
    run = tlc.init("transformers")
    options = {"eval_strategy": "steps", "eval_steps": 2, "per_device_train_batch_size": 2}
    made(table, tmp_path, arguments=options).train()
    moments = [each.metrics_info.constants for each in run.metrics_tables]
    wanted = [{"epoch": 0, "step": 2}, {"epoch": 1, "step": 4}, {"epoch": 2, "step": 6}]
    assert moments == wanted


def test_several_data_sets_are_collected_in_the_evaluations_of_each(table, tmp_path):
    run = tlc.init("transformers")
    data = {"small": table.keep(range(7)), "large": table}
    trainer = made(table, tmp_path, eval_dataset=data, metrics_collection_epochs=[1])
    own = []
    trainer._own_loader = lambda data, make=trainer._own_loader: own.append(data) or make(data)
    trainer.train()
    wanted = [("eval_small", 1, 7), ("eval_large", 1, ROWS), ("train", 1, ROWS)]
    assert passes(run) == wanted
    assert own == [table]


def test_a_training_that_stops_early_is_collected_as_far_as_it_came(table, tmp_path):
    run = tlc.init("transformers")
    options = {
        "load_best_model_at_end": True,
        "save_strategy": "epoch",
        "learning_rate": 0.0,
        "metric_for_best_model": "loss",
    }
    stop = transformers.EarlyStoppingCallback(early_stopping_patience=1)
    trainer = made(
        table,
        tmp_path,
        callbacks=[stop],
        metrics_collection_epochs=range(6),
        arguments=options,
    )
    trainer.args.num_train_epochs = 5
    trainer.train()
    assert {epoch for _, epoch, _ in passes(run)} == {0, 1, 2}


def test_an_evaluation_by_hand_is_not_repeated(table, tmp_path):
    run = tlc.init("transformers")
    trainer = made(table, tmp_path, metrics_collection_epochs=[0])
    trainer.evaluate()
    assert passes(run) == [("eval", 0, ROWS)]
    trainer.train()
    assert passes(run) == [("eval", 0, ROWS), ("train", 0, ROWS)]
    trainer.evaluate()
    assert len(passes(run)) == 2
    again = made(table.keep(range(9)), tmp_path, metrics_collection_epochs=[0])
    again.evaluate()
    again.evaluate(table)
    assert passes(run)[2:] == [("eval", 0, 9), ("eval", 0, ROWS)]


def test_after_training_rows_are_about_the_best_model_if_that_is_loaded(table, tmp_path):
    run = tlc.init("transformers")
    first = {"metric_for_best_model": "loss", "greater_is_better": True}
    options = {**USUAL["best"], **first}
    trainer = made(table, tmp_path, arguments=options)
    trainer.train()
    best = trainer.state.best_global_step
    assert best < trainer.state.global_step
    trainer.predict(table)
    (*_, last) = run.metrics_tables
    assert last.metrics_info.split == "test"
    assert last.metrics_info.constants == {"epoch": 1, "step": best}


def test_evaluations_after_training_are_in_its_run(table, tmp_path):
    trainer = made(table, tmp_path)
    trainer.train()
    trainer.evaluate()
    trainer.predict(table)
    project = tlc.helpers.ProjectLayout.project_url(project_name="transformers")
    (entry,) = list_runs(project)
    run = tlc.Run.from_url(entry.url)
    assert run.status_name == "completed"
    assert [split for split, _, _ in passes(run)] == ["eval"] * 3 + ["test"]
    trainer.train()
    assert len(list_runs(project)) == 2


def test_without_collectors_it_is_the_trainer_that_it_was(table, tmp_path):
    """But for the rows, which are drawn by their weights."""
    run = tlc.init("transformers")
    options = arguments(str(tmp_path), num_train_epochs=2)
    trainer = TLCTrainer(Linear(), options, train_dataset=table, eval_dataset=table)
    trainer.train()
    assert trainer.evaluate()["eval_loss"] > 0
    assert not run.metrics_tables
    assert run.parameters["num_train_epochs"] == 2


def test_a_trainer_is_not_part_of_a_circle(table, tmp_path):
    """Else its loaders end when garbage is collected, and wait five seconds for each worker."""
    trainer = weakref.ref(made(table, tmp_path))
    assert trainer() is None


def test_rows_are_not_both_weighted_and_grouped_by_length(table, tmp_path):
    options = {"train_sampling_strategy": "group_by_length"}
    with pytest.raises(OptionError, match="whatever their weight"):
        made(table, tmp_path, arguments=options).train()


@pytest.mark.parametrize("kind", ["drop_last", "evaluation_never", "evaluation_at_steps"])
def test_collecting_changes_neither_weights_nor_modes(kind, table, tmp_path):
    def trained(**more):
        tlc.init("transformers")
        model = Dropping()
        options = arguments(str(tmp_path), num_train_epochs=2, **USUAL[kind])
        data = {"train_dataset": table, "eval_dataset": table}
        Trainer(model, options, **data, **more).train()
        return [*model.parameters()], [each.training for each in model.modules()]

    plain, modes = trained()
    weights, others = trained(metrics_collectors=[number, loss], metrics_collection_epochs=EPOCHS)
    assert all(map(torch.equal, plain, weights))
    assert modes == others


class Dropping(Linear):
    def __init__(self):
        super().__init__()
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, x, labels=None):
        return super().forward(self.dropout(x), labels)
