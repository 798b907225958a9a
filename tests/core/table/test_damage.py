"""What is damaged is named, and everything else works on."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.errors import (
    CorruptObjectError,
    DamagedObjectWarning,
    ObjectKindError,
    ObjectNotFoundError,
    UnsupportedFormatError,
)
from tlc.format.manifest import Format, TableManifest, encode, read
from tlc.run import init
from tlc.table import Table
from tlc.url import Url


def manifest_of(table):
    return table.url / "manifest.json"


def data_file_of(table):
    return next((table.url / "data").to_local_path().iterdir())


def flipped(good, data):
    """Return `good` with any one of its bits changed."""
    position, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
    return good[:position] + bytes([good[position] ^ (1 << bit)]) + good[position + 1 :]


def cut(table):
    manifest_of(table).write_bytes(manifest_of(table).read_bytes()[:-5])


def empty(table):
    manifest_of(table).write_bytes(b"")


def change(table):
    data = manifest_of(table).read_bytes()
    manifest_of(table).write_bytes(data.replace(b'"description": ""', b'"description": "x"'))


def replace(table, **changes):
    manifest = read(table.url, TableManifest)
    manifest_of(table).write_bytes(encode(msgspec.structs.replace(manifest, **changes)))


def newer(table):
    replace(table, format=Format(2, 0))


def feature(table):
    replace(table, required_features=("layers", "magic"))


DAMAGES = {
    empty: CorruptObjectError,
    cut: CorruptObjectError,
    change: CorruptObjectError,
    newer: UnsupportedFormatError,
    feature: UnsupportedFormatError,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_manifest_is_a_typed_error_that_names_the_table(table, damage):
    damage(table)
    with pytest.raises(DAMAGES[damage], match="tables/first") as caught:
        Table.from_url(table.url)
    assert isinstance(caught.value, ValueError)
    assert "Hint" in str(caught.value)


@pytest.mark.parametrize("damage", DAMAGES)
def test_latest_passes_over_a_damaged_revision_and_names_it(table, damage):
    good = table.set_values("n", [0], [5])
    bad = good.set_values("n", [0], [6])
    damage(bad)
    with pytest.warns(DamagedObjectWarning, match="tables/first-r2 was passed over") as caught:
        assert table.latest() == good
    assert len(caught) == 1
    with pytest.warns(DamagedObjectWarning):
        assert table.revisions() == [table, good]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_parent_does_not_hurt_its_children(table, damage):
    child = table.set_values("n", [0], [5])
    damage(table)
    assert [row["n"] for row in Table.from_url(child.url).table_rows] == [5, 2, 3]
    with pytest.warns(DamagedObjectWarning):
        assert child.latest() == child


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_bit_of_a_manifest_is_noticed(table, data):
    good = manifest_of(table).read_bytes()
    manifest_of(table).write_bytes(flipped(good, data))
    with pytest.raises(CorruptObjectError):
        Table.from_url(table.url)
    manifest_of(table).write_bytes(good)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_bit_of_a_data_file_is_noticed_or_harmless(table, data):
    file = data_file_of(table)
    good, rows = file.read_bytes(), list(table.table_rows)
    file.write_bytes(flipped(good, data))
    try:
        found = list(Table.from_url(table.url).table_rows)
    except CorruptObjectError as error:
        found = rows if str(file) in str(error) else error
    finally:
        file.write_bytes(good)
    assert found == rows


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_a_cut_data_file_is_named(table, length):
    file = data_file_of(table)
    file.write_bytes(file.read_bytes()[:length])
    opened = Table.from_url(table.url)
    assert len(opened) == 3
    with pytest.raises(CorruptObjectError, match=f"{file.name} is damaged"):
        opened[0]


def test_a_missing_data_file_is_named_and_other_columns_are_read(table):
    child = table.add_column("m", [1, 2, 3])
    data_file_of(table).unlink()
    child = Table.from_url(child.url)
    assert child.column("m").to_pylist() == [1, 2, 3]
    with pytest.raises(CorruptObjectError, match="is missing"):
        child.column("n")
    with pytest.raises(CorruptObjectError):
        child[0]


def test_a_damaged_file_of_an_edit_leaves_the_parent_readable(table):
    child = table.set_values("n", [0], [5])
    next((child.url / "edits").to_local_path().iterdir()).write_bytes(b"PAR1")
    with pytest.raises(CorruptObjectError, match="edits"):
        Table.from_url(child.url).column("n")
    assert table.column("n").to_pylist() == [1, 2, 3]
    assert Table.from_url(child.url).column("label").to_pylist() == [0, 1, 0]


# Something else than a table


def test_a_run_is_no_table():
    with pytest.raises(ObjectKindError, match=r"is a run, not a table.*Run\.from_url") as caught:
        Table.from_url(init("p").url)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("where", ["a file", "a folder", "a data file", "the folder of tables"])
def test_what_is_no_table_is_a_value_error(table, tmp_path, where):
    file = tmp_path / "a.parquet"
    file.write_bytes(b"x")
    url = {
        "a file": file,
        "a folder": tmp_path,
        "a data file": data_file_of(table),
        "the folder of tables": table.url.parent,
    }[where]
    with pytest.raises(ObjectKindError, match="is not a table") as caught:
        Table.from_url(url)
    assert isinstance(caught.value, ValueError)
    assert not isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("name", ["nowhere", "no/where", "a b.parquet"])
def test_what_is_nowhere_is_not_found(tmp_path, name):
    with pytest.raises(ObjectNotFoundError, match=name) as caught:
        Table.from_url(Url(tmp_path / name))
    assert isinstance(caught.value, FileNotFoundError)
    assert not isinstance(caught.value, ValueError)


def test_an_unfinished_table_is_passed_over_in_silence(table, recwarn):
    (table.url.create_sibling("unfinished") / "data" / "a.parquet").write_bytes(b"x")
    assert table.latest() == table
    assert not recwarn.list
    with pytest.raises(ObjectKindError, match="did not finish"):
        Table.from_url(table.url.create_sibling("unfinished"))
