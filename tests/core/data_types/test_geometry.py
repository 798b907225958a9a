"""Geometry: its arrays in cells, in chunk files, and in files of other programs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.upkeep.conftest import elsewhere, make_older  # noqa: F401 - a fixture

import tlc
from tlc.copying import copy_table
from tlc.data_types import BoundingBoxes2D, Geometry2D, Geometry3D, bulk
from tlc.data_types import legacy_bb_row_to_bounding_boxes_2d as from_legacy
from tlc.errors import CellError, CorruptObjectError, SchemaError, UrlNotFoundError
from tlc.schemas import Float32ListSchema, Float32Schema, Int32Schema, Schema, StringSchema
from tlc.upkeep import collect_garbage
from tlc.url import Url, UrlAdapter, register_url_adapter

VERTICES = np.arange(12, dtype=np.float32).reshape(4, 3)
INTENSITY = np.float32([0.25, 0.5, 0.75, 1])


def bulk_schema():
    return Geometry3D.schema(
        per_vertex_schemas={"intensity": Float32ListSchema()},
        per_triangle_schemas={"red": Float32Schema()},
        is_bulk_data=True,
    )


def mesh():
    made = Geometry3D.create_empty(x_min=0, y_min=0, z_min=0, x_max=11, y_max=11, z_max=11)
    made.add_instance(
        vertices=VERTICES.reshape(-1),
        triangles=[0, 1, 2, 1, 2, 3],
        per_vertex_extras={"intensity": INTENSITY},
        per_triangle_extras={"red": [0.0, 1.0]},
        label=2,
    )
    return made


def first(table):
    return table.table_rows[0]["g"]["instances"][0]


def test_flat_arrays_get_their_shape(rewritten):
    read = rewritten({"g": [mesh()]})[0]["g"]
    assert [each.shape for each in (read.vertices[0], read.triangles[0])] == [(4, 3), (2, 3)]
    assert read.triangles[0].dtype == np.int32
    assert read.per_vertex_extras == [{"intensity": pytest.approx(INTENSITY)}]


def test_geometry_of_an_image_has_all_shapes(rewritten):
    cell = Geometry2D(
        vertices=[[0, 0, 5, 5], []],
        lines=[[0, 1], []],
        bounding_boxes=[[], [[0, 0, 1, 1], [2, 2, 3, 3]]],
        obbs=[[1, 2, 3, 4, 0.5], []],
        labels=[4, 5],
        per_line_extras=[{"width": [2.5]}, {"width": []}],
        image_width=10,
        image_height=20,
    )
    read = rewritten({"g": [cell]})[0]["g"]
    assert read == cell
    assert read.num_instances == 2
    assert read.bounding_boxes[1].shape == (2, 4)


def test_large_arrays_lie_in_chunk_files(rewritten, tmp_path):
    table = rewritten({"g": [mesh(), None, Geometry3D.create_empty()]}, {"g": bulk_schema()})
    assert [sample["g"] for sample in table] == [mesh(), None, Geometry3D.create_empty()]
    url, _, part = first(table)["vertices"].rpartition(":")
    assert part == "0-48"
    content = Url(url).read_bytes()
    np.testing.assert_array_equal(np.frombuffer(content[:48], "<f4"), VERTICES.reshape(-1))
    references = [first(table)["vertices_additional_data"]["intensity"], first(table)["triangles"]]
    assert all(each.startswith(f"{url}:") for each in references)


def test_a_chunk_file_ends_when_it_is_large(rewritten, monkeypatch):
    monkeypatch.setattr(bulk, "DEFAULT_BULK_DATA_CHUNK_SIZE_MB", 0)
    row = first(rewritten({"g": [mesh()]}, {"g": bulk_schema()}))
    files = {row[name].rpartition(":")[0] for name in ("vertices", "triangles")}
    assert len(files) == 2


def test_a_project_with_chunk_files_can_be_moved_and_copied(rewritten, tmp_path):
    table = rewritten({"g": [mesh()]}, {"g": bulk_schema()})
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    there = tlc.Table.from_url(str(table.url).replace(str(tmp_path), str(moved)))
    assert there[0]["g"] == mesh()
    assert first(there)["vertices"].startswith(str(moved))


@pytest.mark.usefixtures("elsewhere")
def test_chunk_files_are_garbage_once_no_table_refers_to_them(tmp_path):
    names = {"project_name": "p", "root_url": tmp_path, "if_exists": "overwrite"}
    urls = []
    for _ in range(2):
        table = tlc.Table.from_dict({"g": [mesh()]}, {"g": bulk_schema()}, **names)
        urls.append(Url(first(table)["vertices"].rpartition(":")[0]))
        make_older(tmp_path, 3600)
    collect_garbage("p", tmp_path, delete=True, grace_seconds=0)
    assert [url.exists() for url in urls] == [False, True]
    assert table[0]["g"] == mesh()


def test_a_copy_of_a_table_has_its_chunk_files(rewritten, tmp_path):
    table = rewritten({"g": [mesh()]}, {"g": bulk_schema()})
    there = tmp_path / "elsewhere" / "p" / "datasets" / "d" / "tables" / "t"
    copy_table(table.url, there)
    Url(first(table)["vertices"].rpartition(":")[0]).delete()
    assert tlc.Table.from_url(str(there))[0]["g"] == mesh()


def test_a_missing_or_short_chunk_file_is_an_error_when_it_is_looked_at(rewritten):
    table = rewritten({"g": [mesh()]}, {"g": bulk_schema()})
    sample, url = table[0]["g"], Url(first(table)["vertices"].rpartition(":")[0])
    content = url.read_bytes()
    url.write_bytes(content[:20])
    with pytest.raises(CorruptObjectError, match="20 bytes"):
        _ = sample.vertices
    url.delete()
    with pytest.raises(UrlNotFoundError):
        _ = table[0]["g"].vertices


def test_a_custom_adapter_serves_arrays_in_place(rewritten):
    """As for a point cloud in a file of records: x, y, z and intensity of each point."""
    records = np.concatenate([VERTICES, INTENSITY[:, None]], axis=1)
    parts = {"vertices": records[:, :3], "intensity": records[:, 3]}

    @register_url_adapter(override=True)
    class Records(UrlAdapter):
        def schemes(self):
            return ["records"]

        def read_binary_content_from_url(self, url):
            return parts[url.query.removeprefix("component=")].tobytes()

        def exists(self, url):
            return True

    cell = Geometry3D.create_empty()
    cell.add_instance(
        vertices="records:///a.bin?component=vertices:0-48",
        per_vertex_extras={"intensity": "records:///a.bin?component=intensity:8-8"},
    )
    table = rewritten({"g": [cell]}, {"g": bulk_schema()})
    assert first(table)["vertices"] == "records:///a.bin?component=vertices:0-48"
    np.testing.assert_array_equal(table[0]["g"].vertices[0], VERTICES)
    np.testing.assert_array_equal(table[0]["g"].per_vertex_extras[0]["intensity"], INTENSITY[2:])


def test_references_need_a_column_of_bulk_data_and_an_absolute_url(rewritten):
    cell = Geometry3D.create_empty()
    cell.add_instance(vertices="memory://a/b.raw:0-12")
    with pytest.raises(CellError, match="refer to bulk data"):
        rewritten({"g": [cell]}, {"g": Geometry3D.schema()})
    with pytest.raises(SchemaError, match="relative"):
        cell.add_instance(vertices="b.raw:0-12")
    with pytest.raises(SchemaError, match="bulk data"):
        Geometry3D.schema(per_vertex_schemas={"name": StringSchema()}, is_bulk_data=True)


# Boxes of older programs


LEGACY = {
    "image_width": 200,
    "image_height": 100,
    "bb_list": [
        {"x0": 0.25, "y0": 0.5, "x1": 0.5, "y1": 0.25, "label": 3, "iscrowd": 0},
        {"x0": 0.5, "y0": 0.5, "x1": 0.5, "y1": 0.5, "label": 4, "iscrowd": 1},
    ],
}


def legacy_schema(start, size, unit):
    def coordinate(role, axis):
        return Float32Schema(number_role=f"bb_{role}_{axis}", unit=unit)

    values = {"x0": coordinate(start, "x"), "y0": coordinate(start, "y")}
    values |= {"x1": coordinate(size, "x"), "y1": coordinate(size, "y"), "label": Int32Schema()}
    boxes = Schema(values=values)
    boxes.shape = (-1,)
    return Schema(values={"image_width": Int32Schema(), "bb_list": boxes})


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (legacy_schema("min", "size", "relative"), [50, 50, 150, 75]),
        (legacy_schema("center", "size", "relative"), [0, 37.5, 100, 62.5]),
        (legacy_schema("min", "size", "absolute"), [0.25, 0.5, 0.75, 0.75]),
    ],
)
def test_boxes_of_older_programs_mean_what_their_schema_says(schema, expected):
    boxes = from_legacy(LEGACY, schema)
    assert boxes.bounding_boxes[0].tolist() == expected
    assert boxes.labels.tolist() == [3, 4]
    assert boxes.per_instance_extras["iscrowd"].tolist() == [0, 1]
    assert (boxes.image_width, boxes.image_height) == (200, 100)


def test_older_boxes_without_a_schema_are_corners_in_pixels():
    row = {"bb_list": [{"x0": 1, "y0": 2, "x1": 3, "y1": 4}]}
    assert BoundingBoxes2D.from_legacy_row(row).bounding_boxes.tolist() == [[1, 2, 3, 4]]
    assert BoundingBoxes2D.from_legacy_row({"bb_list": []}).num_instances == 0
    with pytest.raises(SchemaError, match="bb_list"):
        BoundingBoxes2D.from_legacy_row({"boxes": []})
