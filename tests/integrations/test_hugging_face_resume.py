"""Trainings that go on from a checkpoint: as if they had never stopped, and nothing comes twice."""

from __future__ import annotations

import pytest
import torch
import transformers
from tests.integrations.test_hugging_face import ROWS, arguments, number, passes
from tests.integrations.test_hugging_face import table as table
from tests.integrations.test_hugging_face_epochs import Dropping

import tlc
from tlc.catalog import list_runs
from tlc.integration.hugging_face import Trainer

EPOCHS = range(4)
ALL = sorted((split, epoch, ROWS) for split in ("train", "eval") for epoch in EPOCHS)
BATCHES = 3  # of an epoch: five rows have a weight


class Stop(transformers.TrainerCallback):
    """Breaks a training off at a step: as it ends, or as the epoch ends with it."""

    def __init__(self, step, event="on_step_begin"):
        self.step = step
        setattr(self, event, self.stop)

    def stop(self, args, state, control, **_):
        if state.global_step == self.step:
            raise RuntimeError("enough")


def trained(table, folder, *, stop=None, resume=None, **options):
    """Train, and return the weights."""
    own = {"metrics_collectors": number, "metrics_collection_epochs": EPOCHS}
    own |= {name: options.pop(name) for name in [*own, "run_name"] if name in options}
    usual = {"num_train_epochs": 3, "save_strategy": "epoch", "per_device_train_batch_size": 2}
    made = arguments(str(folder), **{**usual, **options})
    model = Dropping()
    data = {"train_dataset": table, "eval_dataset": table}
    trainer = Trainer(model, made, callbacks=[] if stop is None else [stop], **data, **own)
    if stop is None:
        trainer.train(resume_from_checkpoint=resume)
    else:
        with pytest.raises(RuntimeError, match="enough"):
            trainer.train(resume_from_checkpoint=resume)
    return [each.detach() for each in model.parameters()]


def assert_same(some, others):
    assert all(map(torch.equal, some, others))


def runs():
    project = tlc.helpers.ProjectLayout.project_url(project_name="transformers")
    return [tlc.Run.from_url(entry.url) for entry in list_runs(project)]


@pytest.mark.parametrize("known_by", ["active", "name", "checkpoint"])
def test_a_training_goes_on_in_its_run_and_collects_each_epoch_once(known_by, table, tmp_path):
    options = {"run_name": "mine"} if known_by == "name" else {}
    trained(table, tmp_path / "a", stop=Stop(BATCHES + 1), **options)
    (run,) = runs()
    assert run.status_name == "failed"
    if known_by == "active":
        tlc.init("transformers", run.name, if_exists="reuse")
    trained(table, tmp_path / "a", resume=True, **options)
    (run,) = runs()
    assert sorted(passes(run)) == ALL
    assert run.status_name == ("running" if known_by == "active" else "completed")


@pytest.mark.parametrize("saved", ["epoch", "steps"])
@pytest.mark.parametrize("evaluated", ["epoch", "no"])
def test_it_takes_the_course_of_one_that_never_stopped(saved, evaluated, table, tmp_path):
    """With and without collecting; and where it goes on within an epoch."""
    saving = {"save_strategy": saved, "save_steps": BATCHES + 2, "eval_strategy": evaluated}
    none = {"metrics_collectors": None, "metrics_collection_epochs": None}
    tlc.init("transformers")
    whole = trained(table, tmp_path / "whole", **saving, **none)
    assert_same(trained(table, tmp_path / "collected", **saving), whole)
    run = tlc.init("transformers")
    trained(table, tmp_path / "parts", stop=Stop(2 * BATCHES), **saving)
    assert_same(trained(table, tmp_path / "parts", resume=True, **saving), whole)
    assert sorted(passes(run)) == ALL


def test_what_is_trained_again_is_collected_again_in_place_of_the_earlier(table, tmp_path):
    run = tlc.init("transformers")
    saving = {"save_strategy": "steps", "save_steps": BATCHES}
    trained(table, tmp_path, stop=Stop(2 * BATCHES + 1), **saving)
    first = {each.metrics_info.constants["epoch"]: each.url for each in run.metrics_tables}
    trained(table, tmp_path, resume=str(tmp_path / f"checkpoint-{BATCHES}"), **saving)
    assert sorted(passes(run)) == ALL
    second = {each.metrics_info.constants["epoch"]: each.url for each in run.metrics_tables}
    assert {epoch for epoch in first if first[epoch] != second[epoch]} == {2}


def test_what_was_saved_but_not_collected_is_collected_first(table, tmp_path):
    run = tlc.init("transformers")
    saving = {"save_strategy": "steps", "save_steps": BATCHES, "eval_strategy": "no"}
    trained(table, tmp_path, stop=Stop(BATCHES, "on_epoch_end"), **saving)
    assert {epoch for _, epoch, _ in passes(run)} == {0}
    trained(table, tmp_path, resume=True, **saving)
    assert sorted(passes(run)) == ALL


def test_an_evaluation_at_the_start_is_not_about_what_is_there(table, tmp_path):
    run = tlc.init("transformers")
    trained(table, tmp_path, stop=Stop(BATCHES + 1), eval_on_start=True)
    trained(table, tmp_path, resume=True, eval_on_start=True)
    assert sorted(passes(run)) == ALL
