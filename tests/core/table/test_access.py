"""All ways of reading a table give the same, whatever was decoded before and wherever it lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc import schemas
from tlc.schemas import Schema
from tlc.table import Table, store

KINDS = {
    "number": (schemas.Int16Schema(), st.integers(-9, 9)),
    "half": (schemas.Float32Schema(), st.floats(-2, 2, width=16)),
    "yes": (schemas.BoolSchema(), st.booleans()),
    "text": (schemas.StringSchema(), st.text("aä\n", max_size=3)),
    "url": (schemas.UrlSchema(), st.sampled_from(["/a", "/b/c", "s3://d/e", ""])),
    "list": (schemas.Int32Schema(shape=(-1,)), st.lists(st.integers(0, 3), max_size=3)),
    "pair": (schemas.Float32Schema(shape=(2,)), st.lists(st.just(0.5), min_size=2, max_size=2)),
    "boxes": (
        Schema(
            values={
                "instances": schemas.Float32Schema(shape=(-1, 4)),
                "more": Schema(values={"label": schemas.Int32Schema(shape=(-1,))}),
            }
        ),
        st.fixed_dictionaries(
            {
                "instances": st.lists(st.just([0.0, 1.0, 2.0, 3.0]), max_size=2),
                "more": st.fixed_dictionaries({"label": st.lists(st.integers(0, 9), max_size=2)}),
            }
        ),
    ),
    "hidden": (schemas.StringSchema(sample_type="hidden"), st.sampled_from(["x", "y"])),
}
# How a table that is larger than memory is read, and one in a worker process.
MODES = {
    "all in memory": {},
    "few in memory": {"memory_share": lambda: 1, "cache_size": "0"},
    "in files": {"in_worker": lambda: True, "_WORTH_SHARING": -1},
}


@st.composite
def tables(draw):
    """Return a table of several layers and parts, and its rows."""
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4, unique=True))
    schema = {name: KINDS[name][0] for name in names}
    parts, rows = [], []
    for _ in range(draw(st.integers(1, 4))):
        part = draw(st.lists(_row(names), min_size=1, max_size=4))
        columns = {name: [row[name] for row in part] for name in names}
        parts.append(Table.from_dict(columns, schema, if_exists="rename"))
        rows += part
    table = Table.join_tables(parts) if len(parts) > 1 else parts[0]
    if draw(st.booleans()):
        gone = draw(st.sets(st.integers(0, len(rows) - 1), max_size=len(rows) - 1))
        table = table.delete_rows(sorted(gone))
        rows = [row for number, row in enumerate(rows) if number not in gone]
    changed = draw(st.lists(st.integers(0, len(rows) - 1), max_size=3))
    for name in draw(st.lists(st.sampled_from(names), max_size=2)):
        values = [draw(st.none() | KINDS[name][1]) for _ in changed]
        table = table.set_values(name, changed, values)
        for number, value in zip(changed, values, strict=True):
            rows[number] = {**rows[number], name: value}
    return Table.from_url(table.url), rows


def _row(names):
    return st.fixed_dictionaries({name: st.none() | KINDS[name][1] for name in names})


def sample(row):
    return {name: value for name, value in row.items() if name != "hidden"}


def plain(batch):
    """Return the columns of a batch as lists; what is NaN there is missing in rows."""
    columns = {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in batch.items()}
    for name in ("half", "pair"):
        if name in columns:
            columns[name] = [None if np.isnan(v).any() else v for v in columns[name]]
    return columns


def check(table, rows, how, where):
    """Read in one way, and compare with what should be there."""
    if how == "sample":
        assert [table[k] for k in where] == [sample(rows[k]) for k in where]
    elif how == "row":
        assert [table.table_rows[k] for k in where] == [rows[k] for k in where]
    elif how == "samples":
        assert table.__getitems__(where) == [sample(rows[k]) for k in where]
    elif how == "all":
        assert list(table) == [sample(row) for row in rows]
        assert list(table.table_rows) == rows
    elif how == "columns":
        assert table.to_arrow().to_pylist() == rows
    elif how == "batch":
        names = [n for n in rows[0] if n not in ("number", "yes")]
        expected = {name: [rows[k][name] for k in where] for name in names}
        assert plain(table.get_batch(where, names)) == expected
    else:
        name = next(iter(rows[0]))
        assert table.column(name).to_pylist() == [row[name] for row in rows]


WAYS = ("sample", "row", "samples", "batch", "all", "columns", "column")


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_all_ways_of_reading_agree(mode, data, monkeypatch):
    table, rows = data.draw(tables())
    for name, value in MODES[mode].items():
        if name == "cache_size":
            monkeypatch.setenv("TLC_CACHE_SIZE", value)
        else:
            monkeypatch.setattr(store, name, value)
    for how in data.draw(st.lists(st.sampled_from(WAYS), min_size=1, max_size=5)):
        where = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9))
        check(table, rows, how, where)
