"""What constructors take and refuse, and what comes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tlc
from tlc.data_types import (
    BoundingBoxes2D,
    BoundingBoxes3D,
    Geometry2D,
    Geometry3D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    OrientedBoundingBoxes3D,
    SegmentationMasks,
    SegmentationPolygons,
    SemanticSegmentation,
)
from tlc.errors import CellError, SchemaError
from tlc.schemas import Float32Schema, Int32Schema, SemanticSegmentationRleSchema

NAN, INFINITE = float("nan"), float("inf")
SIZE = {"image_width": 200, "image_height": 100}


@pytest.mark.parametrize(
    ("form", "box"),
    [("xyxy", [10, 20, 50, 60]), ("xywh", [10, 20, 40, 40]), ("cxywh", [30, 40, 40, 40])],
)
@pytest.mark.parametrize("normalized", [False, True])
def test_boxes_of_every_format_become_corners_in_pixels(form, box, normalized):
    given = np.array([box], np.float64) / ([200, 100, 200, 100] if normalized else 1)
    boxes = BoundingBoxes2D(given, bounding_box_format=form, normalized=normalized, **SIZE)
    np.testing.assert_allclose(boxes.bounding_boxes, [[10, 20, 50, 60]], rtol=1e-6)
    np.testing.assert_allclose(boxes.bounding_boxes_xywh, [[10, 20, 40, 40]], rtol=1e-6)
    assert boxes.bounding_boxes.dtype == np.float32
    assert (boxes.image_width, boxes.y_max) == (200, 100.0)


def test_tensors_and_lists_are_taken():
    boxes = BoundingBoxes2D(
        torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([3]), [np.float32(0.5)], **SIZE
    )
    assert boxes.labels.tolist() == [3]
    assert boxes.to_row()["instances_additional_data"] == {"label": [3], "confidence": [0.5]}


def test_without_instances_every_part_is_empty():
    empty = BoundingBoxes2D([], [], image_width=1, image_height=1)
    assert empty.to_row()["instances_additional_data"] == {"label": []}
    assert empty.bounding_boxes.shape == (0, 4)
    masks = SegmentationMasks(masks=np.zeros((100, 200, 0)), labels=[], **SIZE)
    assert masks.num_instances == 0
    assert masks.to_row()["rles"] == []
    no_pixels = SegmentationMasks(image_width=0, image_height=0, masks=np.zeros((0, 0, 0)))
    assert no_pixels.to_row()["image_height"] == 0


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: BoundingBoxes2D([[0, 0, NAN, 1]], **SIZE), id="NaN"),
        pytest.param(lambda: BoundingBoxes2D([[0, 0, INFINITE, 1]], **SIZE), id="infinite"),
        pytest.param(lambda: BoundingBoxes2D([[0, 0, 1e39, 1]], **SIZE), id="over 32 bits"),
        pytest.param(lambda: BoundingBoxes2D([[5, 0, 1, 1]], **SIZE), id="ends before it starts"),
        pytest.param(lambda: BoundingBoxes2D([[0, 0, 1]], **SIZE), id="three numbers"),
        pytest.param(lambda: BoundingBoxes2D([["a", 0, 1, 1]], **SIZE), id="text"),
        pytest.param(lambda: BoundingBoxes2D([[0, 0, 1, 1]], [1, 2], **SIZE), id="two labels"),
        pytest.param(lambda: BoundingBoxes2D([[0, 0, 1, 1]], ["cat"], **SIZE), id="a class name"),
        pytest.param(lambda: BoundingBoxes2D([[0, 0, 1, 1]], [1.5], **SIZE), id="half a class"),
        pytest.param(lambda: BoundingBoxes2D([[0, 0, 1, 1]], [2**31], **SIZE), id="large class"),
        pytest.param(
            lambda: BoundingBoxes2D([[0, 0, 1, 1]], confidences=[NAN], **SIZE), id="NaN confidence"
        ),
        pytest.param(
            lambda: BoundingBoxes2D([[0, 0, 1, 1]], confidences=np.array([NAN], np.float32)),
            id="NaN confidence, right type",
        ),
        pytest.param(
            lambda: BoundingBoxes2D([[0, 0, 1, 1]], per_instance_extras={"a": [1, 2]}),
            id="two extras",
        ),
        pytest.param(
            lambda: BoundingBoxes2D([[0, 0, 1, 1]], per_instance_extras={"a": "bc"}),
            id="one text for all",
        ),
        pytest.param(lambda: BoundingBoxes2D([[0, 0, 1, 1]], normalized=True), id="no size"),
        pytest.param(
            lambda: BoundingBoxes2D([], image_width=3, x_max=4, image_height=1), id="two widths"
        ),
        pytest.param(
            lambda: BoundingBoxes2D([[0, 0, 1, 1]], bounding_box_format="yxyx"), id="format"
        ),
        pytest.param(lambda: BoundingBoxes3D([[0, 0, 5, 1, 1, 1]]), id="3D ends before"),
        pytest.param(lambda: OrientedBoundingBoxes2D([[0, 0, 1, 1, NAN]]), id="NaN angle"),
        pytest.param(lambda: OrientedBoundingBoxes2D([[0, 0, -1, 1, 0]]), id="negative size"),
        pytest.param(
            lambda: OrientedBoundingBoxes3D([[NAN, 0, 0, 1, 1, 1, 0, 0, 0]]), id="NaN centre"
        ),
        pytest.param(lambda: OrientedBoundingBoxes3D([], x_min=NAN), id="NaN bound"),
        pytest.param(lambda: Keypoints2D([[[0, NAN]]]), id="NaN point"),
        pytest.param(lambda: Keypoints2D([[[0, 1, 3]]]), id="visibility 3"),
        pytest.param(
            lambda: Keypoints2D([[[0, 1, 2]]], keypoint_visibilities=[[2]]), id="visible twice"
        ),
        pytest.param(
            lambda: Keypoints2D([[[0, 1, 2]]], keypoint_confidences=[[0.5]]), id="both of a point"
        ),
        pytest.param(
            lambda: SegmentationMasks(masks=np.zeros((200, 100, 1)), **SIZE), id="turned masks"
        ),
        pytest.param(lambda: SegmentationMasks(masks=np.zeros((100, 200)), **SIZE), id="one mask"),
        pytest.param(
            lambda: SegmentationMasks(masks=np.full((100, 200, 1), 0.5), **SIZE), id="soft masks"
        ),
        pytest.param(
            lambda: SegmentationMasks(masks=np.zeros((100, 200, 1)), labels=[], **SIZE),
            id="no label",
        ),
        pytest.param(
            lambda: SegmentationPolygons(polygons=[[0, 0, 1, NAN, 1, 1]], **SIZE), id="NaN corner"
        ),
        pytest.param(
            lambda: SegmentationPolygons(polygons=[[0, 0, 1, 1, 1]], **SIZE), id="a y missing"
        ),
        pytest.param(
            lambda: SegmentationPolygons(polygons=[], image_width=1.5, image_height=2),
            id="half a pixel",
        ),
        pytest.param(lambda: SemanticSegmentation(np.zeros((2, 2, 3))), id="three dimensions"),
        pytest.param(lambda: SemanticSegmentation(np.full((2, 2), 0.5)), id="half classes"),
        pytest.param(lambda: Geometry2D(vertices=[[0, 0, 1]]), id="half a vertex"),
        pytest.param(lambda: Geometry2D(vertices=[[0, 0]], lines=[[0, 1]]), id="no such vertex"),
        pytest.param(
            lambda: Geometry3D(vertices=[[0, 0, 0]], per_vertex_extras=[{"a": [1, 2]}]),
            id="two extras of a vertex",
        ),
    ],
)
def test_what_is_no_annotation_is_refused(make):
    with pytest.raises(SchemaError):
        make()


def test_an_error_names_the_instance():
    with pytest.raises(SchemaError, match="bounding boxes of instance 1 hold nan"):
        BoundingBoxes2D([[0, 0, 1, 1], [0, 0, NAN, 1]], **SIZE)


def test_only_angles_of_turned_boxes_in_space_may_be_missing(rewritten):
    boxes = OrientedBoundingBoxes3D([[0, 0, 0, 1, 2, 3, 0.5, NAN, NAN]], [2])
    assert np.isnan(rewritten({"obbs": [boxes]})[0]["obbs"].obbs).tolist() == [
        [False] * 7 + [True] * 2
    ]


def test_corners_of_turned_boxes_go_around():
    boxes = OrientedBoundingBoxes2D([[10, 20, 4, 2, 0], [10, 20, 4, 2, np.pi / 2]])
    np.testing.assert_allclose(boxes.corners[0], [[8, 19], [12, 19], [12, 21], [8, 21]])
    # A quarter turn takes the upper left corner to the upper right: clockwise, as y goes down.
    np.testing.assert_allclose(boxes.corners[1][0], [11, 18], atol=1e-5)


def test_masks_with_the_instance_first_are_turned_once():
    masks = np.zeros((2, 100, 200), bool)
    masks[1, 5, 7] = True
    made = SegmentationMasks(masks=masks, mask_format="nhw", **SIZE)
    assert made.masks.shape == (100, 200, 2)
    assert made.masks[5, 7].tolist() == [0, 1]


def test_extras_of_segmentations_hold_labels_and_confidences():
    masks = np.zeros((100, 200, 2), np.uint8)
    made = SegmentationMasks(masks=masks, labels=[1, 2], confidences=[0.25, 0.5], **SIZE)
    assert made.per_instance_extras["label"].tolist() == [1, 2]
    assert made.confidences.dtype == np.float32
    made.labels = [3, 4]
    assert made.to_row()["instance_properties"] == {"label": [3, 4], "confidence": [0.25, 0.5]}


def test_polygons_keep_their_corners_and_a_degenerate_one_is_empty(rewritten):
    polygons = [
        [1.25, 2.5, 30, 2.5, 30, 40],
        [[1, 1, 5, 1, 5, 5], [9, 9, 12, 9, 12, 12]],
        [1, 1, 2, 2],
    ]
    cell = SegmentationPolygons(polygons=polygons, labels=[0, 1, 2], **SIZE)
    read = rewritten({"p": [cell]})[0]["p"]
    assert read.parts_of_instances == [[polygons[0]], polygons[1], []]
    assert read.polygons[0] == polygons[0]
    assert read.polygons[2] == []


def test_a_changed_polygon_is_drawn_anew_and_the_others_stay(rewritten):
    masks = np.zeros((100, 200, 2), np.uint8)
    masks[10:20, 10:20, 0] = masks[40:50, 40:50, 1] = 1
    schema = SegmentationPolygons.schema()
    read = rewritten({"p": [SegmentationMasks(masks=masks, **SIZE)]}, {"p": schema})[0]["p"]
    before = read.rles
    read.polygons[1] = [60, 60, 70, 60, 70, 70, 60, 70]
    row = read.to_row()
    assert row["rles"][0] == before[0]["counts"]
    assert row["polygons"] == [[], [read.polygons[1]]]
    assert row["rles"] == [each["counts"] for each in SegmentationPolygons.from_row(row).rles]
    assert row["rles"][1] != before[1]["counts"]


def test_a_label_map_knows_background_and_void(rewritten):
    mask = np.array([[0, 1, 255], [0, 0, 2]], np.uint8)
    schema = SemanticSegmentationRleSchema({0: "none", 1: "a", 2: "b"}, background=0, void=255)
    table = rewritten(
        {"m": [mask, SemanticSegmentation(mask), torch.tensor(mask), None]}, {"m": schema}
    )
    for i in range(3):
        np.testing.assert_array_equal(table[i]["m"].mask, mask)
        assert table[i]["m"].present_class_ids.tolist() == [1, 2, 255]
    assert table.table_rows[0]["m"]["instance_properties"]["label"] == [1, 2, 255]
    assert table[3]["m"] is None


def test_what_was_read_may_be_changed_and_the_table_stays(rewritten):
    table = rewritten({"b": [BoundingBoxes2D([[0, 0, 1, 1]], [5], **SIZE)]})
    sample = table[0]["b"]
    sample.labels = [7]
    sample.bounding_boxes[0, 3] = 9
    assert sample.per_instance_extras == {}  # decodes the rest
    assert sample.to_row()["instances_additional_data"]["label"] == [7]
    assert sample.to_row()["instances"] == [[0, 0, 1, 9]]
    assert table[0]["b"].to_row()["instances"] == [[0, 0, 1, 1]]


def test_instances_can_be_added_to_what_was_read(rewritten):
    table = rewritten({"b": [BoundingBoxes2D([[0, 0, 1, 1]], [5], **SIZE)]})
    sample = table[0]["b"]
    sample.add_instance(bounding_box=[1, 2, 3, 4], label=6)
    assert sample.bounding_boxes.tolist() == [[0, 0, 1, 1], [1, 2, 3, 4]]
    assert sample.labels.tolist() == [5, 6]


def test_what_was_spoilt_is_not_written(rewritten):
    boxes = BoundingBoxes2D([[0, 0, 1, 1]], [5], **SIZE)
    boxes.bounding_boxes[0, 0] = NAN
    with pytest.raises(CellError, match=r"Row 1, column 'b'.*nan"):
        rewritten({"b": [None, boxes]}, {"b": BoundingBoxes2D.schema()})


@pytest.mark.parametrize(
    "row",
    [
        {"instances": [[0, 0, 1, 1]], "instances_additional_data": {"label": [1, 2]}},
        {"instances": [[0, 0, 1, NAN]], "instances_additional_data": {"label": [1]}},
        {"instances": [[0, 0, 1]], "instances_additional_data": {"label": [1]}},
        {"instances_additional_data": {"label": []}},
        {"instances": [[0, 0, 1, 1]], "instances_additional_data": {"other": [1]}},
        [[0, 0, 1, 1]],
    ],
)
def test_rows_that_are_no_boxes_are_refused(rewritten, row):
    with pytest.raises(CellError, match="Row 0, column 'b'"):
        rewritten({"b": [row]}, {"b": BoundingBoxes2D.schema()})


def test_dictionaries_of_masks_polygons_and_texts_are_taken(rewritten):
    masks = np.zeros((100, 200, 1), np.uint8)
    masks[10:20, 10:20] = 1
    size = {"image_height": 100, "image_width": 200, "instance_properties": {"label": [1]}}
    square = [10, 10, 20, 10, 20, 20, 10, 20]
    counts = SegmentationMasks(masks=masks, **SIZE).rles[0]
    cells = [
        {**size, "masks": masks},
        {**size, "polygons": [square]},
        {
            **size,
            "polygons": [[v / s for v, s in zip(square, [200, 100] * 4, strict=True)]],
            "relative": True,
        },
        {**size, "rles": [counts["counts"].decode()]},
        {**size, "rles": [counts]},
        {**size, "rles": [counts["counts"]]},
    ]
    for kind in (SegmentationMasks, SegmentationPolygons):
        table = rewritten({"s": cells}, {"s": kind.schema(classes=["a", "b"])})
        for sample, row in zip(table, table.table_rows, strict=True):
            assert row["s"]["rles"] == [counts["counts"]]
            assert sample["s"].labels.tolist() == [1]
    assert table[1]["s"].polygons == [square]
    assert sorted(table[0]["s"].polygons[0]) == sorted(square)  # the outline of the mask


def test_a_column_needs_no_schema(rewritten):
    first = BoundingBoxes2D([[0, 0, 1, 1]], [1], per_instance_extras={"size": np.float32([2])})
    second = BoundingBoxes2D([], per_instance_extras={"name": []})
    table = rewritten({"b": [None, first, second]})
    schema = table.rows_schema.values["b"]
    assert schema.sample_type == "bounding_boxes_2d"
    more = schema.values["instances_additional_data"].values
    assert more["size"].value.type == "float32"
    assert list(more) == ["label", "size", "name"]
    assert table[1]["b"] == first


def test_classes_and_extras_are_in_the_schema(rewritten):
    schema = BoundingBoxes2D.schema(
        classes={3: "cat", -1: "dog"},
        per_instance_schemas={"size": Float32Schema(), "pair": Int32Schema(shape=2)},
        include_per_instance_confidence=True,
        display_name="boxes",
    )
    boxes = BoundingBoxes2D(
        [[0, 0, 1, 1]], [3], [0.5], per_instance_extras={"size": [2.5], "pair": [[1, 2]]}
    )
    table = rewritten({"b": [boxes]}, {"b": schema})
    assert table[0]["b"] == boxes
    names = table.get_simple_value_map("b.instances_additional_data.label")
    assert names == {3: "cat", -1: "dog"}
    assert table.rows_schema.values["b"].display_name == "boxes"
    with pytest.raises(SchemaError):
        Keypoints2D.schema(num_keypoints=1, per_instance_schemas={"bounding_box": Int32Schema()})


def test_lists_of_annotations_are_cells_too(rewritten):
    boxes = [BoundingBoxes2D([[0, 0, 1, i]], [i]) for i in range(3)]
    table = rewritten({"b": [boxes, [], boxes[:1]]})
    assert [sample["b"] for sample in table] == [boxes, [], boxes[:1]]


def test_tlc_alone_does_not_load_annotations():
    import subprocess
    import sys

    code = "import sys, tlc.table; print([n for n in sys.modules if 'tlc.data_types' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert tlc.sample_types.BoundingBoxes2DSampleType.name == "bounding_boxes_2d"
