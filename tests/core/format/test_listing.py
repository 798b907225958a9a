from __future__ import annotations

import pytest

from tlc.catalog import list_tables
from tlc.format.listing import folder_names, folders, manifests
from tlc.format.publish import object_exists
from tlc.table import Table
from tlc.url import Url, UrlAdapterRegistry


@pytest.fixture
def tables(tmp_path):
    """A folder with one object."""
    folder = Url(tmp_path / "tables")
    (folder / "t" / "manifest.json").write_bytes(b"t")
    return folder


def test_folders_without_manifest_are_no_objects(tables):
    (tables / "unfinished" / "data" / "a.parquet").write_bytes(b"x")
    (tables / "notes.txt").write_bytes(b"x")
    assert folder_names(tables) == ["t", "unfinished"]
    assert list(manifests(folders(tables))) == [(tables / "t", b"t")]
    assert not object_exists(tables / "unfinished")


def test_a_manifest_that_cannot_be_read_does_not_hide_the_others(tables):
    (tables / "a" / "manifest.json" / "is a folder").write_bytes(b"x")
    assert list(manifests(folders(tables))) == [(tables / "a", b""), (tables / "t", b"t")]


def test_all_of_many_are_read_in_their_order(tables):
    names = [f"u{number:04d}" for number in range(600)]
    for name in names:
        (tables / name / "manifest.json").write_bytes(name.encode())
    read = [(url.name, data.decode()) for url, data in manifests(folders(tables))]
    assert read == [(name, name) for name in ["t", *names]]


def test_nothing_is_listed_where_nothing_is(tmp_path):
    assert folders(Url(tmp_path / "nowhere")) == []


@pytest.mark.parametrize("root", ["memory://listing", None], ids=["far", "here"])
def test_tables_are_listed_by_dataset_and_name(root, tmp_path):
    root = Url(root or tmp_path)
    for dataset in ("b", "a", "c"):
        for name in ("t", "s"):
            Table.from_dict(
                {"n": [1]}, table_name=name, dataset_name=dataset, project_name="p", root_url=root
            )
    found = [(entry.url.parent.parent.name, entry.url.name) for entry in list_tables(root / "p")]
    assert found == [(dataset, name) for dataset in "abc" for name in "st"]
    assert list_tables(root / "q") == []
    UrlAdapterRegistry.delete_tree(root / "p")
