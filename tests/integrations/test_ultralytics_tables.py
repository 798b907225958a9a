"""Tables as data of Ultralytics: made of its data sets, wherever their images are, and refused."""

from __future__ import annotations

import http.server
import threading
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from tests.integrations.ultralytics_data import (
    IDS,
    LABELS,
    QUICK,
    grey_images,
    noted_grey,
    task_table,
    tiny,
)

import tlc
from tlc.data_types import BoundingBoxes2D
from tlc.errors import ColumnNotFoundError, OptionError, TlcError, TlcWarning
from tlc.integration.ultralytics import YOLO, Settings, create_tables_from_yaml_file

CLASSES = "bbs.instances_additional_data.label"

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def one_thread():
    torch.set_num_threads(1)


def number(_, batch):
    return {"number": noted_grey(batch)}


@pytest.fixture
def yaml(tmp_path):
    """A data set with two splits, of four images each."""
    root = tmp_path / "flowers"
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (root / split / kind).mkdir(parents=True)
        for row in range(4):
            Image.new("RGB", (64, 64), (row,) * 3).save(root / f"{split}/images/{row}.png")
            (root / f"{split}/labels/{row}.txt").write_text(f"0 {LABELS['detect']}")
    file = root / "flowers.yaml"
    file.write_text("train: train/images\nval: val/images\nnames: {0: rose, 1: tulip}")
    return file


def train(model, tmp_path, **options):
    model.train(**{**QUICK, "project": str(tmp_path / "runs"), **options})
    return model.trainer.train_loader.dataset


def test_tables_of_a_data_set_are_made_once_and_edits_are_trained_on(yaml, tmp_path):
    files = set(yaml.parent.rglob("*"))
    model = YOLO(tiny(tmp_path))
    settings = Settings(collection_disable=True)
    dataset = train(model, tmp_path, data=str(yaml), settings=settings)
    assert [each["cls"].item() for each in dataset.labels] == [0] * 4
    table = tlc.Table.from_names("initial", "train", "flowers-YOLO")
    edited = table.set_values(
        "bbs", [2], [BoundingBoxes2D(np.zeros((0, 4)), [], image_width=64, image_height=64)]
    )
    dataset = train(model, tmp_path, data=str(yaml), settings=settings)
    assert [len(each["cls"]) for each in dataset.labels] == [1, 1, 0, 1]
    found = create_tables_from_yaml_file(str(yaml))
    assert [found["train"].url, found["val"].name] == [edited.url, "initial"]
    assert set(yaml.parent.rglob("*")) == files  # nothing is written beside the images


def test_tables_are_made_of_folders_of_classes(tmp_path):
    for split in ("train", "val"):
        for row, name in enumerate(["rose", "rose", "tulip", "tulip"]):
            (tmp_path / "flowers" / split / name).mkdir(parents=True, exist_ok=True)
            path = tmp_path / "flowers" / split / name / f"{row}.png"
            Image.new("RGB", (64, 64), (row,) * 3).save(path)
    found = YOLO(tiny(tmp_path, "classify")).val(
        data=str(tmp_path / "flowers"), imgsz=64, plots=False
    )
    (metrics,) = tlc.Run.from_url(found.run_url).metrics_tables
    table = tlc.Table.from_names("initial", "val", "flowers-YOLO")
    assert metrics.metrics_info.foreign_table.id == table.id
    assert len(metrics) == 4


def test_wrong_labels_are_left_out_with_a_warning(yaml):
    (yaml.parent / "val/labels/1.txt").write_text("0 nonsense")
    with pytest.warns(TlcWarning, match="1 labels or images were wrong"):
        found = create_tables_from_yaml_file(str(yaml), "detect", "garden", ["val"])
    assert list(found) == ["val"]
    assert found["val"].project_name == "garden"


def test_a_file_can_name_the_tables_and_ask_for_their_newest_revisions(tmp_path):
    table = grey_images(tmp_path, 6)
    newest = table.delete_rows([0])
    file = tmp_path / "tables.yaml"
    file.write_text(f"train: {table.url}:latest\nval: {table.url}\n")
    run = tlc.init("flowers")
    dataset = train(YOLO(tiny(tmp_path)), tmp_path, data=f"3LC://{file}")
    assert len(dataset) == len(newest) == 5
    assert {url.name for url in run.input_tables} == {newest.name, table.name}


@pytest.fixture
def served(tmp_path):
    """Gives the address at which a folder is served."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("place", ["alias", "http"])
@pytest.mark.parametrize("task", ["detect", "classify"])
def test_images_are_read_from_wherever_their_urls_lead(place, task, tmp_path, served):
    table = task_table(tmp_path / "data", task)
    local = YOLO(tiny(tmp_path, task))
    expected = collected(local, table)
    root = served if place == "http" else "<IMAGES>"
    tlc.register_url_alias("IMAGES", str(tmp_path))
    urls = [f"{root}/data/images/{row}.png" for row in range(len(table))]
    moved = table.set_values("image", range(len(table)), urls)
    assert collected(local, moved) == expected
    dataset = train(local, tmp_path, tables={"train": moved, "val": moved}, cache="ram")
    assert len(dataset) == len(table)


def collected(model, table):
    found = model.val(
        table=table, settings=Settings(conf_thres=0.0), imgsz=64, conf=1e-6, plots=False
    )
    (metrics,) = tlc.Run.from_url(found.run_url).metrics_tables
    return [str(row) for row in metrics.table_rows]


def test_a_cache_beside_images_elsewhere_is_refused(tmp_path, served):
    table = task_table(tmp_path / "data", "detect")
    urls = [f"{served}/data/images/{row}.png" for row in range(len(table))]
    moved = table.set_values("image", range(len(table)), urls)
    with pytest.raises(OptionError, match="cache='disk'"):
        train(YOLO(tiny(tmp_path)), tmp_path, tables={"train": moved, "val": moved}, cache="disk")


def test_rows_are_told_apart_where_file_names_repeat(tmp_path):
    """Also where images are sorted by their shape, and the same image is in several rows."""
    images, boxes = [], []
    for row in range(9):
        folder = tmp_path / f"folder-{row}"
        folder.mkdir()
        width, height = [(64, 64), (96, 48), (32, 64)][row % 3]
        Image.new("RGB", (width, height), (row,) * 3).save(folder / "same.png")
        images.append(str(folder / "same.png"))
        boxes.append(BoundingBoxes2D([[1, 1, 9, 9]], [0], image_width=width, image_height=height))
    images[8] = images[2]
    boxes_schema = BoundingBoxes2D.schema(classes=["a", "b"])
    schema = {"image": tlc.schemas.ImageSchema(), "boxes": boxes_schema}
    table = tlc.Table.from_dict({"image": images, "boxes": boxes}, schema)
    settings = Settings(metrics_collection_function=number)
    model = YOLO(tiny(tmp_path))
    found = model.val(table=table, settings=settings, imgsz=64, batch=2, plots=False)
    (metrics,) = tlc.Run.from_url(found.run_url).metrics_tables
    assert metrics.get_column_as_pyarrow_array("example_id").to_pylist() == list(range(9))
    numbers = metrics.get_column_as_pyarrow_array("number").to_pylist()
    assert numbers == [0, 1, 2, 3, 4, 5, 6, 7, 2]


def test_columns_can_be_named(tmp_path):
    table = task_table(tmp_path / "data", "obb")
    pictures = table.add_column(
        "picture", [row["image"] for row in table.table_rows], tlc.schemas.ImageSchema()
    )
    bare = pictures.delete_column("image")
    named = {
        "image_column_name": "picture",
        "label_column_name": "obbs.instances_additional_data.label",
    }
    found = YOLO(tiny(tmp_path, "obb")).val(table=bare, imgsz=64, plots=False, **named)
    assert len(tlc.Run.from_url(found.run_url).metrics_tables[0]) == len(table)
    with pytest.raises(ColumnNotFoundError, match="image_column_name"):
        YOLO(tiny(tmp_path, "obb")).val(table=bare, settings=Settings(image_column_name="no"))


def test_weights_decide_what_is_trained_on(tmp_path):
    table = grey_images(tmp_path, 12).set_values(
        "weight", range(12), [0.0] * 6 + [1.0] * 5 + [50.0]
    )
    seen = []
    model = YOLO(tiny(tmp_path))
    model.add_callback("on_train_start", lambda trainer: noting(trainer, seen))
    settings = Settings(sampling_weights=True, exclude_zero_weight_training=True)
    dataset = train(
        model, tmp_path, tables={"train": table, "val": table}, settings=settings, epochs=4
    )
    assert len(dataset) == 6
    rows = [int(dataset.im_files[index][-6:-4]) for index in seen]
    assert len(rows) == 4 * 6
    assert min(rows) >= 6
    assert rows.count(11) > 12


def noting(trainer, seen):
    """Note the numbers that the sampler of the training draws."""
    sampler = trainer.train_loader.sampler
    draw = sampler.__class__.__iter__

    class Noting(sampler.__class__):
        def __iter__(self):
            for index in draw(self):
                seen.append(index)
                yield index

    sampler.__class__ = Noting


def test_a_table_without_weights_cannot_be_drawn_by_them(tmp_path):
    table = grey_images(tmp_path, 4, add_weight_column=False)
    options = both(table, settings=Settings(sampling_weights=True))
    with pytest.raises(TlcError, match="no column of weights"):
        train(YOLO(tiny(tmp_path)), tmp_path, **options)


def test_a_share_of_the_rows_can_be_trained_on_and_all_are_collected(tmp_path):
    for task in ("detect", "classify"):
        table = task_table(tmp_path / task, task)
        run = tlc.init(task)
        dataset = train(YOLO(tiny(tmp_path, task)), tmp_path, **both(table, fraction=0.4))
        assert len(dataset) == 2
        assert [len(metrics) for metrics in run.metrics_tables] == [5, 5]


def both(table, **options):
    return {"tables": {"train": table, "val": table}, **options}


REFUSED = {
    "exclude each other": lambda table, yaml: both(table, data=yaml),
    "no table for the split 'val'": lambda table, _: {"tables": {"train": table}},
    "different classes": lambda table, _: {
        "tables": {"train": table, "val": table.set_value_map(CLASSES, {0: "one", 1: "two"})}
    },
    "'val' is empty": lambda table, _: {
        "tables": {"train": table, "val": table.delete_rows(range(4))}
    },
    "NDJSON": lambda *_: {"data": "flowers.ndjson"},
    "has no split 'test'": lambda _, yaml: {"data": yaml, "split": "test"},
    "single_cls=True": lambda table, _: both(table, single_cls=True),
    "type 'list'": lambda _, yaml: {"data": [yaml]},
    "rect=True": lambda table, _: both(table, rect=True, settings=Settings(sampling_weights=True)),
    "trainer of your own": lambda table, _: both(table, trainer=object),
    "weights are zero": lambda table, _: both(
        table.set_values("weight", range(4), 0.0),
        settings=Settings(exclude_zero_weight_training=True),
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_trained_on_is_told(message, tmp_path, yaml):
    options = REFUSED[message](grey_images(tmp_path, 4), str(yaml))
    with pytest.raises(TlcError, match=message):
        train(YOLO(tiny(tmp_path)), tmp_path, **options)


def test_models_of_other_tasks_and_kinds_are_refused(tmp_path):
    table = grey_images(tmp_path, 4)
    with pytest.raises(OptionError, match="'semantic'"):
        YOLO(tiny(tmp_path), task="semantic").val(table=table)
    with pytest.raises(OptionError, match=r"'detect'.*'segment'"):
        YOLO(tiny(tmp_path)).val(table=table, task="segment")
    with pytest.raises(OptionError, match="kind YOLOWorld"):
        YOLO("yolov8s-world.yaml")


def test_a_model_of_more_classes_than_the_table_is_told(tmp_path):
    table = grey_images(tmp_path, 4)
    path = tmp_path / "more.yaml"
    path.write_text((tmp_path / tiny(tmp_path)).read_text().replace("nc: 2", "nc: 3"))
    with pytest.raises(OptionError, match=r"3 classes.*has 2"):
        YOLO(str(path)).val(table=table, imgsz=64, plots=False)


def test_a_class_that_there_is_not_is_told_with_its_row(tmp_path):
    table = task_table(tmp_path / "data", "detect")
    known = table.set_value_map(CLASSES, {IDS[0]: "a"})
    with pytest.raises(TlcError, match=f"row 1: the class {IDS[1]} is none of {IDS[0]}"):
        YOLO(tiny(tmp_path)).val(table=known)
