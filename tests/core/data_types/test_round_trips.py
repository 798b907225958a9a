"""Whatever annotations are written, the same are read: as objects, as rows, and after pickling."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.data_types.annotations import ALL, boxes, masks, polygons

import tlc

FEW = settings(max_examples=15)  # a table each
KINDS = pytest.mark.parametrize("kind", ALL)


@pytest.fixture(autouse=True)
def unsynced(monkeypatch):
    monkeypatch.setenv("TLC_DURABILITY", "os")


def reopened(cells, folder, schema=None):
    made = tlc.Table.from_dict(
        {"cells": cells}, schema, root_url=folder, table_name="t", if_exists="overwrite"
    )
    return tlc.Table.from_url(made.url)


@KINDS
@FEW
@given(data=st.data())
def test_what_is_written_is_read(kind, shared_folder, data):
    cells = [*data.draw(st.lists(ALL[kind], min_size=1, max_size=3)), None]
    table = reopened(cells, shared_folder)
    assert [sample["cells"] for sample in table] == cells
    assert [sample["cells"] for sample in table.__getitems__(range(len(cells)))] == cells
    for cell, row in zip(cells, table.table_rows, strict=True):
        assert cell is None or type(cell).from_row(row["cells"]) == cell


@KINDS
@FEW
@given(data=st.data())
def test_rows_can_be_written_as_they_are_read(kind, shared_folder, data):
    cells = data.draw(st.lists(ALL[kind], min_size=1, max_size=2))
    table = reopened(cells, shared_folder)
    rows = [row["cells"] for row in table.table_rows]
    again = reopened(rows, shared_folder, {"cells": table.rows_schema.values["cells"]})
    assert [sample["cells"] for sample in again] == cells
    assert repr([row["cells"] for row in again.table_rows]) == repr(rows)  # NaN is not NaN


@KINDS
@FEW
@given(data=st.data())
def test_what_is_read_can_be_copied_and_pickled(kind, shared_folder, data):
    cell = data.draw(ALL[kind])
    table = reopened([cell], shared_folder)
    assert pickle.loads(pickle.dumps(table[0]["cells"])) == cell
    assert copy.deepcopy(table[0]["cells"]) == cell


@FEW
@given(cell=boxes())
def test_a_pickled_sample_does_not_take_the_table_along(shared_folder, cell):
    table = reopened([cell] * 200, shared_folder)
    assert len(pickle.dumps(table[7]["cells"])) < len(pickle.dumps(cell)) + 100


@FEW
@given(cell=masks())
def test_masks_read_as_polygons_are_the_same_masks(shared_folder, cell):
    """Outlines of masks have exactly the pixels of the masks, holes and all."""
    schema = tlc.data_types.SegmentationPolygons.schema(
        per_instance_schemas={
            "word": tlc.schemas.StringSchema(),
            "pair": tlc.schemas.Float32Schema(shape=2),
        },
        include_per_instance_confidence=True,
    )
    read = reopened([cell], shared_folder, {"cells": schema})[0]["cells"]
    size = {"image_width": cell.image_width, "image_height": cell.image_height}
    for outlines in (read.polygons, read.parts_of_instances):
        drawn = tlc.data_types.SegmentationPolygons(polygons=outlines, **size)
        assert drawn.rles == cell.rles
    assert read.rles == cell.rles


@FEW
@given(cell=polygons())
def test_polygons_survive_being_read_as_masks(shared_folder, cell):
    schema = tlc.data_types.SegmentationMasks.schema(
        per_instance_schemas={
            "word": tlc.schemas.StringSchema(),
            "pair": tlc.schemas.Float32Schema(shape=2),
        },
        include_per_instance_confidence=True,
    )
    table = reopened([cell], shared_folder, {"cells": schema})
    as_masks = table[0]["cells"]
    assert as_masks.masks.shape == (10, 12, cell.num_instances)
    again = reopened([as_masks], shared_folder, {"cells": schema})
    assert again.table_rows[0]["cells"]["polygons"] == table.table_rows[0]["cells"]["polygons"]


@FEW
@given(cell=boxes())
def test_instances_one_by_one_are_the_same_as_at_once(cell):
    one_by_one = type(cell).create_empty(x_max=cell.x_max, y_max=cell.y_max)
    labels = [None] * cell.num_instances if cell.labels is None else cell.labels.tolist()
    for i, (box, label) in enumerate(zip(cell.bounding_boxes, labels, strict=True)):
        extras = {name: items[i] for name, items in cell.per_instance_extras.items()}
        one_by_one.add_instance(
            bounding_box=box,
            label=label,
            confidence=float(cell.confidences[i]),
            per_instance_extras=extras,
        )
        assert one_by_one.num_instances == i + 1
    assert cell.num_instances == 0 or one_by_one == cell
    np.testing.assert_array_equal(one_by_one.bounding_boxes, cell.bounding_boxes)
