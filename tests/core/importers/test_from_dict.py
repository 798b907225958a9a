from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tlc import schemas
from tlc.errors import CellError, ColumnError, ColumnLengthError, NameNotAllowedError, SchemaError
from tlc.table import Table
from tlc.url import Url, register_url_alias, unregister_url_alias


def test_columns_are_the_data_and_nothing_else():
    table = Table.from_dict({"b": [1, 2], "a": ["x", None]})
    assert table.columns == ["b", "a"]
    assert list(table) == list(table.table_rows) == [{"b": 1, "a": "x"}, {"b": 2, "a": None}]


def test_no_data_is_a_table_without_rows():
    table = Table.from_dict({})
    assert (len(table), table.columns, list(table)) == (0, [], [])


def test_no_data_with_a_schema_is_a_table_with_those_columns():
    table = Table.from_dict({}, schema={"a": schemas.Int32Schema()}, add_weight_column=True)
    assert (len(table), sorted(table.columns)) == (0, ["a", "weight"])
    assert table.column("a").type == pa.int32()


def test_columns_may_be_empty():
    table = Table.from_dict({"a": [], "b": np.zeros((0, 2))})
    assert (len(table), table.columns) == (0, ["a", "b"])


def test_a_default_dict_is_fine():
    data = defaultdict(list)
    data["a"].append(1)
    assert list(Table.from_dict(data)) == [{"a": 1}]


def test_a_part_of_the_columns_may_have_a_schema():
    table = Table.from_dict(
        {"id": [1, 2], "label": [0, 1]},
        schema={"label": schemas.CategoricalLabelSchema(classes=["cat", "dog"])},
    )
    assert table.columns == ["id", "label"]
    assert table.get_simple_value_map("label") == {0: "cat", 1: "dog"}
    assert table.column("label").type == pa.int32()
    assert table.column("id").type == pa.int64()


def test_nested_dicts_become_nested_columns():
    cells = [{"id": 1, "where": {"path": Path("/a.png")}}, {"id": 2, "where": None}, None]
    table = Table.from_dict({"meta": cells})
    assert [row["meta"] for row in table.table_rows] == [
        {"id": 1, "where": {"path": "/a.png"}},
        {"id": 2, "where": None},
        None,
    ]


def test_paths_and_urls_become_absolute_texts_with_aliases(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    register_url_alias("HERE", str(tmp_path / "data"))
    try:
        cells = [tmp_path / "data" / "a.png", Url("data/b.png"), Path("c.png"), "/d.png"]
        table = Table.from_dict({"file": cells})
        assert [row["file"] for row in table.table_rows] == [
            "<HERE>/a.png",
            "<HERE>/b.png",
            f"{tmp_path}/c.png",
            "/d.png",
        ]
        assert table[0]["file"] == f"{tmp_path}/data/a.png"
    finally:
        unregister_url_alias("HERE")


def test_arrays_and_tensors_come_back_as_what_they_were():
    table = Table.from_dict(
        {
            "array": np.arange(6, dtype=np.float32).reshape(2, 3),
            "tensor": torch.arange(4).reshape(2, 2),
            "ragged": [np.zeros(1), np.zeros(2)],
            "number": torch.tensor([1, 2]),
        }
    )
    sample, row = table[1], table.table_rows[1]
    assert isinstance(sample["array"], np.ndarray)
    assert sample["array"].dtype == np.float32
    assert torch.equal(sample["tensor"], torch.tensor([2, 3]))
    assert sample["ragged"].tolist() == [0.0, 0.0]
    assert row == {"array": [3, 4, 5], "tensor": [2, 3], "ragged": [0, 0], "number": 2}


def test_images_without_a_file_are_written_as_png_and_read_back():
    image = Image.effect_noise((5, 4), 50)
    table = Table.from_dict({"image": [image, None]})
    url = Url(table.table_rows[0]["image"])
    assert url.name.endswith(".png")
    assert "/bulk_data/table/image/" in url.to_str()
    assert table[0]["image"].tobytes() == image.tobytes()
    assert table[1]["image"] is None


def test_images_with_a_file_are_referenced(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("L", (2, 2)).save(path)
    with Image.open(path) as opened:
        table = Table.from_dict(
            {"image": [opened, path, str(path)]}, {"image": schemas.ImageSchema()}
        )
    assert [row["image"] for row in table.table_rows] == [str(path)] * 3


@pytest.mark.parametrize(
    ("data", "schema", "error"),
    [
        ({"a": [1], "b": [1, 2]}, None, ColumnLengthError),
        ({"a": 1}, None, ColumnError),
        ({"a": "text"}, None, ColumnError),
        ({"a": [1]}, {"b": schemas.Int32Schema()}, ColumnError),
        ({"a": [1, "x"]}, None, SchemaError),
        ({"a": [object()]}, None, SchemaError),
        ({"a": [1, "x"]}, {"a": schemas.Int32Schema()}, CellError),
        ({"": [1]}, None, NameNotAllowedError),
        ({1: [1]}, None, NameNotAllowedError),
        ({"a\n": [1]}, None, NameNotAllowedError),
        ({"a": [{1: 2}]}, None, SchemaError),
    ],
)
def test_bad_data_make_no_table(data, schema, error, tmp_path):
    with pytest.raises(error) as caught:
        Table.from_dict(data, schema=schema)
    assert isinstance(caught.value, ValueError)
    assert not list(tmp_path.rglob("manifest.json"))


numbers = st.integers(-(2**63), 2**63 - 1)
scalars = {
    "int": numbers,
    "float": st.floats(),
    "text": st.text(st.characters(exclude_categories=["Cs"])),
    "bool": st.booleans(),
    "bytes": st.binary(),
}
cells = st.one_of(
    st.sampled_from(list(scalars.values())),
    st.builds(lambda part: st.lists(part, max_size=3), st.sampled_from(list(scalars.values()))),
    st.builds(lambda part: st.lists(st.lists(part, max_size=2), max_size=2), st.just(numbers)),
    st.just(st.fixed_dictionaries({"a": numbers | st.none(), "b.c": scalars["float"]})),
    st.just(st.fixed_dictionaries({"x": st.fixed_dictionaries({"y": scalars["text"]})})),
    st.just(st.lists(st.fixed_dictionaries({"k": numbers}), max_size=2)),
)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@st.composite
def tables(draw):
    count = draw(st.integers(0, 6))
    return {
        name: draw(st.lists(st.none() | draw(cells), min_size=count, max_size=count))
        for name in draw(st.lists(names, min_size=1, max_size=4, unique=True))
    }


@settings(max_examples=60, deadline=None)
@given(tables())
def test_any_columns_come_back_after_reopening(data):
    table = Table.from_url(Table.from_dict(data, if_exists="overwrite").url)
    count = len(next(iter(data.values())))
    assert table.columns == list(data)
    assert len(table) == count
    expected = [{name: values[row] for name, values in data.items()} for row in range(count)]
    assert _comparable(list(table.table_rows)) == _comparable(expected)
    assert _comparable(list(table)) == _comparable(expected)


def _comparable(value):
    """Make NaN equal to itself."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    return value
