"""What is published can be read back, and what cannot be read hides nothing else."""

from __future__ import annotations

import hashlib

import pytest

import tlc
from tlc.errors import (
    DamagedObjectWarning,
    OptionError,
    RowIndexTypeError,
    SchemaError,
    UnknownSampleTypeError,
    UnsupportedFormatError,
)
from tlc.format import manifest as manifests
from tlc.format.manifest import MANIFEST, TableManifest, read
from tlc.schemas import Schema, SemanticSegmentationSchema, UrlSchema
from tlc.table import Table
from tlc.writers import TableWriter

ATTRIBUTES = {
    "display_name": 3,
    "description": ["a"],
    "writable": "yes",
    "computable": "no",
    "display_importance": "high",
    "sample_type": 3,
    "default_visible": "no",
    "metadata": [1],
    "bulk_data_location": 3,
}


def rewrite(table, old, new):
    """Change a manifest as a faulty program would: with a digest that fits."""
    file = table.url / MANIFEST
    body = file.read_bytes()[: -manifests._TRAILER_LENGTH]
    assert old in body
    body = body.replace(old, new, 1)
    file.write_bytes(body + manifests._TRAILER % hashlib.sha256(body).hexdigest().encode())


def null_description(table):
    rewrite(table, b'"description": ""', b'"description": null')


def no_type(table):
    rewrite(table, b'"int64"', b"64")


# What is published can be read back


def test_no_description_is_an_empty_one(table):
    made = [
        table.set_values("n", [0], [1], description=None),
        table.set_value_map("label", ["a"], description=None),
        table.add_column("m", [1, 2, 3], description=None),
        table.delete_column("n", description=None),
        table.delete_rows([0], description=None),
        table.set_schema("n", tlc.schemas.Int64Schema(), description=None),
        table.squash(description=None),
        Table.join_tables([table], table_name="joined", description=None),
    ]
    writer = TableWriter(description=None)
    writer.add_row({"n": 1})
    made.append(writer.finalize())
    assert [Table.from_url(each.url).description for each in made] == [""] * len(made)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_none_in_a_schema_means_the_default(name):
    schema = Schema.from_sample(1.0)
    setattr(schema, name, None)
    assert schema == Schema.from_sample(1.0)
    writer = TableWriter(schema={"n": schema})
    writer.add_row({"n": 1.0})
    table = Table.from_url(writer.finalize().url)
    assert getattr(table.rows_schema["n"], name) == getattr(Schema(), name)
    changed = table.set_schema("n", schema)
    assert changed.rows_schema == table.rows_schema


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_wrong_type_in_a_schema_is_named_and_nothing_is_published(table, name):
    schema = Schema.from_sample(1.0)
    writer = TableWriter(schema={"box": Schema(values={"x": schema})}, if_exists="overwrite")
    writer.add_row({"box": {"x": 1.0}})
    setattr(schema, name, ATTRIBUTES[name])
    for _ in range(2):
        with pytest.raises(SchemaError, match=rf"'box\.x': '{name}' cannot be"):
            writer.finalize()
    with pytest.raises((SchemaError, UnknownSampleTypeError), match=name.replace("_", ".")):
        table.set_schema("n", schema)
    assert table.latest() == table
    setattr(schema, name, None)
    assert list(writer.finalize().table_rows) == [{"box": {"x": 1.0}}]


@pytest.mark.parametrize(
    "metadata",
    [
        {"$float": "x"},
        {"$bytes": "AA=="},
        {"$$a": {"$": [float("inf"), b"\x00"]}},
        {"__float__": 1},
    ],
)
def test_metadata_come_back_whatever_their_keys(table, metadata):
    schema = Schema.from_sample(1)
    schema.metadata = metadata
    table.set_schema("n", schema)
    assert table.latest().rows_schema.values["n"].metadata == metadata


@pytest.mark.parametrize("metadata", [{"a": "\ud800"}, {"\ud800": 1}])
def test_metadata_that_would_not_come_back_are_refused(table, metadata):
    schema = Schema.from_sample(1)
    schema.metadata = metadata
    before = (table.url / MANIFEST).read_bytes()
    with pytest.raises(SchemaError):
        table.set_schema("n", schema)
    with pytest.raises(SchemaError):
        Table.from_dict({"n": [1]}, schema={"n": schema}, if_exists="overwrite", **NAMES)
    assert (table.url / MANIFEST).read_bytes() == before
    assert table.latest() == table


NAMES = {"table_name": "first", "dataset_name": "d", "project_name": "p"}


@pytest.mark.parametrize("description", [3, "\ud800"])
def test_a_description_that_is_no_text_replaces_nothing(table, description):
    before = (table.url / MANIFEST).read_bytes()
    with pytest.raises(OptionError, match="cannot be written") as caught:
        Table.from_dict({"n": [1]}, if_exists="overwrite", description=description, **NAMES)
    assert isinstance(caught.value, ValueError)
    assert (table.url / MANIFEST).read_bytes() == before


def test_a_copied_schema_may_lack_metadata():
    import copy

    schema = Schema.from_sample(1.0)
    schema.metadata = None
    assert copy.copy(schema).metadata == {}


# What cannot be read hides nothing else


@pytest.mark.parametrize("damage", [null_description, no_type])
def test_an_unreadable_revision_is_named_and_the_next_newest_is_taken(table, damage):
    good = table.set_values("n", [0], [5])
    bad = good.set_values("n", [0], [6])
    worse = bad.set_values("n", [0], [7])
    damage(bad)
    damage(worse)
    with pytest.warns(DamagedObjectWarning) as caught:
        assert table.latest() == good
    assert [w.filename for w in caught] == [__file__] * 2
    assert "first-r3 was passed over" in str(caught[0].message)
    assert "first-r2 was passed over" in str(caught[1].message)
    with pytest.warns(DamagedObjectWarning) as caught:
        assert table.revisions() == [table, good]
    assert [w.filename for w in caught] == [__file__] * 2
    with pytest.warns(DamagedObjectWarning, match="first-r2 was passed over"):
        assert worse.history() == [table, good, worse]


def test_an_unreadable_branch_is_no_branch(table):
    left, right = table.set_values("n", [0], [5]), table.set_values("n", [0], [6])
    null_description(right)
    with pytest.warns(DamagedObjectWarning) as caught:
        assert table.latest() == left
    assert len(caught) == 1


def test_an_unreadable_parent_does_not_hide_its_child(table, recwarn):
    bad = table.set_values("n", [0], [5])
    child = bad.set_values("n", [0], [6])
    null_description(bad)
    assert table.latest() == child
    assert not recwarn.list


def test_what_a_newer_version_wrote_is_an_error_where_it_is_opened(table, monkeypatch):
    child = table.set_values("n", [0], [5])

    def too_new(url):
        raise UnsupportedFormatError(f"{url} is too new")

    monkeypatch.setattr(Table, "from_url", staticmethod(too_new))
    with pytest.raises(UnsupportedFormatError, match=child.name):
        table.latest()


# Tables do not change


def test_what_a_table_says_of_its_schema_can_be_changed_without_changing_the_table(table):
    element = tlc.schemas.MapElement("bird")
    for schema in (table.rows_schema, table.row_schema, table.schema["rows"]):
        schema["label"].value.map[5] = element
        schema["n"].display_name = "N"
        del schema.values["boxes"]
    table.get_value_map("label")[5] = element
    child = table.set_values("n", [0], [5])
    for each in (table, child):
        assert each.get_simple_value_map("label") == {0: "cat", 1: "dog"}
        assert each.rows_schema["n"].display_name == ""
        assert each.columns == ["n", "label", "boxes", "weight"]


# Arguments of edits


def test_only_numbers_have_names():
    table = Table.from_dict(
        {"text": ["a"], "flag": [True], "x": [0.5], "url": ["u"], "mask": ["m.png"]},
        schema={"url": UrlSchema(), "mask": SemanticSegmentationSchema(classes=["a"])},
    )
    for name in ("text", "url"):
        with pytest.raises(SchemaError, match=f"'{name}' holds string.*numbers"):
            table.set_value_map(name, ["a", "b"])
    for name in ("flag", "x", "mask"):
        child = table.set_value_map(name, ["off", "on"])
        assert child.get_simple_value_map(name) == {0: "off", 1: "on"}
    assert read(table.url, TableManifest).revision == 0


@pytest.mark.parametrize("rows", [0, slice(0, 2), None, 0.5, [True, False, True]])
def test_rows_that_are_no_list_of_numbers_are_refused(table, rows):
    for edit in (
        lambda: table.set_values("label", rows, 1),
        lambda: table.set_values("label", rows, [1]),
        lambda: table.delete_rows(rows),
    ):
        with pytest.raises(RowIndexTypeError, match="list of row numbers") as caught:
            edit()
        assert isinstance(caught.value, TypeError)


def test_rows_may_come_one_by_one(table):
    assert table.set_values("label", iter([0, 2]), 1).column("label").to_pylist() == [1, 1, 1]
    assert len(table.delete_rows(number for number in range(2))) == 1
