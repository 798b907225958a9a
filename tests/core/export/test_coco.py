"""COCO files: what is in them, and that pycocotools reads them."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO

import tlc
from tlc import schemas
from tlc.data_types import BoundingBoxes2D, Keypoints2D, SegmentationMasks, SegmentationPolygons
from tlc.errors import ColumnNotFoundError, ExportError, OptionError

CLASSES = {3: "cat", 7: "dog", 90: "toothbrush"}


@pytest.fixture
def images(tmp_path):
    """Files of images, which exist."""
    places = []
    for number, name in enumerate(["z.png", "sub folder/a.png", "sub folder/ü.png"]):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30 + number)).save(path)
        places.append(str(path))
    return places


def make(columns, found, **options):
    return tlc.Table.from_dict(
        columns, {"image": schemas.ImageSchema(), **found}, if_exists="rename", **options
    )


@pytest.fixture
def boxes(images):
    extras = {
        "annotation_id": schemas.Int64Schema(),
        "area": schemas.Float32Schema(),
        "iscrowd": schemas.BoolSchema(),
        "occluded": schemas.StringSchema(),
    }
    schema = BoundingBoxes2D.schema(
        classes=CLASSES, per_instance_schemas=extras, include_per_instance_confidence=True
    )
    cells = [
        BoundingBoxes2D(
            [[473.07, 395.93, 38.65, 28.67], [0.1, 0.2, 10, 20]],
            [90, 3],
            [0.9, 0.25],
            bounding_box_format="xywh",
            image_width=640,
            image_height=480,
            per_instance_extras={
                "annotation_id": [1768, 5],
                "area": [702.1057, 200.0],
                "iscrowd": [False, True],
                "occluded": ["no", "partly"],
            },
        ),
        None,
        BoundingBoxes2D.create_empty(image_width=40, image_height=32),
    ]
    columns = {"image": images, "image_id": [397133, 37777, 252219], "bbs": cells}
    columns |= {"camera": ["left", None, "right"], "weight": [1.0, 0.5, 0.0]}
    return make(columns, {"bbs": schema, "weight": schemas.SampleWeightSchema()})


def exported(table, place, *options, **named):
    return json.loads(table.export(place, *options, **named).read())


def test_images_with_all_that_is_known_of_them(boxes, tmp_path):
    told = exported(boxes, tmp_path / "out" / "a.json", per_image_extras=["camera"])
    names = [f"../images/{name}" for name in ("z.png", "sub folder/a.png", "sub folder/ü.png")]
    first = {"id": 397133, "file_name": names[0], "width": 640, "height": 480, "camera": "left"}
    second = {"id": 37777, "file_name": names[1], "width": 40, "height": 31}  # as in the file
    third = {"id": 252219, "file_name": names[2], "width": 40, "height": 32, "camera": "right"}
    assert told["images"] == [first, second, third]


def test_boxes_with_all_that_is_known_of_them(boxes, tmp_path):
    told = exported(boxes, tmp_path / "a.json")
    first = {"id": 1768, "image_id": 397133, "category_id": 90, "area": 702.1057, "iscrowd": 0}
    first |= {"bbox": [473.07, 395.93, 38.65, 28.67], "score": 0.9, "occluded": "no"}
    second = {"id": 5, "image_id": 397133, "category_id": 3, "area": 200.0, "iscrowd": 1}
    second |= {"bbox": [0.1, 0.2, 10, 20], "score": 0.25, "occluded": "partly"}
    assert told["annotations"] == [first, second]
    assert told["categories"] == [
        {"id": 3, "name": "cat"},
        {"id": 7, "name": "dog"},
        {"id": 90, "name": "toothbrush"},
    ]


def test_the_paths_of_images(boxes, images, tmp_path):
    def names(**options):
        told = exported(boxes, tmp_path / "a.json", "coco", **options)
        return [image["file_name"] for image in told["images"]]

    assert names()[0] == "images/z.png"
    assert names(image_folder=str(tmp_path / "images"))[1] == "sub folder/a.png"
    assert names(absolute_image_paths=True) == images
    with pytest.raises(OptionError, match="contradict each other"):
        names(absolute_image_paths=True, image_folder="x")
    alias = tlc.register_url_alias("COCO_IMAGES", str(tmp_path / "images"))
    assert alias is None
    aliased = ["<COCO_IMAGES>/" + os.path.relpath(path, tmp_path / "images") for path in images]
    cells = [BoundingBoxes2D.create_empty(image_width=4, image_height=3)] * 3
    table = make({"image": aliased, "bbs": cells}, {"bbs": BoundingBoxes2D.schema(classes=CLASSES)})
    told = exported(table, tmp_path / "b.json", absolute_image_paths=True)
    assert [image["file_name"] for image in told["images"]] == images


def test_rows_of_low_weight_are_left_out(boxes, tmp_path):
    told = exported(boxes, tmp_path / "a.json", weight_threshold=0.5)
    assert [image["id"] for image in told["images"]] == [397133, 37777]


def test_ids_that_are_missing_or_repeated_are_replaced(boxes, tmp_path):
    twice = tlc.Table.join_tables([boxes, boxes], "twice")
    told = exported(twice, tmp_path / "a.json")
    ids = [image["id"] for image in told["images"]]
    assert ids == [397133, 37777, 252219, 397134, 397135, 397136]
    assert [each["id"] for each in told["annotations"]] == [1768, 5, 1769, 1770]
    assert [each["image_id"] for each in told["annotations"]] == [397133] * 2 + [397134] * 2


def test_no_indentation(boxes, tmp_path):
    text = boxes.export(tmp_path / "a.json", indent=0).read()
    assert text.count("\n") == 1
    assert json.loads(text)["images"][0]["id"] == 397133


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of pycocotools
def test_masks_and_polygons(images, tmp_path):
    mask = np.zeros((30, 40, 2), np.uint8)
    mask[3:9, 5:10, 0] = 1
    parts = [[1.5, 1.25, 10, 2, 8, 9.1], [20, 20, 30, 20, 30, 29, 20, 29.5]]
    cells = [
        SegmentationMasks(image_width=40, image_height=30, masks=mask, labels=[3, 7]).to_row(),
        SegmentationPolygons(
            image_width=40, image_height=31, polygons=[parts, [0, 0, 4, 0, 4, 4]], labels=[7, 90]
        ).to_row(),
        SegmentationPolygons.create_empty(image_width=40, image_height=32).to_row(),
    ]
    schema = SegmentationPolygons.schema(classes=CLASSES)
    table = make({"image": images, "segmentations": cells}, {"segmentations": schema})
    place = table.export(tmp_path / "a.json")
    told = json.loads(place.read())["annotations"]
    assert [each["image_id"] for each in told] == [1, 1, 2, 2]
    assert told[0]["segmentation"]["size"] == [30, 40]
    assert (told[0]["bbox"], told[0]["area"]) == ([5, 3, 5, 6], 30)
    assert (told[1]["bbox"], told[1]["area"]) == ([0, 0, 0, 0], 0)
    assert told[2]["segmentation"] == parts
    assert told[2]["bbox"] == [1.5, 1.25, 28.5, 28.25]
    coco = COCO(str(place))
    read = [coco.annToMask(coco.anns[number]) for number in coco.getAnnIds()]
    assert np.array_equal(np.stack(read[:2], 2), mask)
    rles = [each for cell in cells for each in cell["rles"]]
    for number, counts in enumerate(rles):
        size = [30, 40] if number < 2 else [31, 40]
        own = {"size": size, "counts": counts}
        assert np.array_equal(read[number], coco_masks.decode(own))
        assert told[number]["area"] == coco_masks.area(own)


def test_keypoints(images, tmp_path):
    schema = Keypoints2D.schema(
        num_keypoints=3,
        classes=["person"],
        point_attributes=["nose", schemas.MapElement("left eye"), "right eye"],
        lines=[0, 1, 0, 2],
        include_per_point_visibility=True,
        per_instance_schemas={"area": schemas.Float32Schema()},
    )
    cell = Keypoints2D(
        [[[1.5, 2, 2], [3, 4, 1], [0, 0, 0]], [[5, 6, 2], [7, 8.1, 2], [9, 1, 2]]],
        [0, 0],
        bounding_boxes=[[1, 1, 3.5, 6], [np.nan] * 4],
        image_width=40,
        image_height=30,
        per_instance_extras={"area": [2.5, None]},
    )
    table = make({"image": images[:1], "keypoints_2d": [cell]}, {"keypoints_2d": schema})
    place = table.export(tmp_path / "a.json")
    told = json.loads(place.read())
    assert told["categories"] == [
        {
            "id": 0,
            "name": "person",
            "keypoints": ["nose", "left eye", "right eye"],
            "skeleton": [[1, 2], [1, 3]],
        }
    ]
    first, second = told["annotations"]
    assert first["keypoints"] == [1.5, 2, 2, 3, 4, 1, 0, 0, 0]
    assert (first["num_keypoints"], first["bbox"], first["area"]) == (2, [1, 1, 2.5, 5], 2.5)
    assert (second["num_keypoints"], second["bbox"]) == (3, [5, 1, 4, 7.1])
    assert len(COCO(str(place)).getAnnIds(catIds=[0])) == 2


def test_boxes_come_first_and_the_column_can_be_named(images, tmp_path):
    box = BoundingBoxes2D([[1, 1, 2, 2]], [3], image_width=40, image_height=30)
    mask = SegmentationPolygons(
        image_width=40, image_height=30, polygons=[[0, 0, 4, 0, 4, 4]], labels=[7]
    )
    found = {
        "segmentations": SegmentationPolygons.schema(classes=CLASSES),
        "more": BoundingBoxes2D.schema(classes=CLASSES),
        "bbs": BoundingBoxes2D.schema(classes=CLASSES),
    }
    columns = {"image": images[:1], "segmentations": [mask], "more": [None], "bbs": [box]}
    table = make(columns, found)
    assert "segmentation" not in exported(table, tmp_path / "a.json")["annotations"][0]
    told = exported(table, tmp_path / "a.json", annotation_column_name="segmentations")
    assert told["annotations"][0]["category_id"] == 7
    with pytest.raises(ColumnNotFoundError, match="'masks'"):
        table.export(tmp_path / "b.json", "coco", annotation_column_name="masks")
    with pytest.raises(ExportError, match=r"Column 'image' .* has no annotations"):
        table.export(tmp_path / "b.json", "coco", annotation_column_name="image")
    with pytest.raises(ColumnNotFoundError, match="'photo'"):
        table.export(tmp_path / "b.json", "coco", image_column_name="photo")
    assert not (tmp_path / "b.json").exists()


def test_without_annotations_it_is_an_error_and_json_the_format(images, tmp_path):
    table = make({"image": images}, {})
    assert len(exported(table, tmp_path / "a.json")) == 3
    with pytest.raises(ExportError, match="no column of annotations"):
        table.export(tmp_path / "a.json", "coco")


def test_what_coco_cannot_hold_is_an_error_and_leaves_the_file_as_it_was(images, tmp_path):
    (tmp_path / "a.json").write_text("before")
    cell = BoundingBoxes2D([[1, 1, 2, 2]], image_width=40, image_height=30)
    table = make({"image": images[:1], "bbs": [cell]}, {"bbs": BoundingBoxes2D.schema()})
    with pytest.raises(ExportError, match="no label"):
        table.export(tmp_path / "a.json")
    with pytest.raises(ExportError, match=r"Row 0 .* has no image"):
        make({"image": [None], "bbs": [cell]}, {"bbs": BoundingBoxes2D.schema()}).export(
            tmp_path / "a.json"
        )
    schema = BoundingBoxes2D.schema(per_instance_schemas={"bbox": schemas.Int32Schema()})
    with pytest.raises(ExportError, match=r"'bbox' of .* means something else"):
        make({"image": [], "bbs": []}, {"bbs": schema}).export(tmp_path / "a.json", "coco")
    assert (tmp_path / "a.json").read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["a.json", "images", "tlc"]
