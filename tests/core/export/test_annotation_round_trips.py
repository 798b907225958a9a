"""Annotations in formats of rows: what is exported and imported again is the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.export.instances import KINDS, annotated, labels_of, masks, table_of
from tests.core.export.tables import rows_of

import tlc
from tlc import schemas
from tlc.data_types import BoundingBoxes2D
from tlc.export import to_hugging_face_dataset

again = settings(max_examples=6, suppress_health_check=list(HealthCheck))
MAKERS = {name: (name, None) for name in KINDS} | {"masks": ("segmentations", masks)}
IMPORTERS = {
    "csv": tlc.Table.from_csv,
    "ndjson": tlc.Table.from_ndjson,
    "parquet": tlc.Table.from_parquet,
}
EXTRAS = {
    "annotation_id": schemas.Int64Schema(),
    "note": schemas.StringSchema(),
    "area": schemas.Float32Schema(),
}


def imported(factory, place, table):
    return factory(
        place,
        dict(table.rows_schema.values),
        table_name="imported",
        if_exists="overwrite",
        add_weight_column=False,
    )


@pytest.mark.parametrize("format", IMPORTERS)
@pytest.mark.parametrize("kind", MAKERS)
@again
@given(data=st.data())
def test_annotations(kind, format, tmp_path_factory, data):
    column, make = MAKERS[kind]
    cells = data.draw(annotated(column, make))
    folder = tmp_path_factory.mktemp("r")
    table = table_of(column, cells, folder)
    back = imported(IMPORTERS[format], table.export(folder / f"o.{format}", format), table)
    assert rows_of(back) == rows_of(table)
    assert back.rows_schema == table.rows_schema
    for sample, cell in zip(back, cells, strict=True):
        assert labels_of(sample[column]) == labels_of(cell)


@pytest.mark.parametrize("kind", MAKERS)
@again
@given(data=st.data())
def test_annotations_in_data_sets_of_hugging_face(kind, tmp_path_factory, data):
    column, make = MAKERS[kind]
    table = table_of(column, data.draw(annotated(column, make)), tmp_path_factory.mktemp("r"))
    dataset = to_hugging_face_dataset(table)
    back = imported(tlc.Table.from_hugging_face_dataset, dataset, table)
    assert rows_of(back) == rows_of(table)
    assert back.rows_schema == table.rows_schema


@st.composite
def boxes_with_extras(draw):
    """Return boxes of three images, in an order of their own, with ids and texts."""
    found = []
    for _ in range(3):
        ids = draw(st.lists(st.integers(0, 1 << 40), max_size=3))
        notes = [draw(st.none() | st.text('a"ü,\n ', max_size=4)) for _ in ids]
        areas = [draw(st.floats(0, 1e6, width=32)) for _ in ids]
        extras = {"annotation_id": ids, "note": notes, "area": areas}
        boxes = [[1.1, 2.2, 3.3, 4.4]] * len(ids)
        size = {"image_width": 9, "image_height": 9}
        if ids:
            cell = BoundingBoxes2D(boxes, [0] * len(ids), per_instance_extras=extras, **size)
        else:
            cell = BoundingBoxes2D.create_empty(**size)
        found.append(cell)
    return found


@pytest.mark.parametrize("format", IMPORTERS)
@again
@given(boxes_with_extras())
def test_ids_extras_and_the_order_of_images(format, tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("r")
    schema = BoundingBoxes2D.schema(classes=["cat"], per_instance_schemas=EXTRAS)
    names = ["z.png", "a.png", "m.png"]
    table = table_of("bbs", cells, folder, names=names, schema=schema, image_id=[9, 1, 5])
    back = imported(IMPORTERS[format], table.export(folder / f"o.{format}", format), table)
    assert rows_of(back) == rows_of(table)
    assert [row["image_id"] for row in back.table_rows] == [9, 1, 5]
