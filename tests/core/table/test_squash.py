from __future__ import annotations

import shutil

import pytest

from tlc.errors import ObjectExistsError, ReuseWarning
from tlc.format.manifest import file_entries
from tlc.table import Table


@pytest.fixture
def edited(table, pictures):
    """A revision with every kind of layer below it."""
    return (
        Table.join_tables([table, table.set_values("n", [0], [10])], table_name="joined")
        .add_column("image", [*pictures, *pictures])
        .delete_rows([1])
        .set_values("boxes", [0, 1], [[7.0], None])
        .delete_column("weight")
    )


def test_a_squashed_table_has_the_same_rows_schema_and_keys(edited):
    squashed = edited.squash()
    assert list(squashed.table_rows) == list(edited.table_rows)
    assert squashed.rows_schema == edited.rows_schema
    keys, expected = squashed.row_keys(), edited.row_keys()
    assert keys[0].to_pylist() == expected[0].to_pylist()
    assert keys[1].tolist() == expected[1].tolist()


def test_without_a_name_it_is_the_next_revision(edited):
    squashed = edited.squash(description="small")
    assert squashed.name == "joined-r5"
    assert edited.latest() == squashed
    assert squashed.latest().input_tables == [edited.url]
    assert squashed.description == "small"


def test_with_a_name_it_is_a_table_of_its_own(edited, tmp_path):
    squashed = edited.squash("full", "e", "q", tmp_path / "root")
    assert squashed.url.to_str() == f"{tmp_path}/root/q/datasets/e/tables/full"
    assert edited.latest() == edited
    assert squashed.input_tables == [edited.url]
    assert squashed.set_values("n", [0], [3]).name == "full-r1"
    assert squashed[0]["image"].tobytes() == edited[0]["image"].tobytes()


def test_no_file_of_another_table_is_needed(edited):
    expected = list(edited.table_rows)
    squashed = edited.squash()
    assert all(not entry.path.startswith("..") for entry in file_entries(squashed._manifest.stack))
    for folder in squashed.url.parent.to_local_path().iterdir():
        if folder.name != squashed.name:
            shutil.rmtree(folder)
    again = Table.from_url(squashed.url)
    assert list(again.table_rows) == expected
    assert again[0]["image"].getpixel((0, 0)) == (0, 0, 0)
    assert len(again.row_keys()[0]) == len(expected)


def test_a_table_without_rows_or_columns_can_be_squashed(table):
    assert len(table.delete_rows([0, 1, 2]).squash()) == 0
    assert Table.from_dict({}, table_name="none").squash().columns == []


def test_a_table_of_many_files_is_read_back_in_order():
    table = Table.from_dict({"n": range(2_500_000)}).delete_rows([0])
    squashed = table.squash()
    assert len(squashed._manifest.stack.layers[0].files) == 3
    assert squashed.column("n").equals(table.column("n"))


def test_edits_go_on_after_a_squash(table):
    child = table.delete_rows([0]).squash().set_values("n", [0], [20]).delete_rows([1])
    assert [row["n"] for row in child.table_rows] == [20]
    assert child.row_keys()[0].to_pylist() == [table.id]
    assert child.row_keys()[1].tolist() == [1]


def test_a_taken_name(table, recwarn):
    first = table.squash(table_name="full")
    assert table.squash(table_name="full").name == "full_0000"
    assert table.squash(table_name="full", if_exists="reuse") == first
    assert not recwarn.list
    with pytest.raises(ObjectExistsError):
        table.squash(table_name="full", if_exists="raise")
    with pytest.warns(ReuseWarning) as caught:
        assert table.revise().squash(table_name="full", if_exists="reuse") == first
    assert caught[0].filename == __file__
