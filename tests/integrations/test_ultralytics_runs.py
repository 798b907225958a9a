"""What trainings, validations and collections with Ultralytics leave in a run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import ultralytics.engine.validator
from tests.integrations.ultralytics_data import QUICK, grey_images, noted_grey, task_table, tiny
from ultralytics.utils import SETTINGS

import tlc
from tlc.catalog import list_runs
from tlc.errors import OptionError, TlcWarning
from tlc.helpers import ProjectLayout
from tlc.integration.ultralytics import YOLO, Settings

ROWS = 6


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def table(tmp_path):
    return grey_images(tmp_path, ROWS, project_name="flowers")


@pytest.fixture
def model(tmp_path):
    return YOLO(tiny(tmp_path))


@pytest.fixture
def train(model, table, tmp_path):
    """Trains on the table, and returns what ``train`` returns."""

    def start(**options):
        tables = {"train": table, "val": table}
        arguments = {**QUICK, "project": str(tmp_path / "runs"), "tables": tables}
        return model.train(**{**arguments, **options})

    return start


def about(run):
    """Return split, epoch and number of rows of each metrics table."""
    infos = [(each.metrics_info, len(each)) for each in run.metrics_tables]
    return [(info.split, info.constants.get("epoch"), rows) for info, rows in infos]


def test_by_default_all_splits_are_collected_once_after_training(train, model):
    found = train(epochs=2)
    run = tlc.Run.from_url(found.run_url)
    assert run.project_name == "flowers"
    assert run.status_name == "completed"
    assert about(run) == [("val", 3, ROWS), ("train", 3, ROWS)]
    assert run.parameters["epochs"] == 2
    assert run.parameters["optimizer"] == model.trainer.args.optimizer  # it may choose itself


def test_what_the_trainer_logs_is_in_the_run_with_its_epoch(train):
    run = tlc.Run.from_url(train(epochs=2).run_url)
    logged = [each for each in run.constants["outputs"] if "train/box_loss" in each]
    assert [each["epoch"] for each in logged] == [1, 2]
    assert {"val/cls_loss", "metrics/mAP50(B)", "lr/pg0"} <= logged[0].keys()
    (best,) = (x for x in run.constants["outputs"] if x["epoch"] == 3 and "metrics/mAP50(B)" in x)
    assert "train/box_loss" not in best


@pytest.mark.parametrize("val", [True, False])
def test_epochs_are_collected_from_the_trainers_own_validation_or_without_it(train, val):
    settings = Settings(collection_epoch_start=2, collection_epoch_interval=2)
    run = tlc.Run.from_url(train(epochs=4, settings=settings, val=val, patience=0).run_url)
    splits = {(split, epoch) for split, epoch, rows in about(run) if rows == ROWS}
    assert splits == {(split, epoch) for split in ("train", "val") for epoch in (2, 4, 5)}
    assert len(about(run)) == 6


def test_the_validation_split_alone_can_be_collected(train):
    run = tlc.Run.from_url(train(settings=Settings(collection_val_only=True)).run_url)
    assert about(run) == [("val", 2, ROWS)]


def test_nothing_is_collected_where_that_is_asked_for(train, model, table):
    run = tlc.Run.from_url(train(settings=Settings(collection_disable=True)).run_url)
    assert run.metrics_tables == []
    assert {url.name for url in run.input_tables} == {table.name}
    with pytest.raises(OptionError, match="does nothing"):
        model.collect(tables={"val": table}, settings=Settings(collection_disable=True))


def test_a_run_is_found_or_made_by_its_names(train):
    settings = Settings(project_name="garden", run_name="roses", run_description="red")
    first = tlc.Run.from_url(train(settings=settings).run_url)
    assert (first.project_name, first.name, first.description) == ("garden", "roses", "red")
    assert tlc.Run.from_url(train(settings=settings).run_url) == first
    assert len(first.metrics_tables) == 4


def test_the_active_run_is_used_and_stays_open(train):
    active = tlc.init("elsewhere", "active")
    assert tlc.Run.from_url(train().run_url) == active
    assert not active.state.status.is_final
    other = tlc.Run.from_url(train(settings=Settings(project_name="garden")).run_url)
    assert other.project_name == "garden"


def test_several_splits_are_collected_in_one_run(model, table):
    others = table.delete_rows([0, 1])
    tables = {"train": table, "val": table, "rest": others}
    found = model.collect(tables=tables, settings=Settings(conf_thres=0.5), imgsz=64, plots=False)
    assert list(found) == ["train", "val", "rest"]
    assert found["val"].box.map >= 0
    run = tlc.Run.from_url(found.run_url)
    assert about(run) == [("train", None, ROWS), ("val", None, ROWS), ("rest", None, ROWS - 2)]
    found = model.collect(tables=tables, splits=("rest",), imgsz=64, plots=False)
    assert list(found) == ["rest"]


def test_who_has_trained_on_tables_can_validate_on_them(train, model, table, tmp_path):
    train()
    weights = str(tmp_path / "runs/train/weights/best.pt")
    for each in (model, YOLO(weights)):
        (metrics,) = tlc.Run.from_url(each.val(plots=False).run_url).metrics_tables
        assert metrics.metrics_info.foreign_table.id == table.id


def test_a_function_of_ones_own_adds_columns(model, table):
    def function(preds, batch):
        counts = np.array([len(each["conf"]) for each in preds], np.int32)
        return {"number": noted_grey(batch), "count": counts}

    schemas = {"count": tlc.schemas.Int32Schema(description="of predictions")}
    settings = Settings(metrics_collection_function=function, metrics_schemas=schemas)
    found = model.val(table=table, settings=settings, imgsz=64, batch=4, plots=False)
    (metrics,) = tlc.Run.from_url(found.run_url).metrics_tables
    assert [row["number"] for row in metrics.table_rows] == list(range(ROWS))
    assert metrics.rows_schema.values["count"].description == "of predictions"


@pytest.mark.parametrize("task", ["detect", "classify"])
def test_rows_of_weight_zero_are_left_out_of_collection(task, tmp_path):
    """All columns are those of the rows that are left."""
    table = task_table(tmp_path / "data", task)
    light = table.set_values("weight", [0, 3], 0.0) if "weight" in table.columns else None
    if light is None:
        schema = tlc.schemas.SampleWeightSchema()
        light = table.add_column("weight", [0.0, 1.0, 1.0, 0.0, 1.0], schema)

    def mean(_, batch):
        return {"mean": batch["img"].float().mean((1, 2, 3))}

    rows = []
    for leave_out in (False, True):
        settings = Settings(
            conf_thres=0.0,
            exclude_zero_weight_collection=leave_out,
            metrics_collection_function=mean,
            image_embeddings_dim=1,
            image_embeddings_reducer=None,
        )
        torch.manual_seed(0)
        arguments = {"imgsz": 64, "plots": False, "conf": 1e-6, "batch": 5}
        model = YOLO(tiny(tmp_path, task))
        found = model.val(table=light, settings=settings, **arguments)
        (metrics,) = tlc.Run.from_url(found.run_url).metrics_tables
        rows.append({row["example_id"]: str(row) for row in metrics.table_rows})
    everything, some = rows
    assert list(some) == [1, 2, 4]
    assert some == {row: everything[row] for row in some}


def test_embeddings_of_all_epochs_are_reduced_as_the_last_of_the_training_table(train):
    settings = Settings(
        collection_epoch_start=1,
        image_embeddings_dim=3,
        image_embeddings_reducer_args={"n_neighbors": 1, "seed": 7},
    )
    run = tlc.Run.from_url(train(settings=settings).run_url)
    assert run.status_name == "completed"
    assert about(run) == [(split, epoch, ROWS) for epoch in (1, 2) for split in ("val", "train")]
    for metrics in run.metrics_tables:
        assert {"bbs_predicted", "embeddings_pacmap"} < set(metrics.columns)
        assert "embeddings" not in metrics.columns
        reduced = np.array(metrics.get_column("embeddings_pacmap").to_pylist())
        assert reduced.shape == (ROWS, 3)
        assert np.isfinite(reduced).all()
    (model_url,) = {metrics.model_url for metrics in run.metrics_tables}
    assert tlc.reduction.load_reducer(model_url).settings.seed == 7


def test_a_training_does_not_fail_if_there_are_too_few_embeddings_to_reduce(train):
    settings = Settings(image_embeddings_dim=5, collection_val_only=True)
    with pytest.warns(TlcWarning, match="stay as they were.*needs 7"):
        found = train(settings=settings)
    run = tlc.Run.from_url(found.run_url)
    assert run.status_name == "completed"
    assert all("embeddings" in metrics.columns for metrics in run.metrics_tables)


def test_the_loss_of_each_image_is_that_of_the_framework_for_it_alone(model, table, tmp_path):
    found = model.val(
        table=table, settings=Settings(collect_loss=True), imgsz=64, batch=4, plots=False
    )
    (metrics,) = tlc.Run.from_url(found.run_url).metrics_tables
    module = model.model.eval()
    module.args = ultralytics.cfg.get_cfg(overrides=dict(module.args))
    for row in (0, 5):
        grey = torch.full((1, 3, 96, 96), 114 / 255)
        grey[:, :, 16:80, 16:80] = row / 255
        batch = {
            "img": grey,
            "batch_idx": torch.zeros(1),
            "cls": torch.tensor([[row % 2]]).float(),
            "bboxes": torch.tensor([[0.5, 0.5, 16 / 96, 32 / 96]]),
        }
        with torch.no_grad():
            total, items = module.loss(batch, module(grey))
        collected = metrics.table_rows[row]
        assert collected["loss"] == pytest.approx(float(total.sum()), rel=1e-3)
        assert collected["box_loss"] == pytest.approx(float(items["box_loss"]), rel=1e-3)


def test_a_training_that_ends_early_marks_its_run(train):
    def fail(preds, batch):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        train(settings=Settings(metrics_collection_function=fail))
    (entry,) = list_runs(ProjectLayout.project_url(project_name="flowers"))
    assert tlc.Run.from_url(entry.url).status_name == "failed"


def test_nothing_of_the_framework_is_changed(train, model):
    module = ultralytics.engine.validator
    before = dict(vars(module)), dict(SETTINGS)
    train()
    assert (dict(vars(module)), dict(SETTINGS)) == before
    assert "tlc" not in model.callbacks


def test_programs_find_the_names_where_they_know_them():
    import tlc_ultralytics

    assert tlc_ultralytics.YOLO is YOLO
    assert tlc_ultralytics.Settings is Settings
