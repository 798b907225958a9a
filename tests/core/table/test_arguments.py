"""What callers get wrong in arguments, and what they are told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tlc.errors import CellError, ColumnError, ObjectNotFoundError, SchemaError
from tlc.schemas import ImageSchema, Int32Schema, SampleWeightSchema
from tlc.table import Table
from tlc.writers import TableWriter


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (Int32Schema(), "not a dict from column name to schema"),
        ({"a": "int"}, "The schema of column 'a' is 'int'"),
        ({"a": Int32Schema}, r"Hint: write tlc.schemas.Int32Schema\(\)"),
    ],
)
def test_schemas_that_are_none(schema, message):
    with pytest.raises(SchemaError, match=message):
        Table.from_dict({"a": [1]}, schema=schema)
    with pytest.raises(SchemaError, match=message):
        TableWriter(schema=schema)


def test_extra_columns_without_schemas():
    with pytest.raises(SchemaError, match="extra_columns is"):
        Table.from_dict({"a": [1]}, extra_columns=["b"])


def test_a_misspelt_keyword_names_the_method_and_the_right_one():
    with pytest.raises(TypeError, match=r"Table.from_dict\(\).*'table_nme'.*'table_name'"):
        Table.from_dict({"a": [1]}, table_nme="x")


@pytest.mark.parametrize("add", [lambda: Table.from_dict([1]), lambda: TableWriter().add_row([1])])
def test_rows_without_column_names(add):
    with pytest.raises(ColumnError, match="a dict from column name to values, not as list"):
        add()


def test_one_input_table_needs_no_list(table):
    for number, given in enumerate([table, table.url, str(table.url), [table]]):
        child = Table.from_dict({"a": [1]}, table_name=f"child {number}", input_tables=given)
        assert child.input_tables == [table.url]
    with pytest.raises(ObjectNotFoundError, match=r"/nope"):
        TableWriter(input_tables="/nope")


def test_an_array_where_an_image_is_wanted():
    with pytest.raises(CellError, match=r"Row 0, column 'i'.*Hint: give a PIL image such as"):
        Table.from_dict({"i": [np.zeros((2, 2, 3), np.uint8)]}, schema={"i": ImageSchema()})


def test_arrays_of_no_dimension_are_numbers():
    table = Table.from_dict({"a": [torch.tensor(1), torch.tensor(2)], "b": [np.array(1.5), 2.5]})
    assert table[0] == {"a": 1, "b": 1.5}


def test_a_negative_weight_is_refused_when_it_is_written(table):
    schema = {"weight": SampleWeightSchema()}
    with pytest.raises(CellError, match=r"Row 1, column 'weight'.*smaller than 0"):
        Table.from_dict({"weight": [1.0, -1.0]}, schema=schema)


def test_a_table_that_was_given_no_description():
    assert Table.from_dict({"a": [1]}, description=None).description == ""
