from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.errors import CorruptObjectError, ObjectKindError, UnsupportedFormatError
from tlc.format.manifest import (
    Concat,
    Data,
    FileEntry,
    Format,
    RunManifest,
    Stack,
    TableManifest,
    Take,
    decode,
    encode,
    file_entries,
)
from tlc.format.rebase import rebase_stack
from tlc.url import Url

WHERE = Url("/projects/p/datasets/d/tables/t")


def entry(path):
    return FileEntry(path, 10, "sha256:0", 3)


STACK = Stack(
    3,
    (
        Concat((Stack(3, (Data(("a",), (entry("data/a"),), "id", keys=entry("keys/k")),)),)),
        Take(entry("edits/t")),
    ),
)
TABLE = TableManifest(id="i", created="2020", rows_schema={"values": {}}, stack=STACK)
RUN = RunManifest(id="i", created="2020")


def test_a_manifest_is_read_as_it_was_written():
    assert decode(encode(TABLE), TableManifest, WHERE) == TABLE
    assert decode(encode(RUN), RunManifest, WHERE) == RUN


def test_a_manifest_is_json_that_anybody_can_read():
    data = json.loads(encode(TABLE))
    assert data["kind"] == "table"
    assert data["format"] == {"major": 1, "minor": 0}
    assert data["digest"].startswith("sha256:")


@given(st.data())
def test_a_changed_byte_is_noticed(data):
    good = encode(TABLE)
    position = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptObjectError):
        decode(bytes(bad), TableManifest, WHERE)


@given(st.integers(0, len(encode(TABLE)) - 1))
def test_a_cut_manifest_is_noticed(length):
    with pytest.raises(CorruptObjectError, match="damaged"):
        decode(encode(TABLE)[:length], TableManifest, WHERE)


@pytest.mark.parametrize(
    "changes", [{"format": Format(2, 0)}, {"required_features": ("layers", "time-travel")}], ids=str
)
def test_what_a_newer_version_wrote_is_refused_whatever_it_is(changes):
    newer = encode(msgspec.structs.replace(TABLE, **changes))
    for kind in (TableManifest, RunManifest):
        with pytest.raises(UnsupportedFormatError, match="upgrade"):
            decode(newer, kind, WHERE)


def test_what_a_minor_version_added_is_ignored():
    newer = msgspec.structs.replace(TABLE, format=Format(1, 9), operation={"a": "new thing"})
    assert decode(encode(newer), TableManifest, WHERE) == newer


def test_an_object_of_another_kind_is_named():
    with pytest.raises(ObjectKindError, match="is a run, not a table"):
        decode(encode(RUN), TableManifest, WHERE)
    with pytest.raises(ObjectKindError, match="is a table, not a run"):
        decode(encode(TABLE), RunManifest, WHERE)


def test_every_file_of_a_stack_is_listed():
    assert [each.path for each in file_entries(STACK)] == ["data/a", "keys/k", "edits/t"]


def test_paths_mean_the_same_files_from_another_folder():
    other = Url("/elsewhere/t2")
    moved = rebase_stack(STACK, WHERE, other)
    assert [Url(each.path).to_absolute(other) for each in file_entries(moved)] == [
        Url(each.path).to_absolute(WHERE) for each in file_entries(STACK)
    ]
    assert rebase_stack(moved, other, WHERE) == STACK
