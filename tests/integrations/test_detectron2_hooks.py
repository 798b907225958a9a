"""Hooks of Detectron2's trainer."""

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
from tlc.catalog import list_runs
from tlc.errors import MetricsError, OptionError
from tlc.helpers import ProjectLayout
from tlc.integration.detectron2 import (
    BoundingBoxMetricsCollector,
    DetectronMetricsCollectionHook,
    MetricsCollectionHook,
    register_table,
)

ROWS = 9


@pytest.fixture
def table(tmp_path):
    made = table_of_boxes(tmp_path, ROWS)
    register_table("rows", made)
    return made


def trainer(folder, *hooks, **options):
    made = Trainer(config(folder, **options))
    made.register_hooks(list(hooks))
    return made


def hook(collectors=number, **options):
    return MetricsCollectionHook("rows", collectors, **options)


def constants(run, name="iteration"):
    return [each.metrics_info.constants[name] for each in run.metrics_tables]


def runs():
    found = list_runs(ProjectLayout.project_url(project_name="detectron2"))
    return [tlc.Run.from_url(entry.url) for entry in found]


ALL = {"collect_metrics_before_train": True, "collect_metrics_after_train": True}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, []),
        ({"collect_metrics_before_train": True}, [0]),
        ({"collect_metrics_after_train": True}, [6]),
        ({"collection_frequency": 2}, [2, 4, 6]),
        ({"collection_frequency": 2, **ALL}, [0, 2, 4, 6]),  # the last one once
        ({"collection_frequency": 2, "collection_start_iteration": 3}, [3, 5]),
        ({"collection_frequency": 4, **ALL}, [0, 4, 6]),
    ],
    ids=str,
)
def test_metrics_are_collected_after_the_iterations_asked_for(table, tmp_path, options, wanted):
    run = tlc.init("detectron2")
    trainer(tmp_path, hook(**options), SOLVER__MAX_ITER=6).train()
    assert constants(run) == wanted
    assert all(len(each) == ROWS for each in run.metrics_tables)


def test_epochs_are_told_by_the_rows_that_are_trained_on(table, tmp_path):
    run = tlc.init("detectron2")
    trainer(tmp_path, hook(collection_frequency=1), SOLVER__MAX_ITER=7).train()
    assert constants(run, "epoch") == [done * 4 // ROWS for done in range(1, 8)]


def test_before_train_alone_collects(table, tmp_path):
    run = tlc.init("detectron2")
    made = trainer(tmp_path, hook(**ALL))
    made.resume_or_load(resume=False)
    made.before_train()
    assert constants(run) == [0]
    made.train()
    assert constants(run) == [0, 4]


def test_a_hook_can_be_used_with_one_trainer_after_the_other(table, tmp_path):
    collecting = hook(**ALL)
    for _ in range(2):
        trainer(tmp_path, collecting).train()
    found = runs()
    assert [constants(run) for run in found] == [[0, 4], [0, 4]]
    assert {run.status_name for run in found} == {"completed"}


def test_two_datasets_and_what_is_logged_share_a_run_that_is_made_here(table, tmp_path):
    register_table("others", table_of_boxes(tmp_path, 3, table_name="others"))
    hooks = [
        hook(collect_metrics_after_train=True, dataset_split="train"),
        MetricsCollectionHook("others", number, collect_metrics_after_train=True),
        DetectronMetricsCollectionHook(collection_frequency=2),
    ]
    trainer(tmp_path, *hooks).train()
    (run,) = runs()
    assert run.status_name == "completed"
    assert tlc.active_run() is None
    assert sorted(len(each) for each in run.metrics_tables) == [2, 3, ROWS]
    assert run.parameters["SOLVER.MAX_ITER"] == 4
    assert run.parameters["MODEL.META_ARCHITECTURE"] == "TinyDetector"
    assert len(run.input_tables) == 2


def test_a_hook_can_have_a_run_of_its_own(table, tmp_path):
    active, own = tlc.init("detectron2", "active"), tlc.Run.create("detectron2", "own")
    collecting = hook(collect_metrics_after_train=True)
    trainer(tmp_path, collecting, DetectronMetricsCollectionHook(own.url, None, 0, 1)).train()
    assert constants(active) == [4]
    assert len(own.constants["outputs"]) == 4


def test_losses_are_logged_while_the_trainer_is_at_work_and_in_a_table(table, tmp_path):
    run = tlc.init("detectron2")
    trainer(tmp_path, DetectronMetricsCollectionHook(collection_frequency=2)).train()
    logged = run.constants["outputs"]
    assert [each["iteration"] for each in logged] == [2, 4]
    assert {"total_loss", "loss_box", "loss_cls", "lr"} <= logged[0].keys()
    (metrics,) = run.metrics_tables
    assert metrics.metrics_info.foreign_table is None
    assert [each["iteration"] for each in metrics] == [2, 4]
    assert [each["lr"] for each in metrics] == [each["lr"] for each in logged]


def test_losses_of_a_training_that_fails_are_kept(table, tmp_path):
    class Failing(Trainer):
        def run_step(self):
            if self.iter == 3:
                raise RuntimeError("enough")
            super().run_step()

    made = Failing(config(tmp_path))
    made.register_hooks([DetectronMetricsCollectionHook(collection_frequency=1)])
    with pytest.raises(RuntimeError, match="enough"):
        made.train()
    (run,) = runs()
    assert run.status_name == "failed"
    assert tlc.active_run() is None
    assert len(run.metrics_tables[0]) == 3


def test_an_error_that_is_being_handled_meanwhile_is_not_the_training_s(table, tmp_path):
    run = tlc.init("detectron2")
    made = trainer(tmp_path, hook(collection_frequency=4))
    try:
        raise KeyError("before")
    except KeyError:
        made.train()
    assert constants(run) == [4]
    assert run.status_name == "running"


def test_an_error_in_the_last_collection_fails_the_run(table, tmp_path):
    def fail(batch, output):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        trainer(tmp_path, hook(fail, collect_metrics_after_train=True)).train()
    (run,) = runs()
    assert run.status_name == "failed"
    assert tlc.active_run() is None


@pytest.mark.parametrize("is_late", [False, True], ids=["before loading", "after loading"])
def test_who_goes_on_from_a_checkpoint_goes_on_with_its_run(table, tmp_path, is_late):
    for iterations in (4, 8):
        options = {"SOLVER__MAX_ITER": iterations, "SOLVER__CHECKPOINT_PERIOD": 2}
        made = Trainer(config(tmp_path, **options))
        hooks = [hook(collection_frequency=2), hook(number, **ALL, dataset_split="all")]
        if is_late:
            made.resume_or_load(resume=True)
            made.register_hooks(hooks)
        else:
            made.register_hooks(hooks)
            made.resume_or_load(resume=True)
        made.train()
    (run,) = runs()
    assert run.status_name == "completed"
    found = [
        (each.metrics_info.split, i)
        for each, i in zip(run.metrics_tables, constants(run), strict=True)
    ]
    wanted = [("", i) for i in (2, 4, 6, 8)] + [("all", i) for i in (0, 4, 8)]
    assert sorted(found) == wanted


def test_what_was_collected_after_the_checkpoint_is_replaced(table, tmp_path):
    class Failing(Trainer):
        def after_step(self):
            super().after_step()
            if self.iter == 5 and not self.start_iter:
                raise RuntimeError("enough")

    for _ in range(2):
        options = {"SOLVER__MAX_ITER": 8, "SOLVER__CHECKPOINT_PERIOD": 3}
        made = Failing(config(tmp_path, **options))
        made.register_hooks([hook(collection_frequency=2)])
        made.resume_or_load(resume=True)
        if made.start_iter:
            made.train()
        else:
            with pytest.raises(RuntimeError, match="enough"):
                made.train()
        (tmp_path / "last_checkpoint").write_text("model_0000002.pth")
    (run,) = runs()
    assert sorted(constants(run)) == [2, 4, 6, 8]
    assert run.metrics(table=table).num_rows == 4 * ROWS


def test_what_a_checkpoint_came_too_early_for_is_collected_when_it_goes_on(table, tmp_path):
    def fail(batch, output):
        raise RuntimeError("enough")

    for collect, iterations in ((fail, 4), (number, 6)):
        options = {"SOLVER__MAX_ITER": iterations, "SOLVER__CHECKPOINT_PERIOD": 2}
        made = Trainer(config(tmp_path, **options))
        made.register_hooks([hook(collect, collection_frequency=2)])
        made.resume_or_load(resume=True)
        if collect is fail:
            with pytest.raises(RuntimeError, match="enough"):
                made.train()
        else:
            made.train()
    (run,) = runs()
    assert constants(run) == [2, 4, 6]


def test_embeddings_of_a_layer_are_collected(table, tmp_path):
    made = Trainer(config(tmp_path))
    predictor = tlc.metrics.Predictor(made.model, layers=[1])
    collectors = [
        BoundingBoxMetricsCollector(CLASSES, {0: 0, 1: 1}),
        tlc.metrics.EmbeddingsMetricsCollector(layers=[1]),
    ]
    made.register_hooks([hook(collectors, predictor=predictor, collect_metrics_after_train=True)])
    run = tlc.init("detectron2")
    made.train()
    (metrics,) = run.metrics_tables
    assert len(metrics[0]["embeddings_1"]) == 4


def sizes(batch, output):
    return {"size": [len(output.forward)] * len(batch)}


def test_a_module_or_a_function_can_predict(table, tmp_path):
    run = tlc.init("detectron2")
    model = torch.nn.Identity()
    hooks = [
        hook(sizes, predictor=model, **ALL),
        hook(sizes, predictor=lambda batch: batch[:1], **ALL, dataset_split="one"),
    ]
    trainer(tmp_path, *hooks).before_train()
    assert model.training
    assert [each[0]["size"] for each in run.metrics_tables] == [8, 1]


def test_a_row_that_cannot_be_read_is_missing_and_no_other_has_its_numbers(table, tmp_path):
    class Mapper(detectron2.data.DatasetMapper):
        def __call__(self, record):
            return None if record["example_id"] == 3 else super().__call__(record)

    class Skipping(Trainer):
        @classmethod
        def build_test_loader(cls, cfg, name):
            mapper = Mapper(cfg, is_train=False)
            return detectron2.data.build_detection_test_loader(cfg, name, mapper=mapper)

    run = tlc.init("detectron2")
    made = Skipping(config(tmp_path))
    made.register_hooks([hook(collect_metrics_before_train=True)])
    made.before_train()
    (metrics,) = run.metrics_tables
    found = run.metrics(table=table)
    assert found["number"].to_pylist() == found["example_id"].to_pylist()
    assert metrics.missing_example_ids().tolist() == [3]


def test_one_collector_serves_several_datasets(table, tmp_path):
    others = table_of_boxes(tmp_path, 3, table_name="others").delete_rows([0])
    register_table("others", others)
    collector = BoundingBoxMetricsCollector(CLASSES, {0: 0, 1: 1})
    hooks = [
        MetricsCollectionHook(name, collector, collect_metrics_after_train=True)
        for name in ("rows", "others")
    ]
    run = tlc.init("detectron2")
    trainer(tmp_path, *hooks).train()
    for metrics, count in zip(run.metrics_tables, (ROWS, 2), strict=True):
        assert [len(row["is_false_negative"]) for row in metrics] == [1] * count


def without_id(record):
    return {"image": torch.zeros(3, 32, 32)}


def test_samples_without_ids_are_told(table, tmp_path):
    class Losing(Trainer):
        @classmethod
        def build_test_loader(cls, cfg, name):
            return detectron2.data.build_detection_test_loader(cfg, name, mapper=without_id)

    made = Losing(config(tmp_path))
    made.register_hooks([hook(collect_metrics_before_train=True)])
    with pytest.raises(MetricsError, match="mapper"):
        made.before_train()


def test_a_dataset_that_is_no_table_is_told(table, tmp_path):
    collecting = MetricsCollectionHook("coco_2017_val", number, collect_metrics_before_train=True)
    with pytest.raises(OptionError, match="register_coco_instances"):
        trainer(tmp_path, collecting).before_train()


@pytest.mark.parametrize(
    "options", [{"collection_frequency": 0}, {"metric_collection_batch_size": 0}], ids=str
)
def test_numbers_that_are_none_are_refused(options):
    with pytest.raises(OptionError):
        hook(**options)
