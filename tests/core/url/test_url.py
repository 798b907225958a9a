from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tlc.errors import (
    ObjectNotFoundError,
    UnknownSchemeError,
    UnsupportedOperationError,
    UrlNotFoundError,
)
from tlc.url import Scheme, Url, UrlAdapterRegistry

LETTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0")
NAMES = st.text(LETTERS, min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))
TRICKY = st.sampled_from(
    ["a b", "ü", "#", "?x=1", "a&b", "%41", "<DATA>", "C:", "C:\\", "s3:", "\\"]
)
FOLDERS = st.lists(NAMES | TRICKY, max_size=4).map(lambda names: "/" + "/".join(names))


@given(path=FOLDERS, owner=FOLDERS)
@example(path="/<DATA>/a", owner="/")
@example(path="/C:\\a", owner="/")
def test_a_relative_path_leads_back(path, owner):
    url = Url(path)
    stored = url.to_relative(owner)
    assert not stored.is_absolute
    assert Url(str(stored)).to_absolute(owner) == url
    assert str(url.to_absolute()) == os.path.normpath(path)


@given(path=FOLDERS, owner=FOLDERS)
def test_a_relative_url_leads_back(path, owner):
    url, owner = Url(f"memory://host{path.replace('?', '')}"), f"memory://host{owner}"
    assert url.to_relative(owner).to_absolute(owner) == url


@given(pieces=st.lists(LETTERS | st.sampled_from(["/", "://", "file://", "C:/", "..", "\\"])))
def test_there_is_one_spelling(pieces):
    url = Url("".join(pieces))
    absolute = url.to_absolute()
    assert Url(str(url)) == url
    assert absolute.to_absolute() == absolute
    assert Url(str(absolute)) == absolute


@given(name=NAMES)
def test_a_file_url_is_a_path(name):
    assert Url(Path("/", name).as_uri()) == Url(Path("/", name)) == Url(f"/{name}")


@given(folder=FOLDERS, name=NAMES)
def test_name_and_parent_undo_a_join(folder, name):
    url = Url(folder) / f"./{name}"
    assert url.name == name
    assert url.parent.to_absolute() == Url(folder)
    assert url.parts[-1] == name
    assert url.create_sibling("./x").to_absolute() == (Url(folder) / "x")


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("/a/b/", "/a/b"),
        ("/", "/"),
        ("//", "/"),
        ("a/b", "a/b"),
        ("file:///a%20b?c", "/a b?c"),
        ("file://localhost/a", "/a"),
        ("FILE:///C:/a", "C:/a"),
        ("file://C:/a", "C:/a"),
        ("file://server/share", "//server/share"),
        ("C:\\data\\a.png", "C:/data/a.png"),
        ("C:\\", "C:/"),
        ("S3://bucket/a/", "s3://bucket/a"),
        ("gcs://bucket/a", "gs://bucket/a"),
        ("azure://container/a", "abfs://container/a"),
        ("https://host/a/", "https://host/a/"),
        ("/data/s3://a", "/data/s3://a"),
    ],
)
def test_spelling(text, spelling):
    assert str(Url(text)) == spelling


@pytest.mark.parametrize(
    ("text", "scheme", "path", "query", "parts"),
    [
        ("/a/b.png", "file", "/a/b.png", "", ("/", "a", "b.png")),
        ("a/b?c#d", "file", "a/b?c#d", "", ("a", "b?c#d")),
        ("C:\\a", "file", "C:/a", "", ("C:/", "a")),
        ("s3://bucket/a/b?v=1", "s3", "bucket/a/b", "v=1", ("s3://bucket", "a", "b")),
        ("nifti-slice:///data/x.nii?slice=3", "nifti-slice", "/data/x.nii", "slice=3", None),
        ("nifti-slice:///C:/x.nii?slice=3", "nifti-slice", "C:/x.nii", "slice=3", None),
        ("img-https://host/a.png?w=1?2", "img-https", "host/a.png", "w=1?2", None),
        ("s3://bucket", "s3", "bucket", "", ("s3://bucket",)),
    ],
)
def test_parts(text, scheme, path, query, parts):
    url = Url(text)
    assert (url.scheme, url.path, url.query) == (scheme, path, query)
    assert parts is None or url.parts == parts


@pytest.mark.parametrize(
    ("text", "parent"),
    [
        ("/a/b", "/a"),
        ("/a", "/"),
        ("/", "/"),
        ("a", "."),
        ("C:/a", "C:/"),
        ("s3://bucket/a?q", "s3://bucket"),
        ("s3://bucket", "s3://bucket"),
        ("<DATA>/a", "<DATA>"),
        ("<DATA>", "<DATA>/.."),
    ],
)
def test_parent(text, parent):
    assert Url(text).parent == Url(parent)


def test_schemes_are_text_and_members():
    scheme = Url("/a").scheme
    assert scheme == "file"
    assert scheme is Scheme.FILE
    assert f"{scheme}" == "file"
    assert Url("img-https://host/a").scheme.removeprefix("img-") == Scheme.HTTPS


def test_is_a_value():
    url = Url("/a/b")
    assert url == Url(Path("/a/b")) == Url(url) == copy.deepcopy(url)
    assert url != "/a/b"
    assert len({url, Url("/a/b/"), Url("/a")}) == 2
    assert pickle.loads(pickle.dumps(url)) == url
    assert (str(url), f"{url}/c", repr(url), url.to_str()) == (
        "/a/b",
        "/a/b/c",
        "Url('/a/b')",
        "/a/b",
    )
    with pytest.raises(AttributeError):
        url.path = "/c"
    with pytest.raises(TypeError):
        Url(3)


def test_absolute_starts_from_the_working_directory_or_the_owner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Url("a/../b").to_absolute() == Url(tmp_path / "b")
    assert Url("").to_absolute() == Url(tmp_path)
    assert Url("a.png").to_absolute("/p/tables/t") == Url("/p/tables/t/a.png")
    assert Url("../x").to_absolute(owner=Url("/p/tables/t")) == Url("/p/tables/x")
    assert Url("../x").to_absolute("t/u") == Url(tmp_path / "t/x")
    assert Url("../x?q=1").to_absolute("s3://b/t/?q=2") == Url("s3://b/x?q=1")
    assert Url("/a").to_absolute("/p") == Url("/a")


def test_dots_are_resolved_where_there_are_folders():
    assert str(Url("/a/./b/../../../c//d").to_absolute()) == "/c/d"
    assert str(Url("s3://b/x/../y/./z?a/../b").to_absolute()) == "s3://b/y/z?a/../b"
    assert str(Url("s3://b/x//y").to_absolute()) == "s3://b/x//y"
    assert str(Url("https://h/x/../y").to_absolute()) == "https://h/x/../y"


def test_relative_without_owner_can_be_used_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Url("a.png").to_relative() == Url(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("memory://a/x", "memory://b/x"),
        ("memory://a/x", "/p"),
        ("/x", "memory://a"),
        ("C:/x", "D:/x"),
        ("not-registered://a/x", "not-registered://a"),
    ],
)
def test_stays_absolute_where_there_is_no_way(text, owner):
    assert Url(text).to_relative(owner) == Url(text)


def test_join():
    assert Url("/a") / "b" / Url("c") / Path("d") == Url("/a/b/c/d")
    assert Url("/a") / "/b" == Url("/b")
    assert Url("/a") / "s3://b/c" == Url("s3://b/c")
    assert Url("s3://b?q") / "c" == Url("s3://b/c")
    assert Url(".") / "c" == Url("c")


def test_reads_and_writes(tmp_path):
    url = Url(tmp_path) / "ü b.txt"
    assert not url.exists()
    assert url.write_bytes("grün".encode()) == url
    assert (url.read_bytes(), url.read()) == ("grün".encode(), "grün")
    url.delete()
    with pytest.raises(UrlNotFoundError, match=r"ü b\.txt"):
        url.read_bytes()


def test_is_a_path_for_the_operating_system(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Url("a?b.txt").write_bytes(b"content")
    with open(Url("a?b.txt"), "rb") as file:
        assert file.read() == b"content"
    assert Url("a?b.txt").to_local_path() == Path(Url("a?b.txt")) == tmp_path / "a?b.txt"
    with pytest.raises(UnsupportedOperationError, match="memory://a"):
        os.fspath(Url("memory://a"))


def test_unique_names(tmp_path):
    url = Url(tmp_path) / "a.tar.json"
    for name in ("a.tar.json", "a.tar_0000.json", "a.tar_0001.json"):
        assert url.create_unique().name == name
        url.create_unique().write_bytes(b"")
    folder = Url(tmp_path) / "v1.5"
    UrlAdapterRegistry.make_dirs(folder)
    assert folder.create_unique().name == "v1.5_0000"


def test_unknown_schemes_are_named():
    with pytest.raises(UnknownSchemeError, match=r"'what'.*abfs, file, gs, .*memory, .*s3"):
        Url("what://bucket/a").read_bytes()


def test_writing_can_be_patched_and_copying_does_not_use_it(tmp_path, monkeypatch):
    def refuse(url, content):
        raise PermissionError("patched")

    url = (Url(tmp_path) / "a").write_bytes(b"content")
    monkeypatch.setattr(UrlAdapterRegistry, "write_binary_content_to_url", refuse)
    with pytest.raises(PermissionError, match="patched"):
        url.write_bytes(b"other")
    for backup in (Url(tmp_path) / "b", Url("memory://backup/b")):
        UrlAdapterRegistry.copy_url(url, backup)
        assert backup.read_bytes() == b"content"


def test_opens_its_object(tmp_path):
    objects = pytest.importorskip("tlc.objects")
    assert objects.open_object
    with pytest.raises(ObjectNotFoundError):
        _ = Url(tmp_path / "missing").object
