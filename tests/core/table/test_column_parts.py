"""Columns in parts, for tables that are too large to be read at once."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tlc.errors import ColumnNotFoundError
from tlc.table import Table


def test_parts_one_below_the_other_are_the_columns():
    rows = 300_000
    table = Table.from_dict({"n": pa.array(range(rows)), "half": pa.array([0.5] * rows)})
    table = table.set_values("n", [0, rows - 1], [-1, -2]).delete_rows([7])
    parts = list(table.column_parts(["n", "half"]))
    assert len(parts) > 1
    assert all(part.keys() == {"n", "half"} for part in parts)
    for name in ("n", "half"):
        assert pa.concat_arrays([part[name] for part in parts]) == table.column(name)


def test_a_table_without_rows_has_no_parts_and_a_column_that_is_not_there_is_an_error():
    empty = Table.from_dict({"n": pa.array([], pa.int64())})
    assert sum(len(part["n"]) for part in empty.column_parts(["n"])) == 0
    with pytest.raises(ColumnNotFoundError):
        empty.column_parts(["m"])
