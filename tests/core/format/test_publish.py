from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tlc.errors import (
    NameNotAllowedError,
    ObjectExistsError,
    ObjectKindError,
    OptionError,
    UrlExistsError,
)
from tlc.format.layout import place_of, table_url
from tlc.format.manifest import Data, RunManifest, Stack, TableManifest, now, read
from tlc.format.publish import claim, create, publish_table
from tlc.url import Url


def manifest(identity="i", path=()):
    stack = Stack(0, (Data((), path, identity),))
    return TableManifest(id=identity, created=now(), rows_schema={"values": {}}, stack=stack)


@pytest.fixture
def folder():
    return table_url("t", "d", "p")


@pytest.fixture
def taken(folder):
    create(folder, manifest("old"))
    return folder


@pytest.mark.parametrize("if_exists", ["raise", "rename", "overwrite", "reuse"])
def test_a_free_name_is_given(folder, if_exists):
    assert claim(folder, if_exists, "table") == folder
    assert publish_table(folder, manifest(), if_exists) == folder
    assert read(folder, TableManifest).id == "i"


def test_rename_gives_the_first_free_number(taken):
    assert claim(taken, "rename", "table").name == "t_0000"
    create(taken.create_sibling("t_0000"), manifest())
    assert claim(taken, "rename", "table").name == "t_0001"
    assert publish_table(taken, manifest("new"), "rename").name == "t_0001"
    assert read(taken, TableManifest).id == "old"


def test_raise_refuses_a_taken_name(taken):
    with pytest.raises(ObjectExistsError, match='if_exists="rename"') as caught:
        claim(taken, "raise", "table")
    assert isinstance(caught.value, (FileExistsError, UrlExistsError))
    with pytest.raises(ObjectExistsError):
        publish_table(taken, manifest("new"), "raise")
    assert read(taken, TableManifest).id == "old"


def test_overwrite_replaces(taken):
    assert claim(taken, "overwrite", "table") == taken
    assert publish_table(taken, manifest("new"), "overwrite") == taken
    assert read(taken, TableManifest).id == "new"


def test_overwrite_takes_the_place_of_a_damaged_table(taken):
    (taken / "manifest.json").write_bytes(b"")
    assert claim(taken, "overwrite", "table") == taken


def test_a_table_does_not_overwrite_a_run(folder):
    create(folder, RunManifest(id="run", created=now()))
    with pytest.raises(ObjectKindError, match="is a run"):
        claim(folder, "overwrite", "table")


def test_an_unknown_option_is_refused_with_those_there_are(folder):
    with pytest.raises(OptionError, match="'overwrite', 'raise', 'rename', 'reuse'") as caught:
        claim(folder, "replace", "table")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("names", "what"), [("Tdp", "table"), ("tDp", "dataset"), ("tdP", "project")]
)
def test_a_name_that_differs_from_a_sibling_by_case_only_is_refused(taken, names, what):
    with pytest.raises(NameNotAllowedError, match=f"name of a {what}"):
        claim(table_url(*names), "rename", "table")


def test_of_many_who_create_one_manifest_one_succeeds(folder):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: create(folder, manifest(str(n))), range(8)))
    assert made.count(True) == 1
    assert read(folder, TableManifest).id == str(made.index(True))


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("/r/p/datasets/d/tables/t", ("/r", "p", "d", "t")),
        ("/r/p/runs/x", ("/r", "p", "", "x")),
        ("/r/p/runs/x/metrics/m", ("/r", "p", "", "m")),
        ("s3://b/p/datasets/d/tables/t", ("s3://b", "p", "d", "t")),
        ("/anywhere/t", ("", "", "", "t")),
        ("/tables/t", ("", "", "", "t")),
    ],
)
def test_names_are_read_from_a_url(url, names):
    place = place_of(Url(url))
    assert (place.root, place.project, place.dataset, place.name) == names
