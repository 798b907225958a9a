"""Shards that are large, that lie, or that change while they are read."""

from __future__ import annotations

import io
import tarfile
import tracemalloc

import numpy as np
import pytest
from tests.core.importers.labelled import column_bytes
from tests.core.importers.test_webdataset import GOOD, cut, image, member, pack, sample

from tlc.errors import AnnotationFileError, OptionError, SchemaError, UrlNotFoundError
from tlc.importers import tar_samples, webdataset
from tlc.importers.webdataset import from_webdataset
from tlc.table import Table

__all__ = ["pack"]


def keys(table):
    return [row["__key__"] for row in table.table_rows]


def raw_header(name, kind, size):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(("name", "limit"), [("_ROWS", 1), ("_ROWS", 3), ("_BYTES", 1)])
def test_the_size_of_batches_changes_nothing(pack, monkeypatch, name, limit):
    path = pack([each for number in range(7) for each in sample(f"s{number}", number)])
    whole = Table.from_webdataset(path, table_name="whole")
    monkeypatch.setattr(webdataset, name, limit)
    parts = Table.from_webdataset(path, table_name="parts")
    assert [row["label"] for row in parts] == [*range(7)]
    assert [row["image"].getpixel((0, 0))[0] for row in parts] == [*range(7)]
    assert parts.import_report == whole.import_report
    assert parts.source == whole.source


def test_rows_can_be_taken_twice(pack):
    source = from_webdataset(pack(GOOD), None)
    first, second = ([dict(batch) for batch in source.batches()] for _ in range(2))
    assert first == second
    assert source.report().rows == 2


def test_what_small_files_hold_is_not_kept_between_the_looks(pack):
    text = b"x" * (1 << 18)
    path = pack([member(f"{number:03d}.txt", text) for number in range(100)])
    tracemalloc.start()
    try:
        source = from_webdataset(path, None)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4 << 20
    assert sum(len(batch["txt"]) for batch in source.batches()) == 100


@pytest.mark.parametrize(
    "others",
    [
        [*sample("a", 1), *sample("b", 3)],
        [*sample("a", 1), *sample("c", 2)],
        [*sample("a", 1), member("b.png", image(2)), member("b.id", b"2\n")],
        [*sample("a", 1)],
        [*GOOD, *sample("c", 3)],
        [*sample("a", 1), member("b.png", image(2)), member("b.cls", b"x\n")],
    ],
)
def test_a_shard_that_changes_while_it_is_read(pack, others):
    path = pack(GOOD)
    source = from_webdataset(path, None)
    pack(others)
    with pytest.raises(SchemaError, match=r"a\.tar has changed"):
        list(source.batches())


def test_a_shard_that_goes_while_it_is_read(pack):
    path = pack(GOOD)
    source = from_webdataset(path, None)
    path.unlink()
    with pytest.raises(UrlNotFoundError):
        list(source.batches())


def test_samples_with_faults_are_left_out_of_the_second_look_too(pack):
    members = [member("x.cls", b"x"), *sample("a", 1), member("y.json", b"{"), *sample("b", 2)]
    assert keys(Table.from_webdataset(pack(members), on_error="skip")) == ["a", "b"]


@pytest.mark.parametrize("length", range(2000, 42000, 1700))
def test_both_looks_find_the_same_in_a_damaged_compressed_shard(pack, length):
    random = np.random.default_rng(3)
    members = [member(f"{number:02d}.bin", random.bytes(1900)) for number in range(20)]
    path = cut(pack(members, "a.tgz", "w:gz"), length)
    table = Table.from_webdataset(path, on_error="skip")
    assert keys(table) == [f"{number:02d}" for number in range(len(table))]
    damaged = bytearray(pack(members, "a.tgz", "w:gz").read_bytes())
    damaged[length % 38000] ^= 0x5A
    path.write_bytes(damaged)
    for row in Table.from_webdataset(path, on_error="skip", table_name="other"):
        assert row["bin"]


def test_a_key_that_comes_again_later_is_noted(pack):
    members = [member("a.png", image(1)), *sample("b", 2), member("a.cls", b"1")]
    table = Table.from_webdataset(pack(members))
    assert keys(table) == ["a", "b", "a"]
    assert table.import_report.counts == {"TAR_KEY": 1}
    assert table.import_report.examples["TAR_KEY"][0].record == "sample 'a'"


def test_shards_may_have_the_same_keys(pack, tmp_path):
    for name in ("a.tar", "b.tar"):
        pack(GOOD, name)
    table = Table.from_webdataset(tmp_path)
    assert (keys(table), table.import_report.counts) == (["a", "b"] * 2, {})


@pytest.mark.parametrize("name", ["c\udcff.cls", "c.\udcff", "\udcff/c.cls"])
def test_names_that_are_no_text(pack, name):
    path = pack([*GOOD, member(name, b"1")])
    with pytest.raises(AnnotationFileError, match="NAME_NOT_TEXT"):
        Table.from_webdataset(path)
    table = Table.from_webdataset(path, on_error="skip")
    assert (keys(table), table.import_report.counts) == (["a", "b"], {"NAME_NOT_TEXT": 1})


def test_columns_never_take_the_place_of_others(pack):
    members = {"a.b": b"1", "a_b": b"2", "__key__": b"3", "cls": b"4", "label": b"5", "image": b"6"}
    path = pack([member(f"x.{end}", content) for end, content in members.items()])
    table = Table.from_webdataset(path)
    (row,) = table.table_rows
    assert (row["__key__"], row["label"]) == ("x", 4)
    found = []
    for name in ["a_b", "tar_a_b", "tar___key__", "tar_label", "image"]:
        with open(table[0][name], "rb") as file:
            found.append(file.read())
    assert sorted(found) == [b"1", b"2", b"3", b"5", b"6"]


def test_files_that_are_too_large(pack, monkeypatch):
    monkeypatch.setattr(webdataset, "_LARGEST_CELL", 10)
    path = pack([*GOOD, member("c.txt", b"x" * 11), member("d.txt", b"x" * 10)])
    table = Table.from_webdataset(path, on_error="skip")
    assert (keys(table), table.import_report.counts) == (["a", "b", "d"], {"TAR_SIZE": 1})


def test_samples_that_are_too_large(pack, monkeypatch):
    monkeypatch.setattr(tar_samples, "LARGEST", 1000)
    members = [member(f"c.{end}", bytes(600)) for end in ("x", "y", "z")]
    with pytest.raises(AnnotationFileError, match="1200 bytes") as caught:
        Table.from_webdataset(pack([*GOOD, *members]))
    assert {each.code for each in caught.value.problems} == {"TAR_SIZE"}


@pytest.mark.parametrize(
    "header",
    [
        raw_header("x", tarfile.XHDTYPE, 1 << 40),
        raw_header("x", tarfile.XGLTYPE, 1 << 40),
        raw_header("x", tarfile.GNUTYPE_LONGNAME, 1 << 40),
        raw_header("c.png", tarfile.REGTYPE, -512),
        raw_header("x", tarfile.XHDTYPE, 17) + b"17 size=-2000000\n".ljust(512, b"\0"),
        raw_header("x", tarfile.XGLTYPE, 17) + b"17 size=-2000000\n".ljust(512, b"\0"),
        raw_header("x", tarfile.XHDTYPE, 0) * 5000,
    ],
)
def test_headers_that_lie_are_refused(pack, header):
    path = pack(GOOD)
    content = path.read_bytes().rstrip(b"\0")
    content += bytes(-len(content) % 512)
    path.write_bytes(content + header + tarfile.TarInfo("d.cls").tobuf() + bytes(1024))
    with pytest.raises(AnnotationFileError, match="TAR_DAMAGED"):
        Table.from_webdataset(path)


def test_long_names_are_read(pack):
    for name, form in (("pax.tar", tarfile.PAX_FORMAT), ("gnu.tar", tarfile.GNU_FORMAT)):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
            info, content = member("ä" * 300 + ".cls", b"7")
            archive.addfile(info, io.BytesIO(content))
        path = pack([], name)
        path.write_bytes(buffer.getvalue())
        assert keys(Table.from_webdataset(path, table_name=name[:3])) == ["ä" * 300]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("{0..2}", ["0", "1", "2"]),
        ("{2..0}", ["2", "1", "0"]),
        ("{09..10}", ["09", "10"]),
        ("{8..010}", ["008", "009", "010"]),
        ("{9..11}", ["9", "10", "11"]),
        ("{1..1}", ["1"]),
        ("{0..1}-{2..3}", ["0-2", "0-3", "1-2", "1-3"]),
    ],
)
def test_patterns_stand_for_what_a_shell_makes_of_them(pack, tmp_path, pattern, names):
    for name in names:
        pack(sample(name, 1), f"{name}.tar")
    assert keys(Table.from_webdataset(f"{tmp_path}/{pattern}.tar")) == names


@pytest.mark.parametrize(
    "pattern",
    ["{0..1000000000000}", "{1000000000000..0}", "{0..9}" * 40, f"{{0..{'9' * 99}}}"],
)
def test_patterns_that_stand_for_too_many_shards(tmp_path, pattern):
    with pytest.raises(OptionError, match="more than 1000000 shards"):
        Table.from_webdataset(f"{tmp_path}/{pattern}.tar")


@pytest.mark.parametrize("pattern", [f"{{0..{'9' * 100}}}", "{a..c}", "{-1..2}", "{0..}"])
def test_what_is_no_pattern_is_a_name(tmp_path, pattern):
    with pytest.raises(UrlNotFoundError):
        Table.from_webdataset(f"{tmp_path}/{pattern}.tar")


def test_one_missing_shard_of_many_is_told(pack, tmp_path):
    pack(GOOD, "0.tar")
    with pytest.raises(UrlNotFoundError, match=r"1\.tar"):
        Table.from_webdataset(f"{tmp_path}/{{0..1}}.tar")


def test_the_order_of_shards_makes_other_tables(pack, tmp_path):
    for number in range(2):
        pack(sample(f"s{number}", number), f"{number}.tar")
    up, down = (Table.from_webdataset(f"{tmp_path}/{each}.tar") for each in ("{0..1}", "{1..0}"))
    assert (keys(up), keys(down)) == (["s0", "s1"], ["s1", "s0"])
    assert column_bytes(up) != column_bytes(down)
