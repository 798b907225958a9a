"""Tables as datasets of Detectron2."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.integrations.detectron2_models import (
    SIZE,
    coco_file,
    config,
    detectron2,
    images,
    number,
    table_of_boxes,
)

import tlc
from tlc.data_types import BoundingBoxes2D, Keypoints2D, SegmentationMasks
from tlc.errors import OptionError, SchemaError
from tlc.integration.detectron2 import register_coco_instances, register_table

DatasetCatalog, MetadataCatalog = detectron2.data.DatasetCatalog, detectron2.data.MetadataCatalog
BoxMode = detectron2.structures.BoxMode
SKELETON = tlc.helpers.KeypointHelper


@pytest.fixture(autouse=True)
def forgotten():
    """Leave the catalogs as they were."""
    before = dict(DatasetCatalog.data)
    yield
    for name in set(DatasetCatalog.data) - set(before):
        DatasetCatalog.remove(name)
        MetadataCatalog.pop(name, None)


@pytest.fixture
def coco(tmp_path):
    return coco_file(tmp_path, 4, crowd=[2])


def xyxy(annotation):
    mode = annotation["bbox_mode"]
    return BoxMode.convert(list(map(float, annotation["bbox"])), mode, BoxMode.XYXY_ABS)


@pytest.mark.parametrize("task", ["detect", "segment", "pose"])
def test_records_are_those_that_detectron2_reads_itself(coco, task):
    file, folder = coco
    register_coco_instances("rows", {}, file, folder, task=task)
    own = detectron2.data.datasets.load_coco_json(str(file), str(folder), "own")
    found = DatasetCatalog.get("rows")
    assert len(found) == len(own)
    for row, (record, wanted) in enumerate(zip(found, own, strict=True)):
        assert record["example_id"] == row
        for name in ("file_name", "height", "width", "image_id"):
            assert record[name] == wanted[name]
        (annotation,), (told,) = record["annotations"], wanted["annotations"]
        assert xyxy(annotation) == xyxy(told)
        for name in ("category_id", "iscrowd"):
            assert annotation[name] == told[name]
        if task == "segment":
            assert annotation["segmentation"] == told["segmentation"]
        if task == "pose":
            assert annotation["keypoints"] == told["keypoints"]
    names = ("thing_classes", "thing_dataset_id_to_contiguous_id")
    metadata, told = MetadataCatalog.get("rows"), MetadataCatalog.get("own")
    assert [metadata.get(name) for name in names] == [told.get(name) for name in names]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pycocotools, about NumPy
def test_masks_are_handed_out_as_bitmasks_where_the_config_has_these(coco):
    register_coco_instances("rows", {}, *coco, task="segment", mask_format="bitmask")
    (annotation,) = DatasetCatalog.get("rows")[0]["annotations"]
    (polygons,) = detectron2.data.datasets.load_coco_json(*map(str, coco), "own")[0]["annotations"]
    mask = detectron2.data.detection_utils.mask_util.decode(annotation["segmentation"])
    wanted = detectron2.structures.masks.polygons_to_bitmask(polygons["segmentation"], SIZE, SIZE)
    assert np.array_equal(mask, wanted)
    assert annotation["bbox"] == [4, 4, 24, 28]


def test_crowds_can_be_left_out(coco):
    register_coco_instances("rows", {}, *coco, keep_crowd_annotations=False)
    assert [len(each["annotations"]) for each in DatasetCatalog.get("rows")] == [1, 1, 0, 1]


def test_the_table_is_made_once_and_its_newest_revision_is_used(coco):
    register_coco_instances("rows", {}, *coco, project_name="d2")
    first = tlc.Table.from_url(MetadataCatalog.get("rows").latest_tlc_table_url)
    assert (first.project_name, first.dataset_name) == ("d2", "rows")
    assert MetadataCatalog.get("rows").json_file == str(coco[0])
    edited = first.delete_rows([0])
    register_coco_instances("rows", {"color": "red"}, *coco, project_name="d2")
    metadata = MetadataCatalog.get("rows")
    assert tlc.Table.from_url(metadata.latest_tlc_table_url) == edited
    assert metadata.color == "red"
    assert metadata.get("json_file") is None  # it says what was before the edit
    assert [each["image_id"] for each in DatasetCatalog.get("rows")] == [101, 102, 103]
    register_coco_instances("rows", {}, *coco, str(first.url), "d2")
    assert len(DatasetCatalog.get("rows")) == 4


def test_places_are_given_as_text_as_paths_and_as_urls(coco):
    file, folder = coco
    for kind in (str, Path, tlc.Url):
        register_coco_instances("rows", {}, kind(file), kind(folder))
        assert len(DatasetCatalog.get("rows")) == 4


def test_a_name_of_something_else_is_not_replaced(coco):
    DatasetCatalog.register("theirs", list)
    with pytest.raises(OptionError, match="registered already"):
        register_coco_instances("theirs", {}, *coco)


def test_what_is_registered_can_be_pickled(coco):
    register_coco_instances("rows", {}, *coco)
    found = pickle.loads(pickle.dumps(DatasetCatalog.data["rows"]))
    assert found() == DatasetCatalog.get("rows")


def test_images_by_aliased_urls_are_handed_out_as_paths(tmp_path):
    (path,) = images(tmp_path, 1)
    tlc.register_url_alias("IMAGES", str(tmp_path))
    schema = {"picture": tlc.schemas.ImageSchema(sample_type="url")}
    table = tlc.Table.from_dict({"picture": ["<IMAGES>/00.png"]}, schema)
    register_table("rows", table)
    assert DatasetCatalog.get("rows") == [
        {"file_name": path, "width": SIZE, "height": SIZE, "image_id": 0, "example_id": 0}
    ]
    assert tlc.Url(path).to_absolute().to_str() == path


def test_images_elsewhere_are_read_as_tlc_reads_them(tmp_path):
    (path,) = images(tmp_path, 1)
    far = tlc.Url("memory://images/far.png")
    far.write_bytes(Path(path).read_bytes())
    schema = {"image": tlc.schemas.ImageSchema(sample_type="url")}
    register_table("rows", tlc.Table.from_dict({"image": [far.to_str()]}, schema))
    (record,) = DatasetCatalog.get("rows")
    assert record["file_name"] == far.to_str()
    read = detectron2.data.detection_utils.read_image(record["file_name"], "BGR")
    assert read.shape == (SIZE, SIZE, 3)


def test_images_that_were_written_with_the_table_are_found(tmp_path):
    (path,) = images(tmp_path, 1)
    with Image.open(path) as image:
        table = tlc.Table.from_dict({"image": [image]})
    register_table("rows", table)
    (record,) = DatasetCatalog.get("rows")
    assert (record["width"], record["height"]) == (SIZE, SIZE)
    assert Path(record["file_name"]).is_file()


def test_rows_that_the_config_leaves_out_leave_the_others_their_ids(tmp_path):
    table = table_of_boxes(tmp_path, 5)
    empty = BoundingBoxes2D.create_empty(image_width=SIZE, image_height=SIZE)
    edited = table.set_values("bbs", [1, 2], [empty, empty])
    register_table("rows", edited.url)
    loader = detectron2.data.build_detection_train_loader(config(tmp_path))
    seen = {}
    for _, batch in zip(range(9), loader, strict=False):
        seen |= dict(zip(number(batch)["number"], (e["example_id"] for e in batch), strict=True))
    assert seen == {0: 0, 3: 3, 4: 4}


def poses(names, **skeleton):
    """Return a table of one image with one pose."""
    pose = Keypoints2D([[[2, 4], [10, 20]]], [0], keypoint_visibilities=[[2, 0]])
    schema = Keypoints2D.schema(
        num_keypoints=2,
        classes=["person"],
        point_attributes=names,
        include_per_point_visibility=True,
        **skeleton,
    )
    columns = {"poses": [pose]}
    return columns, {"poses": schema}


def test_what_the_table_knows_of_keypoints_is_in_the_metadata(tmp_path):
    columns, schemas = poses(
        ["left", "right"], flip_indices=[1, 0], oks_sigmas=[0.1, 0.2], lines=[0, 1]
    )
    columns["image"] = images(tmp_path, 1)
    table = tlc.Table.from_dict(columns, schemas)
    register_table("rows", table)
    metadata = MetadataCatalog.get("rows")
    assert metadata.keypoint_names == ["left", "right"]
    assert metadata.keypoint_flip_map == [("left", "right")]
    assert metadata.keypoint_oks_sigmas == pytest.approx([0.1, 0.2])
    assert [rule[:2] for rule in metadata.keypoint_connection_rules] == [("left", "right")]
    flips = detectron2.data.detection_utils.create_keypoint_hflip_indices("rows")
    assert flips == [1, 0]
    (annotation,) = DatasetCatalog.get("rows")[0]["annotations"]
    assert annotation["keypoints"] == [2.5, 4.5, 2, 10.5, 20.5, 0]
    assert annotation["bbox"] == [2.5, 4.5, 2.5, 4.5]  # around what is labelled


def test_people_are_mirrored_as_in_coco_where_the_file_does_not_say_how(coco):
    text = (
        coco[0]
        .read_text()
        .replace('["left", "right", "top"]', str(SKELETON.COCO_KEYPOINT_NAMES).replace("'", '"'))
    )
    points = str([each for _ in range(17) for each in (8, 8, 2)])
    coco[0].write_text(text.replace("[8, 8, 2, 20, 8, 2, 14, 24, 1]", points))
    register_coco_instances("rows", {}, *coco, task="pose")
    flips = detectron2.data.detection_utils.create_keypoint_hflip_indices("rows")
    assert flips == SKELETON.COCO_FLIP_INDICES


def test_masks_become_polygons_and_those_without_an_area_are_left_out(tmp_path, caplog):
    masks = np.zeros((SIZE, SIZE, 2), np.uint8)
    masks[4:8, 2:6, 0] = 1
    columns = {
        "image": images(tmp_path, 1),
        "masks": [SegmentationMasks(image_width=SIZE, image_height=SIZE, masks=masks)],
    }
    table = tlc.Table.from_dict(columns, {"masks": SegmentationMasks.schema(classes=["thing"])})
    register_table("rows", table)
    with caplog.at_level("WARNING"):
        (annotation,) = DatasetCatalog.get("rows")[0]["annotations"]
    assert "1 instances" in caplog.text
    assert annotation["bbox"] == [2, 4, 6, 8]
    assert MetadataCatalog.get("rows").thing_classes == ["thing"]


def test_one_of_several_columns_can_be_named(tmp_path):
    table = table_of_boxes(tmp_path, 2)
    register_table("rows", table, column="bbs", image_column="image", mask_format="bitmask")
    assert [len(each["annotations"]) for each in DatasetCatalog.get("rows")] == [1, 1]
    with pytest.raises(SchemaError, match="no annotations"):
        register_table("rows", table, column="image")


def test_classes_without_names_are_told(tmp_path):
    boxes = [BoundingBoxes2D([[1, 2, 3, 4]], [5], image_width=SIZE, image_height=SIZE)]
    columns = {"image": images(tmp_path, 1), "boxes": boxes}
    with pytest.raises(SchemaError, match="no names"):
        register_table("rows", tlc.Table.from_dict(columns))
    schemas = {"boxes": BoundingBoxes2D.schema(classes=["cat"])}
    register_table("rows", tlc.Table.from_dict(columns, schemas, table_name="named"))
    with pytest.raises(SchemaError, match="row 0 has the class 5"):
        DatasetCatalog.get("rows")


def test_a_table_without_images_is_told():
    with pytest.raises(SchemaError, match="no column of images"):
        register_table("rows", tlc.Table.from_dict({"x": [1]}))


def test_a_format_of_masks_that_is_none_is_told(coco):
    with pytest.raises(OptionError, match="'polygon' or 'bitmask'"):
        register_coco_instances("rows", {}, *coco, mask_format="rle")
