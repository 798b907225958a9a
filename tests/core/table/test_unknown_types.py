"""Columns of types that a newer version brought, and manifests that say what cannot be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest

import tlc
from tlc.errors import CorruptObjectError
from tlc.format import parquet


def rewrite(table, change):
    """Change what a manifest says, with a digest that fits, and open the table anew."""
    path = Path(str(table.url)) / "manifest.json"
    value = json.loads(path.read_bytes())
    del value["digest"]
    change(value)
    body = json.dumps(value)[:-1].encode()
    path.write_bytes(
        body + b',\n  "digest": "sha256:%s"\n}\n' % hashlib.sha256(body).hexdigest().encode()
    )
    return tlc.Table.from_url(table.url)


@pytest.fixture
def made():
    columns = {
        "n": [1, 2, None],
        "point": [{"x": 1, "y": 2}, {"x": None, "y": 0}, None],
        "list": [[1, 2], [], None],
    }
    return tlc.Table.from_dict(columns, table_name="made")


def unknown(*path):
    def change(value):
        schema = value["rows_schema"]["values"]
        for name in path[:-1]:
            schema = schema[name]["values"]
        schema[path[-1]]["value"] = {"type": "quaternion", "axes": 4}

    return change


def test_cells_of_an_unknown_type_are_text(made):
    table = rewrite(made, unknown("n"))
    assert [row["n"] for row in table.table_rows] == ["1", "2", None]
    assert [sample["n"] for sample in table] == ["1", "2", None]
    assert table.column("n").type == pa.string()
    assert table.rows_schema.values["n"].to_dict()["value"] == {"type": "quaternion", "axes": 4}
    assert [row["list"] for row in table.table_rows] == [[1, 2], [], None]


def test_so_are_parts_of_columns(made):
    table = rewrite(made, unknown("point", "x"))
    assert table.table_rows[0]["point"] == {"x": "1", "y": 2}
    assert table.table_rows[1]["point"] == {"x": None, "y": 0}
    assert rewrite(made, unknown("list")).table_rows[0]["list"] == ["1", "2"]


def test_revisions_keep_the_type(made):
    table = rewrite(made, unknown("n")).add_column("more", [1, 2, 3])
    assert table.rows_schema.values["n"].to_dict()["value"]["type"] == "quaternion"
    assert table.table_rows[1]["n"] == "2"


BAD = {
    "rows": lambda value: value["stack"].update(row_count=-1),
    "length": lambda value: value["stack"]["layers"][0]["files"][0].update(length=-5),
    "revision": lambda value: value.update(revision=1 << 60),
    "schema": lambda value: (
        value["rows_schema"]["values"]["n"].update(value={"type": "int8[]", "x": 1})
        or value["rows_schema"]["values"].update(m={"values": 3})
    ),
    "role": lambda value: value["rows_schema"]["values"]["n"].update(
        value={"type": "string", "string_role": {"a": 1}}
    ),
    "infinite": lambda value: value["rows_schema"]["values"]["n"].update(
        size0={"type": "dimension", "value_max": {"$float": "inf"}}
    ),
    "deep source": lambda value: value.update(source={"a": _deep(100)}),
    "deeper schema": lambda value: value.update(rows_schema=_deep(300)),
    "deepest": lambda value: value.update(operation={"a": _deep(900)}),
}


def _deep(levels):
    value = {}
    for _ in range(levels):
        value = {"values": value}
    return value


@pytest.mark.parametrize("change", BAD)
def test_a_manifest_that_says_what_cannot_be_is_damaged(made, change):
    with pytest.raises(CorruptObjectError, match="tables/made"):
        rewrite(made, BAD[change])


def test_keys_that_do_not_fit_the_rows(made):
    squashed = made.delete_rows([0]).squash(table_name="squashed")

    def change(value):
        keys = parquet.write(
            squashed.url, "keys/other.parquet", pa.table({"origin": ["a"], "index": [0]})
        )
        value["stack"]["layers"][0]["keys"] = {
            name: getattr(keys, name) for name in keys.__struct_fields__
        }

    with pytest.raises(CorruptObjectError, match="there are 1 for 2 rows"):
        rewrite(squashed, change).row_keys()


def test_a_segment_that_does_not_say_what_its_columns_mean(made):
    run = tlc.init("p")
    writer = tlc.MetricsTableWriter(run, made)
    parquet.write(writer.url, "rank-0/foreign.parquet", pa.table({"loss": [1.0]}))
    with pytest.raises(CorruptObjectError, match="what its columns mean"):
        tlc.Table.from_url(writer.url)


def test_a_segment_in_the_place_of_another(made):
    run = tlc.init("p")
    writer = tlc.MetricsTableWriter(run, made)
    writer.add_batch({"example_id": [0], "loss": [1.0]})
    writer.flush()
    path = next(Path(str(writer.url)).glob("rank-0/*"))
    path.rename(path.with_name("other.parquet"))
    with pytest.raises(CorruptObjectError, match="which lies in another file's place"):
        tlc.Table.from_url(writer.url)
