"""A project is a folder: moved, renamed or copied, it opens as before."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tlc.errors import CellError, ImageReadError
from tlc.schemas import ExternalNumpyArraySchema, ImageSchema, Schema
from tlc.table import Table
from tlc.url import Url


@pytest.fixture
def move(tmp_path):
    """Move the folder of all projects, and return a table at its new place."""

    def move(table):
        old, new = tmp_path / "tlc" / "projects", tmp_path / "elsewhere" / "of mine"
        new.parent.mkdir()
        old.rename(new)
        return Table.from_url(table.url.to_str().replace(str(old), str(new)))

    return move


def colours(table):
    return [sample["image"].getpixel((0, 0))[0] for sample in table]


def test_rows_have_absolute_urls_also_after_a_move(pictures, move):
    table = move(Table.from_dict({"image": pictures}))
    for row in table.table_rows:
        assert row["image"].startswith(table.root_url + "/")
        assert Url(row["image"]).exists()
    assert colours(table) == [0, 1, 2]


def test_files_named_inside_of_cells_move_too(pictures, move):
    nested = Schema(values={"image": ImageSchema(), "more": ImageSchema(shape=(-1,))})
    cells = [{"image": image, "more": [image, None]} for image in pictures]
    table = move(Table.from_dict({"c": [*cells, None]}, {"c": nested}))
    assert table[1]["c"]["image"].getpixel((0, 0)) == (1, 0, 0)
    assert table[2]["c"]["more"][0].getpixel((0, 0)) == (2, 0, 0)
    assert table[2]["c"]["more"][1] is table[3]["c"] is None


def test_arrays_in_files_move_too(move):
    schema = {"a": ExternalNumpyArraySchema()}
    table = move(Table.from_dict({"a": [np.arange(3), np.ones((2, 2))]}, schema))
    assert table[0]["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("change", ["edit", "join", "delete", "squash", "rename", "chain"])
def test_tables_made_from_others_move_with_them(pictures, move, change):
    table = Table.from_dict({"image": pictures, "n": [0, 1, 2]}, table_name="t")
    other = Table.from_dict({"image": pictures[::-1], "n": [0, 1, 2]}, table_name="u")
    made, expected = {
        "edit": lambda: (table.set_values("image", [0], [pictures[2]]), [2, 1, 2]),
        "join": lambda: (Table.join_tables([table, other]), [0, 1, 2, 2, 1, 0]),
        "delete": lambda: (table.delete_rows([1]), [0, 2]),
        "squash": lambda: (table.set_values("image", [1], [pictures[0]]).squash(), [0, 0, 2]),
        "rename": lambda: (table.set_schema("image", ImageSchema("pil_jpeg")), [0, 1, 2]),
        "chain": lambda: (
            Table.join_tables([table.set_values("image", [0], [pictures[1]]), other])
            .delete_rows([0, 5])
            .set_values("image", [-1], [other.table_rows[0]["image"]]),
            [1, 2, 2, 2],
        ),
    }[change]()
    assert colours(made) == expected
    assert colours(move(made)) == expected


def test_lineage_moves_with_the_project(table, move):
    child = table.set_values("n", [0], [5])
    moved = move(table)
    assert moved.latest().id == child.id
    assert moved.latest().input_tables == [moved.url]
    assert [each.id for each in moved.latest().history()] == [table.id, child.id]


def test_a_table_outside_of_a_project_takes_its_files_along(pictures, tmp_path):
    table = Table.from_dict({"image": pictures})
    subset = table.delete_rows([0], table_url=tmp_path / "alone" / "subset")
    edited = subset.set_values("image", [0], [pictures[0]]).set_values("image", [1], [pictures[1]])
    assert colours(edited) == [0, 1]
    (tmp_path / "alone").rename(tmp_path / "apart")
    assert colours(Table.from_url(tmp_path / "apart" / edited.name)) == [0, 1]


def test_a_copy_stands_for_itself(pictures, tmp_path):
    table = Table.from_dict({"image": pictures})
    copied = tmp_path / "copy"
    shutil.copytree(table.root_url, copied)
    shutil.rmtree(table.root_url)
    again = Table.from_names(root_url=copied)
    assert again.id == table.id
    assert colours(again) == [0, 1, 2]


def test_a_picture_that_is_gone_is_named_with_its_row(pictures):
    table = Table.from_dict({"image": pictures, "n": [0, 1, 2]})
    Url(table.table_rows[1]["image"]).delete()
    with pytest.raises(ImageReadError, match="Row 1, column 'image'") as caught:
        table[1]
    assert table.table_rows[1]["image"] in str(caught.value)
    assert isinstance(caught.value, OSError)
    assert colours([table[0], table[2]]) == [0, 2]
    assert table.table_rows[1]["n"] == 1


def test_an_array_file_that_is_damaged_is_named_with_its_row():
    table = Table.from_dict({"a": [np.arange(3)] * 2}, {"a": ExternalNumpyArraySchema()})
    Url(table.table_rows[1]["a"]).write_bytes(b"no array")
    with pytest.raises(CellError, match=r"Row 1, column 'a'.*\.npy") as caught:
        table[1]
    assert (caught.value.row, caught.value.column) == (1, "a")


@pytest.mark.parametrize("location", ["../../files", "files", ".", "../../../files/", "./a/../b"])
def test_files_in_a_folder_that_is_relative_to_the_table_move_too(pictures, move, location):
    cells = [{"image": image} for image in pictures]
    schema = Schema(values={"image": ImageSchema()}, bulk_data_location=location)
    table = Table.from_dict({"c": cells}, {"c": schema}, dataset_name="d", table_name="t")
    first = table.set_values("c", [0], [cells[2]])
    edited = first.set_values("c", [2], [cells[1]]).delete_rows([1])
    before = [row["c"]["image"] for row in edited.table_rows]
    folders = {Url(location).to_absolute(each.url) for each in edited.history()}
    assert {Url(url).parent for url in before} <= folders
    moved = move(edited)
    for url, row in zip(before, moved.table_rows, strict=True):
        assert row["c"]["image"] == url.replace(str(table.root_url), str(moved.root_url))
    assert [sample["c"]["image"].getpixel((0, 0))[0] for sample in moved] == [2, 1]


@pytest.mark.parametrize("absolute", [True, False])
def test_files_of_a_column_may_have_a_folder_of_their_own(pictures, tmp_path, absolute):
    location = str(tmp_path / "files") if absolute else "../../files"
    schema = {"image": ImageSchema(bulk_data_location=location)}
    table = Table.from_dict({"image": pictures}, schema)
    edited = table.set_values("image", [0], [pictures[2]])
    folder = tmp_path / "files" if absolute else table.url.parent.parent / "files"
    for row in [*table.table_rows, *edited.table_rows]:
        assert Url(row["image"]).parent == Url(folder)
    assert colours(edited) == [2, 1, 2]
