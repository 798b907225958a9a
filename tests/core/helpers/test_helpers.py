"""The helpers, on real tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as oracle
from pycocotools.cocoeval import Params

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
from tlc.errors import AnnotationFileError, ConfigurationError, ImageReadError, SchemaError
from tlc.helpers import (
    AnnotationHelper,
    AnnotationType,
    ColorHelper,
    DateTimeHelper,
    GeometryHelper,
    ImageHelper,
    KeypointHelper,
    ProjectHelper,
    ProjectLayout,
    SchemaHelper,
    SegmentationHelper,
)
from tlc.schemas import Float32Schema, Int32Schema, MapElement, Schema
from tlc.url import get_registered_url_aliases, unregister_url_alias


def empty_table(schema, **names):
    return tlc.Table.from_dict({name: [] for name in schema}, schema, **names)


# Annotations


def legacy():
    box = Schema(
        values={**{n: Float32Schema() for n in ("x0", "y0", "x1", "y1")}, "label": Int32Schema()}
    )
    box.shape = (-1,)
    return Schema(values={"image_width": Int32Schema(), "bb_list": box})


def test_annotations_are_found_by_what_they_are():
    columns = {
        "a": (BoundingBoxes2D.schema(), AnnotationType.BOUNDING_BOXES),
        "b": (BoundingBoxes3D.schema(), AnnotationType.BOUNDING_BOXES_3D),
        "c": (legacy(), AnnotationType.LEGACY_BOUNDING_BOXES),
        "d": (OrientedBoundingBoxes2D.schema(), AnnotationType.ORIENTED_BOUNDING_BOXES),
        "e": (OrientedBoundingBoxes3D.schema(), AnnotationType.ORIENTED_BOUNDING_BOXES_3D),
        "f": (Keypoints2D.schema(num_keypoints=3), AnnotationType.KEYPOINTS),
        "g": (SegmentationMasks.schema(), AnnotationType.SEGMENTATION),
        "h": (SegmentationPolygons.schema(), AnnotationType.SEGMENTATION),
        "i": (SemanticSegmentation.schema(), AnnotationType.SEMANTIC_SEGMENTATION),
        "j": (Geometry2D.schema(), AnnotationType.GEOMETRY_2D),
        "k": (Geometry3D.schema(), AnnotationType.GEOMETRY_3D),
        "other": (Float32Schema(shape=(-1, 4)), None),
    }
    table = empty_table({name: schema for name, (schema, _) in columns.items()})
    found = AnnotationHelper.find(table)
    expected = {name: kind for name, (_, kind) in columns.items() if kind}
    assert {each.name: each.type for each in found} == expected
    for each in found:
        assert table.rows_schema.find(each.label_path).value is not None
    assert [c.name for c in AnnotationHelper.find(table, AnnotationType.SEGMENTATION)] == ["g", "h"]


def test_one_column_of_annotations():
    table = empty_table({"bbs": BoundingBoxes2D.schema(), "id": Int32Schema()})
    found = AnnotationHelper.get(table, "bbs")
    assert found.label_path == "bbs.instances_additional_data.label"
    with pytest.raises(KeyError, match="'nothing'"):
        AnnotationHelper.get(table, "nothing")
    with pytest.raises(ValueError, match="no annotations"):
        AnnotationHelper.get(table, "id")


# Keypoints


def test_cocos_people_are_those_of_pycocotools():
    assert pytest.approx(Params("keypoints").kpt_oks_sigmas) == KeypointHelper.COCO_OKS_SIGMAS
    names = KeypointHelper.COCO_KEYPOINT_NAMES
    mirrored = [names[i] for i in KeypointHelper.COCO_FLIP_INDICES]
    swapped = [n.replace("left", "*").replace("right", "left").replace("*", "right") for n in names]
    assert mirrored == swapped
    assert len(KeypointHelper.COCO_SKELETON) == 2 * 19
    pose = np.array(KeypointHelper.COCO_KEYPOINT_DEFAULT_POSE)
    assert pose.shape == (17, 2)
    np.testing.assert_allclose(pose[KeypointHelper.COCO_FLIP_INDICES] * [-1, 1] + [1, 0], pose)


def test_what_a_schema_says_of_its_points_is_read_from_the_table():
    given = {
        "points": [[0.5, 0.25], [0.75, 1]],
        "point_attributes": ["head", MapElement("foot", display_color="#ff0000")],
        "lines": [0, 1],
        "line_attributes": [MapElement("body")],
        "flip_indices": [0, 1],
        "oks_sigmas": [0.5, 0.25],
    }
    schema = Keypoints2D.schema(num_keypoints=2, include_per_point_visibility=True, **given)
    table = empty_table({"pose": schema})
    derived = table.add_column("more", [])
    for each in (table, derived):
        assert KeypointHelper.get_keypoint_shape_from_table(each) == [2, 3]
        assert KeypointHelper.get_points_from_table(each) == given["points"]
        assert KeypointHelper.get_keypoint_attributes_from_table(each) == given["point_attributes"]
        assert KeypointHelper.get_lines_from_table(each) == given["lines"]
        assert KeypointHelper.get_line_attributes_from_table(each) == given["line_attributes"]
        assert KeypointHelper.get_flip_indices_from_table(each) == given["flip_indices"]
        assert KeypointHelper.get_oks_sigmas_from_table(each) == given["oks_sigmas"]
        assert KeypointHelper.get_triangles_from_table(each) is None
        assert KeypointHelper.get_triangle_attributes_from_table(each) is None


def test_the_column_of_keypoints_is_named_where_there_are_several():
    two = {name: Keypoints2D.schema(num_keypoints=k) for name, k in {"a": 2, "b": 3}.items()}
    with pytest.raises(KeyError, match="2 columns"):
        KeypointHelper.get_lines_from_table(empty_table(two, table_name="two"))
    table = empty_table({**two, "keypoints_2d": Keypoints2D.schema(num_keypoints=4)})
    assert KeypointHelper.get_keypoint_shape_from_table(table) == [4, 2]
    assert KeypointHelper.get_keypoint_shape_from_table(table, "b") == [3, 2]
    with pytest.raises(KeyError, match="'c'"):
        KeypointHelper.get_lines_from_table(table, "c")


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": [[0, 0]]},
        {"lines": [0]},
        {"lines": [0, 2]},
        {"flip_indices": [0, 5]},
        {"oks_sigmas": [1.0]},
        {"triangles": [0, 1]},
    ],
)
def test_skeletons_that_do_not_fit_their_points_are_refused(wrong):
    with pytest.raises(SchemaError):
        Keypoints2D.schema(num_keypoints=2, **wrong)


# Segmentations


def test_masks_and_encodings_are_those_of_pycocotools():
    masks = np.random.default_rng(0).integers(0, 2, (7, 9, 3)).astype(np.uint8)
    rles = SegmentationHelper.rles_from_masks(masks)
    assert rles == oracle.encode(np.asfortranarray(masks))
    np.testing.assert_array_equal(SegmentationHelper.masks_from_rles(rles), masks)
    np.testing.assert_array_equal(SegmentationHelper.mask_from_rle(rles[1]), masks[..., 1])
    text = {"size": [7, 9], "counts": rles[1]["counts"].decode()}
    np.testing.assert_array_equal(SegmentationHelper.mask_from_rle(text), masks[..., 1])
    box = SegmentationHelper.bounding_box_from_rle(rles[2])
    assert box == oracle.toBbox(rles[2]).tolist()
    assert SegmentationHelper.area_from_rle(rles[2]) == masks[..., 2].sum()


def test_uncompressed_counts_are_taken():
    assert SegmentationHelper.mask_from_rle({"size": [2, 2], "counts": [1, 2, 1]}).tolist() == [
        [0, 1],
        [1, 0],
    ]


def test_an_empty_mask():
    empty = SegmentationHelper.empty_rle(3, 4)
    assert not SegmentationHelper.mask_from_rle(empty).any()
    assert SegmentationHelper.bounding_box_from_rle(empty) == [0, 0, 0, 0]
    assert SegmentationHelper.masks_from_rles([]).shape == (0, 0, 0)


def test_polygons_and_masks():
    square = [2, 1, 6, 1, 6, 5, 2, 5]
    masks = SegmentationHelper.mask_from_polygons([square, [0, 0, 3, 0, 0, 3]], 8, 10)
    assert masks.shape == (8, 10, 2)
    assert masks[1:5, 2:6, 0].all()
    assert masks[..., 0].sum() == 16
    relative = [value / size for value, size in zip(square, [10, 8] * 4, strict=True)]
    again = SegmentationHelper.mask_from_polygons([relative], 8, 10, relative=True)
    np.testing.assert_array_equal(again[..., 0], masks[..., 0])
    assert SegmentationHelper.polygons_from_mask(masks[..., 0]) == [square]
    assert SegmentationHelper.rles_from_polygons([square], 8, 10) == [
        SegmentationHelper.rles_from_masks(masks)[0]
    ]
    with pytest.raises(SchemaError, match="differ in size"):
        SegmentationHelper.masks_from_rles(
            [SegmentationHelper.empty_rle(1, 2), SegmentationHelper.empty_rle(2, 1)]
        )


# Geometry


def test_bounds_of_one_length_along_each_axis():
    bounds = GeometryHelper.create_isotropic_bounds_3d
    assert bounds(0, 10, 0, 4, -1, 1, force_z_min=False) == (0, 10, -3, 7, -5, 5)
    assert bounds(0, 10, 0, 4, -1, 1, force_z_min=True) == (0, 10, -3, 7, -1, 9)


OBJ = """# a square and a triangle
mtllib colors.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
usemtl red
f 1/1/1 2/2/2 3 4
usemtl unknown
f -4 -3 -2
"""


def test_a_mesh_of_a_file(tmp_path):
    (tmp_path / "a.obj").write_text(OBJ)
    (tmp_path / "colors.mtl").write_text("newmtl red\nKd 1 0.25 0\n")
    moved = np.eye(4)
    moved[:3, 3] = [10, 20, 30]
    mesh = GeometryHelper.load_obj_geometry(tmp_path / "a.obj", 2, moved)
    assert mesh.vertices[0].tolist() == [[10, 20, 30], [12, 20, 30], [12, 22, 30], [10, 22, 30]]
    assert mesh.triangles[0].tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]]
    assert mesh.per_triangle_extras[0]["green"].tolist() == [0.25, 0.25, 0.5]
    assert (mesh.x_min, mesh.x_max, mesh.z_max) == (10, 12, 30)
    bounds = GeometryHelper.create_isotropic_bounds_3d(-1, 1, -1, 1, -1, 1)
    bounded = GeometryHelper.load_obj_geometry(tmp_path / "a.obj", bounds=bounds)
    assert bounded.z_max == 1


@pytest.mark.parametrize("line", ["v 1 b 2", "f 1 2", "f 1 2 9", "f a b c"])
def test_a_damaged_mesh_names_the_line(tmp_path, line):
    (tmp_path / "a.obj").write_text(f"v 0 0 0\nv 1 0 0\nv 1 1 0\n{line}\n")
    with pytest.raises(AnnotationFileError, match="line 4"):
        GeometryHelper.load_obj_geometry(tmp_path / "a.obj")


# The rest


def test_colors():
    assert ColorHelper.rgb_tuple_to_hex([255, 128, 0]) == "#ff8000"
    assert ColorHelper.rgb_tuple_to_hex(np.array([1, 2, 3, 4])) == "#01020304"
    assert ColorHelper.hex_to_rgb_tuple("#ff8000") == (255, 128, 0)
    for wrong in ([256, 0, 0], [0, 0]):
        with pytest.raises(SchemaError):
            ColorHelper.rgb_tuple_to_hex(wrong)
    for text in ("#ff80", "red"):
        with pytest.raises(SchemaError):
            ColorHelper.hex_to_rgb_tuple(text)


def test_points_in_time_are_in_utc():
    moment = datetime(2024, 5, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    text = DateTimeHelper.to_text(moment)
    assert text == "2024-05-01T12:30:00+00:00"
    assert DateTimeHelper.from_text(text) == moment
    assert DateTimeHelper.from_text("2024-05-01T12:30:00") == moment
    assert DateTimeHelper.from_timestamp(DateTimeHelper.to_timestamp(moment)) == moment
    assert DateTimeHelper.from_text(DateTimeHelper.now()) <= datetime.now(UTC)


def test_images(tmp_path):
    image = Image.new("RGB", (5, 3), "red")
    (tmp_path / "a.png").write_bytes(ImageHelper.to_bytes(image))
    assert ImageHelper.size(tmp_path / "a.png") == (5, 3)
    assert ImageHelper.open(tmp_path / "a.png").getpixel((0, 0)) == (255, 0, 0)
    (tmp_path / "b.png").write_text("no image")
    with pytest.raises(ImageReadError):
        ImageHelper.size(tmp_path / "b.png")


def test_the_places_of_a_project(tmp_path):
    names = {"project_name": "p", "root_url": tmp_path}
    url = ProjectLayout.table_url("t", "d", **names)
    table = tlc.Table.from_dict({"a": [1]}, table_name="t", dataset_name="d", **names)
    assert table.url == url
    assert ProjectLayout.tables_url(dataset_name="d", **names) == url.parent
    assert ProjectLayout.dataset_url(dataset_name="d", **names) == url.parent.parent
    assert ProjectLayout.datasets_url(**names) == url.parent.parent.parent
    run = tlc.init("p", "r", root_url=tmp_path)
    assert ProjectLayout.run_url("r") == run.url
    assert ProjectLayout.runs_url() == run.url.parent
    tlc.close()


def test_a_url_for_a_table_that_is_free(tmp_path):
    table = tlc.Table.from_dict({"a": [1]}, root_url=tmp_path)
    free = ProjectLayout.create_unique_table_url(table.url)
    assert str(free) == f"{table.url}_0000"
    assert ProjectLayout.create_unique_table_url(free) == free
    served = "http://localhost/projects/p/datasets/d/tables/t"
    with_root = ProjectLayout.create_unique_table_url(served, require_writable=True)
    assert with_root == ProjectLayout.table_url("t", "d", "p")
    with pytest.raises(ValueError, match="Nothing can be written"):
        ProjectLayout.create_unique_table_url("http://localhost/t", require_writable=True)


def test_aliases_of_a_project(tmp_path):
    names = {"project_name": "p", "root_url": tmp_path}
    ProjectHelper.register_project_url_alias("<IMAGES>", tmp_path / "images", **names)
    ProjectHelper.register_project_url_alias("MORE", "<IMAGES>/more", **names)
    expected = {"IMAGES": str(tmp_path / "images"), "MORE": "<IMAGES>/more"}
    assert {"<IMAGES>", "IMAGES"} & set(get_registered_url_aliases())
    for name in expected:
        unregister_url_alias(name)
    assert ProjectHelper.load_project_url_aliases(**names) == expected
    assert tlc.Url("<MORE>/a.png").expand_aliases() == tlc.Url(tmp_path / "images/more/a.png")
    ProjectLayout.default_project_aliases_config_url(**names).write_bytes(b"- a\n")
    with pytest.raises(ConfigurationError):
        ProjectHelper.load_project_url_aliases(**names)


def test_what_objects_were_made_from(tmp_path):
    table = tlc.Table.from_dict({"a": [1]}, root_url=tmp_path)
    child = table.add_column("b", [2])
    assert SchemaHelper.object_input_urls(child, child.schema) == [table.url]
    assert SchemaHelper.object_input_urls(table) == []
