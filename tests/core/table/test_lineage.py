from __future__ import annotations

import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from tlc.errors import BranchWarning, OptionError, RevisionConflictError
from tlc.format.manifest import MANIFEST, Parent, encode
from tlc.table import SetValues, Table
from tlc.table.keys import row_numbers


def edit(table, value=0, **options):
    return table.revise(SetValues("n", [0], [value]), **options)


def test_a_table_without_children_is_its_latest(table):
    assert table.latest() == table
    assert table.revisions() == table.history() == [table]
    assert table.input_tables == []


def test_latest_follows_revisions_from_any_of_them(table):
    second = edit(table)
    third = second.delete_rows([2])
    for each in (table, second, third, Table.from_url(table.url)):
        assert each.latest() == third
        assert each.revisions() == [table, second, third]
    assert third.history() == [table, second, third]
    assert second.history() == [table, second]
    assert third.input_tables == [second.url]


def test_latest_does_not_follow_what_is_no_revision(table):
    table.delete_rows([0], table_url=table.url.create_sibling("train"))
    Table.join_tables([table, table], table_name="joined")
    table.squash(table_name="full")
    Table.from_dict({"n": [1]}, table_name="other", dataset_name="d", project_name="p")
    Table.from_dict(
        {"n": [1]}, table_name="made", dataset_name="d", project_name="p", input_tables=[table.url]
    )
    assert table.latest() == table
    assert table.revisions() == [table]


def test_of_branches_the_newest_wins_and_a_warning_names_the_others(table):
    left = edit(edit(table, 1), 2)
    right = edit(table, 3)
    with pytest.warns(BranchWarning) as caught:
        assert table.latest() == right
    message = str(caught[0].message)
    assert str(left.url) in message
    assert message.index(str(right.url)) < message.index(str(left.url))
    newest = edit(left, 4)
    with pytest.warns(BranchWarning, match=str(right.url)):
        assert table.latest() == newest
    assert table.revisions()[0] == table
    assert set(table.revisions()) == {table, newest, right, *left.history()}


def test_on_a_branch_there_is_no_other(table):
    left, right = edit(table, 1), edit(table, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (left.latest(), right.latest()) == (left, right)
    assert right.history() == [table, right]


def test_edits_of_the_newest_revision_are_taken(table):
    second = edit(table, base=table.url)
    assert edit(second, base=str(second.url)).latest().name == "first-r2"


@pytest.mark.parametrize("edited", ["the base", "the newest"])
def test_a_base_that_is_no_longer_the_newest_is_a_conflict(table, edited):
    newest = edit(table)
    with pytest.raises(RevisionConflictError, match="the newest revision is") as caught:
        edit(table if edited == "the base" else newest, base=table.url)
    assert (caught.value.base, caught.value.latest) == (table.url, newest.url)
    assert isinstance(caught.value, ValueError)
    assert table.revisions() == [table, newest]


def test_of_many_who_edit_one_base_at_once_one_succeeds(table):
    def attempt(value):
        try:
            return edit(table, value, base=table.url)
        except RevisionConflictError:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [child for child in pool.map(attempt, range(8)) if child is not None]
    assert len(made) == 1
    assert table.latest() == made[0]
    assert made[0].name == "first-r1"


def test_a_revision_of_a_given_base_has_its_usual_name(table):
    with pytest.raises(OptionError, match="'mine'"):
        edit(table, base=table.url, name="mine")
    assert table.latest() == table


def test_of_many_who_edit_without_a_base_all_succeed(table):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda value: edit(table, value), range(8)))
    assert [child[0]["n"] for child in made] == list(range(8))
    assert len({child.url for child in made}) == 8
    assert {edit(child).name.rpartition("_")[0] or "first-r2" for child in made} == {"first-r2"}


def test_children_of_an_overwritten_table_stay_readable(table):
    child = edit(table, 10).delete_rows([1])
    replaced = Table.from_dict(
        {"other": [1]},
        table_name="first",
        dataset_name="d",
        project_name="p",
        if_exists="overwrite",
    )
    assert replaced.url == table.url
    child = Table.from_url(child.url)
    assert [row["n"] for row in child.table_rows] == [10, 3]
    assert replaced.latest() == replaced
    assert [each.name for each in child.history()] == ["first-r1", "first-r2"]


def test_a_table_that_was_overwritten_while_open_has_no_lineage_any_more(table):
    Table.from_dict(
        {"n": [1]}, table_name="first", dataset_name="d", project_name="p", if_exists="overwrite"
    )
    assert table.latest() is table
    assert table.revisions() == table.history() == [table]
    assert [row["n"] for row in table.table_rows] == [1, 2, 3]


def test_a_revision_that_was_overwritten_is_none_any_more(table):
    first = edit(table)
    second = edit(first)
    assert table.latest() == second
    for revision, rest in ((second, [table, first]), (first, [table])):
        other = Table.from_dict(
            {"n": [1]},
            table_name=revision.name,
            dataset_name="d",
            project_name="p",
            if_exists="overwrite",
        )
        assert table.latest() == rest[-1]
        assert table.revisions() == rest
        assert other.latest() == other


def test_a_folder_in_the_place_of_another_has_its_own_lineage(table, tmp_path):
    edit(table)
    assert len(table.revisions()) == 2
    tables = table.url.parent.to_local_path()
    tables.rename(tmp_path / "before")
    shutil.copytree(tmp_path / "before" / "first", tables / "first")
    other = edit(Table.from_url(table.url), 9)
    assert table.revisions() == [table, other]
    assert table.latest()[0]["n"] == 9


def test_manifests_that_lead_in_a_circle_end_the_search(table):
    child = edit(edit(table))
    for each, parent in ((table, child), (child, table)):
        manifest = each._manifest
        parents = (Parent(f"../{parent.name}", parent.id, "revision"),)
        made = msgspec.structs.replace(manifest, parents=parents)
        (each.url / MANIFEST).write_bytes(encode(made))
    table = Table.from_url(table.url)
    assert table in table.revisions()
    assert len(table.history()) == 2
    assert table.latest().id in {each.id for each in table.revisions()}


def test_rows_are_found_again_by_their_keys(table):
    shorter = edit(table).delete_rows([1])
    joined = Table.join_tables([shorter, table])
    assert row_numbers(shorter, table).tolist() == [0, 2]
    assert row_numbers(table, shorter).tolist() == [0, -1, 1]
    assert row_numbers(joined, table).tolist() == [0, 2, 0, 1, 2]
    assert row_numbers(table, joined.delete_rows([0]).squash()).tolist() == [1, 2, 0]
    other = Table.from_dict({"n": [1, 2, 3]}, table_name="other")
    assert row_numbers(table, other).tolist() == [-1] * 3
    assert row_numbers(other, table.delete_rows([0, 1, 2])).tolist() == [-1] * 3
    assert row_numbers(table.delete_rows([0, 1, 2]), other).tolist() == []


def test_a_folder_that_was_deleted_and_made_anew_is_read_anew(tmp_path):
    for value in range(1, 4):
        first = Table.from_dict({"n": [0]}, table_name="t", root_url=tmp_path / "root")
        second = first.set_values("n", [0], [value])
        assert first.revisions() == [first, second]
        assert Table.from_url(first.url).latest() == second
        assert second[0] == {"n": value}
        shutil.rmtree(tmp_path / "root")
