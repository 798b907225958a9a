"""`Table.show`: what a person sees of a row."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

import tlc
from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationMasks,
    SegmentationPolygons,
)
from tlc.drawing import contact_sheet, draw_row
from tlc.drawing.palette import color_of
from tlc.errors import ColumnError, ImageReadError
from tlc.schemas import (
    CategoricalLabelSchema,
    ImageSchema,
    MapElement,
    Schema,
    SemanticSegmentationRleSchema,
)

WIDTH, HEIGHT = 320, 240
GREY = (128, 128, 128)
RED = (255, 0, 0)
CLASSES = {0: MapElement("ball", display_color="#ff0000"), 1: MapElement("brick")}


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.new("RGB", (WIDTH, HEIGHT), GREY).save(path)
    return path


def shown(photo, annotation=None, schema=None):
    """Return the picture of a row as an array, and where it differs from the photo."""
    columns = {"image": [str(photo)]}
    schemas = {"image": ImageSchema()}
    if annotation is not None:
        columns["annotation"], schemas["annotation"] = [annotation], schema
    picture = np.asarray(tlc.Table.from_dict(columns, schemas).show(0)).astype(int)
    return picture, (picture != GREY).any(axis=2)


def extent(drawn):
    """Return the first and last column and row in which something is drawn."""
    rows, columns = np.nonzero(drawn)
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_boxes_are_drawn_where_they_are_in_the_colour_of_their_class(photo):
    boxes = BoundingBoxes2D.create_empty(image_width=WIDTH, image_height=HEIGHT)
    boxes.add_instance(bounding_box=[40, 60, 140, 160], label=0)
    picture, drawn = shown(photo, boxes, BoundingBoxes2D.schema(classes=CLASSES))
    for x, y in ((40, 110), (140, 110), (90, 160)):
        assert tuple(picture[y, x]) == RED
    assert not drawn[65:155, 45:135].any()
    left, _, right, bottom = extent(drawn)
    assert (left, right, bottom) == pytest.approx((40, 140, 160), abs=2)


def test_oriented_boxes_are_turned_clockwise_as_the_image_shows_them(photo):
    boxes = OrientedBoundingBoxes2D.create_empty(image_width=WIDTH, image_height=HEIGHT)
    boxes.add_instance(obb=[160, 120, 100, 20, np.pi / 2], label=None)
    _, drawn = shown(photo, boxes, OrientedBoundingBoxes2D.schema())
    assert extent(drawn) == pytest.approx((150, 70, 170, 170), abs=2)


@pytest.mark.parametrize("kind", [SegmentationMasks, SegmentationPolygons])
def test_masks_let_the_image_show_through(photo, kind):
    if kind is SegmentationMasks:
        mask = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
        mask[100:200, 50:150] = 1
        given = kind(image_width=WIDTH, image_height=HEIGHT, masks=mask, labels=[0])
    else:
        ring = [50, 100, 150, 100, 150, 200, 50, 200]
        given = kind(image_width=WIDTH, image_height=HEIGHT, polygons=[ring], labels=[0])
    picture, drawn = shown(photo, given, kind.schema(classes=CLASSES))
    red, green, _ = picture[150, 100]
    assert 128 < red < 255
    assert 0 < green < 128
    assert drawn[105:195, 55:145].all()
    assert not drawn[205:].any()


def test_points_that_nobody_labelled_are_not_drawn(photo):
    people = Keypoints2D.create_empty(image_width=WIDTH, image_height=HEIGHT)
    people.add_instance(keypoints=[[50, 50, 2], [250, 50, 1], [160, 200, 0]], label=0)
    schema = Keypoints2D.schema(
        num_keypoints=3, classes=CLASSES, lines=[0, 1, 1, 2], include_per_point_visibility=True
    )
    picture, drawn = shown(photo, people, schema)
    assert tuple(picture[50, 50]) == tuple(picture[50, 150]) == RED
    assert not drawn[100:].any()


def test_instances_may_lack_a_box_and_a_confidence(photo):
    people = Keypoints2D(
        [[[50, 50]], [[160, 200]]],
        labels=[0, 0],
        confidences=[None, 0.5],
        bounding_boxes=[None, [140, 180, 180, 220]],
        image_width=WIDTH,
        image_height=HEIGHT,
    )
    schema = Keypoints2D.schema(
        num_keypoints=1, classes=CLASSES, include_per_instance_confidence=True
    )
    picture, _ = shown(photo, people, schema)
    assert tuple(picture[50, 50]) == tuple(picture[220, 160]) == RED
    boxes = BoundingBoxes2D(
        [[20, 20, 60, 60], [100, 100, 140, 140]],
        labels=[0, None],
        confidences=[0.5, None],
        image_width=WIDTH,
        image_height=HEIGHT,
    )
    schema = BoundingBoxes2D.schema(classes=CLASSES, include_per_instance_confidence=True)
    assert shown(photo, boxes, schema)[1][140, 120]


def test_regions_are_coloured_by_class(photo):
    regions = np.zeros((HEIGHT, WIDTH), np.uint8)
    regions[:, :100] = 1
    schema = SemanticSegmentationRleSchema(classes={1: "grass"}, background=0)
    _, drawn = shown(photo, regions, schema)
    assert drawn[:, :100].all()
    assert not drawn[:, 120:].any()


def test_numbers_that_are_none_are_left_out(photo):
    schema = Schema(values={"image": ImageSchema(), "bbs": BoundingBoxes2D.schema()})
    damaged = {
        "x_max": WIDTH,
        "y_max": HEIGHT,
        "instances": [[np.nan] * 4],
        "instances_additional_data": {"label": [0]},
    }
    picture = np.asarray(draw_row({"image": str(photo), "bbs": damaged}, schema))
    assert (picture == GREY).all()


def test_the_class_of_the_row_is_written_below(photo):
    columns = {"image": [str(photo)], "label": [0]}
    schema = {"image": ImageSchema(), "label": CategoricalLabelSchema(CLASSES)}
    picture = np.asarray(tlc.Table.from_dict(columns, schema).show(0))
    drawn = (picture != GREY).any(axis=2)
    assert drawn[-3, 1]
    assert not drawn[: HEIGHT // 2].any()


def test_annotations_are_enough_without_an_image():
    boxes = BoundingBoxes2D.create_empty(image_width=WIDTH, image_height=HEIGHT)
    table = tlc.Table.from_dict({"bbs": [boxes]}, {"bbs": BoundingBoxes2D.schema()})
    assert table.show(0).size == (WIDTH, HEIGHT)


def test_nothing_to_show_is_said():
    with pytest.raises(ColumnError, match="nothing to draw"):
        tlc.Table.from_dict({"n": [1]}).show(0)


def test_an_image_that_is_gone_is_named(photo):
    table = tlc.Table.from_dict({"image": [str(photo)]}, {"image": ImageSchema()})
    photo.unlink()
    with pytest.raises((ImageReadError, FileNotFoundError), match="photo"):
        table.show(0)
    assert "<img" not in table._repr_html_()


def test_the_width_is_what_was_asked_for_and_small_images_are_enlarged(photo, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "digit.png")
    columns = {"image": [str(photo), str(tmp_path / "digit.png")]}
    table = tlc.Table.from_dict(columns, {"image": ImageSchema()})
    assert table.show(0, width=100).size == (100, 75)
    assert table.show(1).size == (240, 240)


def test_an_image_that_is_turned_by_its_exif_data_is_shown_as_its_annotations_count(tmp_path):
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.new("RGB", (WIDTH, HEIGHT), GREY).save(path, exif=exif)
    for size in ((WIDTH, HEIGHT), (HEIGHT, WIDTH)):
        boxes = BoundingBoxes2D.create_empty(image_width=size[0], image_height=size[1])
        schema = {"image": ImageSchema(), "bbs": BoundingBoxes2D.schema()}
        table = tlc.Table.from_dict({"image": [str(path)], "bbs": [boxes]}, schema)
        assert table.show(0).size == size
    alone = tlc.Table.from_dict({"image": [str(path)]}, {"image": ImageSchema()})
    assert alone.show(0).size == alone[0]["image"].size == (HEIGHT, WIDTH)


def test_a_notebook_shows_the_first_rows(photo):
    table = tlc.Table.from_dict({"image": [str(photo)] * 7}, {"image": ImageSchema()})
    parts = table._repr_html_().split('src="data:image/jpeg;base64,')[1:]
    assert len(parts) == 5
    data = base64.b64decode(parts[0].partition('"')[0])
    assert Image.open(io.BytesIO(data)).size == (160, 120)


def test_a_contact_sheet_holds_all_pictures():
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    sheet = contact_sheet([Image.new("RGB", (50, 30), c) for c in colors], columns=2, width=50)
    assert sheet.size == (2 * 50 + 6, 2 * 30 + 6)
    assert set(colors) <= {color for _, color in sheet.getcolors()}


def test_classes_have_colours_of_their_own():
    colors = np.array([color_of(number, None) for number in range(12)])
    apart = np.abs(colors[:, None] - colors[None]).sum(axis=2)
    assert apart[~np.eye(12, dtype=bool)].min() > 30
    assert color_of(0, {0: MapElement("ball", display_color="#010203ff")}) == (1, 2, 3)
