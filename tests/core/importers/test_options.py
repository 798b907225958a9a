from __future__ import annotations

import inspect
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tlc import schemas
from tlc.errors import (
    NameNotAllowedError,
    ObjectExistsError,
    ObjectNotFoundError,
    OptionError,
    ReuseWarning,
)
from tlc.table import Table

DATA = {"a": [1, 2]}
OTHER = {"a": [3, 4]}
NAMES = (
    "from_dict from_pandas from_csv from_parquet from_ndjson from_image_folder from_torch_dataset"
)


@pytest.mark.parametrize("factory", NAMES.split())
def test_every_factory_shows_the_shared_keywords(factory):
    method = getattr(Table, factory)
    parameters = inspect.signature(method).parameters
    defaults = {name: parameters[name].default for name in ("if_exists", "weight_column_value")}
    assert defaults == {"if_exists": "reuse", "weight_column_value": 1.0}
    assert parameters["add_weight_column"].default is (factory != "from_dict")
    for name in parameters:
        assert f"{name}: " in method.__doc__


def test_names_say_where_the_table_lies(tmp_path):
    table = Table.from_dict(
        DATA, table_name="t 1", dataset_name="d & e", project_name="p", root_url=tmp_path / "r"
    )
    assert table.url.to_str() == f"{tmp_path}/r/p/datasets/d & e/tables/t 1"
    names = (table.name, table.dataset_name, table.project_name, table.root_url)
    assert names == ("t 1", "d & e", "p", f"{tmp_path}/r")


def test_names_may_all_be_left_out():
    table = Table.from_dict(DATA)
    assert (table.name, table.dataset_name) == ("table", "default-dataset")
    assert table.project_name == "default-project"


@pytest.mark.parametrize("keyword", ["table_name", "dataset_name", "project_name"])
def test_a_name_that_is_not_allowed_is_refused(keyword, tmp_path):
    with pytest.raises(NameNotAllowedError, match=r"'a/b'"):
        Table.from_dict(DATA, **{keyword: "a/b"})
    assert not list(tmp_path.rglob("*.parquet"))


# Weights and other extra columns


def test_weights_are_in_rows_and_not_in_samples():
    table = Table.from_pandas(pd.DataFrame(DATA), weight_column_value=0.25)
    assert table.columns == ["a", "weight"]
    assert list(table) == [{"a": 1}, {"a": 2}]
    assert [row["weight"] for row in table.table_rows] == [0.25, 0.25]
    assert table.weights_column_name == "weight"


def test_weights_may_be_left_out():
    table = Table.from_pandas(pd.DataFrame(DATA), add_weight_column=False)
    assert (table.columns, table.weights_column_name) == (["a"], None)


def test_weights_that_are_there_stay():
    frame = pd.DataFrame({"a": [1], "weight": [0.5]})
    table = Table.from_pandas(frame, {"weight": schemas.SampleWeightSchema()})
    assert table.table_rows[0] == {"a": 1, "weight": 0.5}
    assert table[0] == {"a": 1}


def test_extra_columns_hold_the_default_of_their_schema():
    extra = {
        "none": schemas.StringSchema(),
        "five": schemas.Int32Schema(default_value=5),
        "hidden": schemas.Float32Schema(sample_type="hidden"),
        "a": schemas.Int32Schema(default_value=9),
    }
    table = Table.from_dict(DATA, extra_columns=extra)
    assert table.columns == ["a", "none", "five", "hidden"]
    assert table.table_rows[1] == {"a": 2, "none": None, "five": 5, "hidden": None}
    assert table[1] == {"a": 2, "none": None, "five": 5}


def test_description_and_inputs_are_kept():
    parent = Table.from_dict(DATA, table_name="parent")
    table = Table.from_dict(DATA, description="why", input_tables=[parent.url], table_name="child")
    again = Table.from_url(table.url)
    assert (again.description, again.input_tables) == ("why", [parent.url])


def test_inputs_must_exist(tmp_path):
    with pytest.raises(ObjectNotFoundError, match="nowhere"):
        Table.from_dict(DATA, input_tables=[tmp_path / "nowhere"])


# if_exists


def test_raise_refuses_a_taken_name():
    table = Table.from_dict(DATA, if_exists="raise")
    with pytest.raises(ObjectExistsError, match=r'Hint: pass if_exists="rename"') as caught:
        Table.from_dict(OTHER, if_exists="raise")
    assert isinstance(caught.value, FileExistsError)
    assert list(Table.from_url(table.url)) == [{"a": 1}, {"a": 2}]


def test_rename_takes_the_next_free_name():
    names = [Table.from_dict(DATA, if_exists="rename", table_name="t").name for _ in range(3)]
    assert names == ["t", "t_0000", "t_0001"]


def test_overwrite_replaces_rows_and_identity():
    first = Table.from_dict(DATA, table_name="t")
    second = Table.from_dict(OTHER, table_name="t", if_exists="overwrite")
    assert second.url == first.url
    assert second.id != first.id
    assert list(Table.from_url(first.url)) == [{"a": 3}, {"a": 4}]


@pytest.mark.parametrize(
    "data",
    [
        DATA,
        {},
        {"a": []},
        {"a": [math.nan, None, 0.0]},
        {"a": [[math.nan, 1.0], None, []]},
        {"a": [{"x": math.nan}, None]},
        {"a": np.ones((2, 2))},
        {"a": [Image.new("L", (1, 1))], "b": ["x"]},
    ],
)
def test_reuse_returns_the_table_made_from_the_same_data(data, recwarn):
    first = Table.from_dict(data, table_name="t", add_weight_column=True)
    assert Table.from_dict(data, table_name="t", add_weight_column=True) == first
    unnamed = [Table.from_dict(data).url for _ in range(2)]
    assert unnamed[0] == unnamed[1]
    assert not recwarn.list


@pytest.mark.parametrize(
    "other",
    [
        OTHER,
        {"a": [1]},
        {"a": [1, 2, 3]},
        {"a": [1, None]},
        {"a": ["x", "y"]},
        {"b": [1, 2]},
        {"a": [1, 2], "b": [1, 2]},
        {},
    ],
    ids=str,
)
def test_reuse_warns_if_the_data_are_others_and_points_at_the_call(other):
    table = Table.from_dict(DATA, table_name="t")
    with pytest.warns(ReuseWarning, match=r"tables/t exists .* other data") as caught:
        assert Table.from_dict(other, table_name="t") == table
    assert caught[0].filename == __file__


def test_reuse_warns_if_a_column_is_gone():
    table = Table.from_dict({"a": [1], "b": [2]}, table_name="t")
    with pytest.warns(ReuseWarning):
        assert Table.from_dict({"a": [1]}, table_name="t") == table


@pytest.mark.parametrize("nan", [([math.nan], [0.0]), ([math.nan], [None]), ([[math.nan]], [[]])])
def test_nan_is_like_nan_only(nan):
    one, other = nan
    Table.from_dict({"a": [*one, *other]}, table_name="t")
    with pytest.warns(ReuseWarning):
        Table.from_dict({"a": [*other, *one]}, table_name="t")


def test_tables_nobody_named_are_told_apart_by_their_data():
    tables = [Table.from_dict(data) for data in (DATA, OTHER, DATA, OTHER, {"a": [5]}, OTHER)]
    assert [table.name for table in tables] == [
        *("table", "table_0000", "table", "table_0000", "table_0001", "table_0000")
    ]
    assert [table[0]["a"] for table in tables] == [1, 3, 1, 3, 5, 3]


def test_an_unknown_option_is_refused():
    with pytest.raises(OptionError, match="'replace'"):
        Table.from_dict(DATA, if_exists="replace")


@pytest.mark.parametrize("if_exists", ["reuse", "rename"])
def test_many_who_make_one_table_at_once_all_get_one(if_exists):
    def make(_):
        return Table.from_dict({"a": range(100)}, table_name="t", if_exists=if_exists)

    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(make, range(8)))
    assert len({table.id for table in tables}) == (1 if if_exists == "reuse" else 8)
    assert all([sample["a"] for sample in table] == list(range(100)) for table in tables)


def test_many_who_make_different_tables_at_once_get_their_own():
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda n: Table.from_dict({"a": [n]}), range(8)))
    assert [table[0]["a"] for table in tables] == list(range(8))
