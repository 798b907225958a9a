"""Metrics of each row from the evaluations of Detectron2's trainer."""

from __future__ import annotations

import pytest
import torch
from tests.integrations.detectron2_models import (
    CLASSES,
    Trainer,
    config,
    detectron2,
    number,
    table_of_boxes,
)

import tlc
from tlc.integration.detectron2 import (
    BoundingBoxMetricsCollector,
    DetectronMetricsCollectionHook,
    MetricsCollectionEvaluator,
    register_table,
)

ROWS = 9


@pytest.fixture
def table(tmp_path):
    made = table_of_boxes(tmp_path, ROWS)
    register_table("rows", made)
    return made


def collectors():
    return [number, BoundingBoxMetricsCollector(CLASSES, {0: 0, 1: 1})]


class Evaluating(Trainer):
    calls = 0

    @classmethod
    def build_evaluator(cls, cfg, name):
        return MetricsCollectionEvaluator(name, collectors(), split="val")


def train(folder, kind=Evaluating, **options):
    options = {"SOLVER__MAX_ITER": 6, "TEST__EVAL_PERIOD": 2, "DATASETS__TEST": ("rows",)} | options
    made = kind(config(folder, **options))
    made.register_hooks([DetectronMetricsCollectionHook(collection_frequency=2)])
    made.train()
    return made


def evaluations(run):
    return [each for each in run.metrics_tables if each.metrics_info.foreign_table is not None]


def test_each_evaluation_is_collected_and_its_means_are_results(table, tmp_path):
    run = tlc.init("detectron2")
    made = train(tmp_path)
    found = evaluations(run)
    told = [each.metrics_info.constants for each in found]
    assert told == [{"epoch": i * 4 // ROWS, "iteration": i} for i in (2, 4, 6)]
    assert all([row["example_id"] for row in each] == list(range(ROWS)) for each in found)
    assert made._last_eval_results["val_number_avg"] == (ROWS - 1) / 2
    assert "val_precision" in made._last_eval_results
    logged = [each for each in run.constants["outputs"] if "total_loss" in each]
    assert "val_number_avg" in logged[0]  # the trainer has it in its event storage, too


def test_no_sample_goes_through_the_model_a_second_time(table, tmp_path):
    seen = []

    class Counting(Evaluating):
        @classmethod
        def build_model(cls, cfg):
            model = super().build_model(cfg)
            model.register_forward_pre_hook(lambda module, _: seen.append(module.training))
            return model

    tlc.init("detectron2")
    train(tmp_path, Counting, SOLVER__MAX_ITER=2)
    assert seen.count(False) == ROWS


def test_evaluators_of_detectron2_work_beside_it(table, tmp_path):
    class Both(Trainer):
        @classmethod
        def build_evaluator(cls, cfg, name):
            own = detectron2.evaluation.COCOEvaluator(
                name, ("bbox",), output_dir=str(tmp_path), use_fast_impl=False
            )
            return detectron2.evaluation.DatasetEvaluators(
                [own, MetricsCollectionEvaluator(name, number)]
            )

    tlc.init("detectron2")
    found = train(tmp_path, Both, SOLVER__MAX_ITER=2)._last_eval_results
    assert {"bbox", "number_avg"} <= found.keys()


def test_evaluations_outside_of_a_training_are_collected(table, tmp_path):
    cfg = config(tmp_path)
    loader = detectron2.data.build_detection_test_loader(cfg, "rows", batch_size=4)
    model = detectron2.modeling.build_model(cfg)
    given = tlc.Run.create("detectron2", "given")
    evaluator = MetricsCollectionEvaluator("rows", number, run=given)
    for _ in range(2):
        results = detectron2.evaluation.inference_on_dataset(model, loader, evaluator)
        assert results == {"number_avg": (ROWS - 1) / 2}
    assert [len(each) for each in given.metrics_tables] == [ROWS, ROWS]
    assert given.status_name != "completed"


@pytest.mark.parametrize("period", [2, 0], ids=["in between", "at the end"])
def test_a_collector_that_fails_leaves_what_there_is(table, tmp_path, period):
    def fail(batch, output):
        if batch[0]["example_id"] == 5:
            raise RuntimeError("enough")
        return number(batch)

    class Failing(Trainer):
        @classmethod
        def build_evaluator(cls, cfg, name):
            return MetricsCollectionEvaluator(name, fail)

    run = tlc.init("detectron2")
    with pytest.raises(RuntimeError, match="enough"):
        train(tmp_path, Failing, TEST__EVAL_PERIOD=period)
    assert run.status_name == "failed"
    (metrics,) = evaluations(run)
    assert metrics.is_partial
    assert len(metrics) == 5


def test_a_run_that_is_made_here_is_closed_when_the_last_evaluation_fails(table, tmp_path):
    def fail(batch, output):
        raise RuntimeError("enough")

    class Failing(Trainer):
        @classmethod
        def build_evaluator(cls, cfg, name):
            return MetricsCollectionEvaluator(name, fail)

    with pytest.raises(RuntimeError, match="enough"):
        train(tmp_path, Failing, TEST__EVAL_PERIOD=0)
    assert tlc.active_run() is None


def test_a_model_that_fails_leaves_what_there_is(table, tmp_path):
    class Failing(Evaluating):
        @classmethod
        def build_model(cls, cfg):
            model = super().build_model(cfg)

            def fail(module, inputs):
                if not module.training and inputs[0][0]["example_id"] == 5:
                    raise RuntimeError("enough")

            model.register_forward_pre_hook(fail)
            return model

    run = tlc.init("detectron2")
    with pytest.raises(RuntimeError, match="enough"):
        train(tmp_path, Failing)
    assert run.status_name == "failed"
    (metrics,) = evaluations(run)
    assert (metrics.is_partial, len(metrics)) == (True, 5)


def test_a_training_takes_the_same_course_as_with_other_evaluators(table, tmp_path):
    class Other(Trainer):
        @classmethod
        def build_evaluator(cls, cfg, name):
            return detectron2.evaluation.DatasetEvaluators([])

    weights = []
    for kind in (Other, Evaluating):
        detectron2.utils.env.seed_all_rng(0)
        tlc.init("detectron2", if_exists="rename")
        made = train(tmp_path, kind)
        weights.append([each.detach().clone() for each in made.model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
