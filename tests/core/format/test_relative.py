from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.format.relative import holds_urls, relativize, resolve
from tlc.schemas import ImageSchema, Int32Schema, Schema, StringSchema, UrlSchema
from tlc.url import Url

TABLE = Url("/r/p/datasets/d/tables/t")
OUTSIDE = Url("/somewhere/t")
INNER = Schema(values={"url": UrlSchema(), "n": Int32Schema(), "text": StringSchema()})
INNER_LIST = Schema(values={"urls": UrlSchema(shape=(-1,))})
INNER_LIST.shape = (2,)


@pytest.mark.parametrize(
    ("table", "absolute", "stored"),
    [
        (TABLE, "/r/p/datasets/d/bulk_data/t/c/0.png", "../../bulk_data/t/c/0.png"),
        (TABLE, "/r/p/datasets/d/bulk_data/other/c/0.png", "../../bulk_data/other/c/0.png"),
        (OUTSIDE, "/somewhere/t/bulk_data/c/0.png", "./bulk_data/c/0.png"),
        (TABLE, "/r/p/datasets/e/bulk_data/t/c/0.png", "/r/p/datasets/e/bulk_data/t/c/0.png"),
        (TABLE, "/r/p/datasets/d/bulk_data_2/0.png", "/r/p/datasets/d/bulk_data_2/0.png"),
        (TABLE, "<DATA>/bulk_data/0.png", "<DATA>/bulk_data/0.png"),
        (TABLE, "s3://b/bulk_data/0.png", "s3://b/bulk_data/0.png"),
        (TABLE, "", ""),
        (TABLE, None, None),
    ],
)
def test_only_bulk_data_of_the_own_dataset_is_stored_relative(table, absolute, stored):
    cells = pa.array([absolute, None], pa.string())
    relative = relativize(cells, table, ImageSchema())
    assert relative.to_pylist() == [stored, None]
    assert resolve(relative, table, ImageSchema()).equals(cells)


@pytest.mark.parametrize(
    ("location", "absolute", "stored"),
    [
        ("../../mine", "/r/p/datasets/d/mine/0.png", "../../mine/0.png"),
        ("../../mine/", "/r/p/datasets/d/mine/0.png", "../../mine/0.png"),
        ("mine", "/r/p/datasets/d/tables/t/mine/0.png", "./mine/0.png"),
        ("./x/../mine", "/r/p/datasets/d/tables/t/mine/0.png", "./mine/0.png"),
        ("..", "/r/p/datasets/d/tables/0.png", "../0.png"),
        (".", "/r/p/datasets/d/tables/t/0.png", "./0.png"),
        ("../../../../../../x", "/x/0.png", "../../../../../../x/0.png"),
        ("/mine", "/mine/0.png", "/mine/0.png"),
        ("<MINE>/x", "/r/0.png", "/r/0.png"),
        ("s3://b/x", "s3://b/x/0.png", "s3://b/x/0.png"),
    ],
)
def test_a_folder_that_is_relative_to_the_table_stays_so(location, absolute, stored):
    schema = ImageSchema(bulk_data_location=location)
    cells = pa.array([absolute, "/r/p/datasets/d/bulk_data/t/0.png", None, "/elsewhere"])
    relative = relativize(cells, TABLE, schema)
    others = ["../../bulk_data/t/0.png", None, "/elsewhere"]
    if location == "..":
        others[0] = "../../bulk_data/t/0.png"
    assert relative.to_pylist() == [stored, *others]
    # A later schema of the column may say nothing of the folder.
    assert resolve(relative, TABLE, ImageSchema()).equals(cells)


PLACES = st.sampled_from(["/r/p/datasets/d/bulk_data/t/", "/elsewhere/", "<A>/", "s3://b/"])
URLS = st.none() | st.builds("{}{}".format, PLACES, st.text(max_size=5))
CASES = [
    (UrlSchema(shape=(-1,)), st.none() | st.lists(URLS, max_size=3)),
    (UrlSchema(shape=(2,)), st.none() | st.lists(URLS, min_size=2, max_size=2)),
    (
        INNER,
        st.none() | st.fixed_dictionaries({"url": URLS, "n": st.integers(0, 9), "text": URLS}),
    ),
    (
        INNER_LIST,
        st.none()
        | st.lists(
            st.fixed_dictionaries({"urls": st.lists(URLS, max_size=3)}), min_size=2, max_size=2
        ),
    ),
]


@pytest.mark.parametrize(("schema", "cells"), CASES, ids=["list", "vector", "struct", "structs"])
@given(data=st.data())
def test_urls_inside_of_a_cell_go_there_and_back(schema, cells, data):
    values = data.draw(st.lists(cells, min_size=1))
    array = pa.array([None, *values], schema.arrow_type).slice(1)
    stored = relativize(array, TABLE, schema)
    assert resolve(stored, TABLE, schema).to_pylist() == values
    moved = resolve(stored, Url("/new/p/datasets/d/tables/t"), schema)
    assert "/r/p/datasets" not in str(_urls(moved, schema))


def _urls(cells, schema):
    rows = cells.to_pylist()
    return [row and row["url"] for row in rows] if schema is INNER else rows


def test_text_is_never_taken_for_a_url():
    cells = pa.array(["/r/p/datasets/d/bulk_data/t/a"])
    assert not holds_urls(StringSchema())
    assert relativize(cells, TABLE, StringSchema()) is cells
