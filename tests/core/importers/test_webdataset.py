from __future__ import annotations

import gzip
import io
import json
import tarfile

import datasets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.common.trees import tree_digest

from tlc import schemas
from tlc.errors import AnnotationFileError, ColumnError, UrlNotFoundError
from tlc.schemas.values import DictValue
from tlc.table import Table


def image(colour=0, kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (colour, 0, 0)).save(buffer, kind)
    return buffer.getvalue()


def member(name, content=b"", **changes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, content


@pytest.fixture
def pack(tmp_path):
    def pack(members, name="a.tar", mode="w"):
        path = tmp_path / name
        with tarfile.open(path, mode) as archive:
            for info, content in members:
                archive.addfile(info, io.BytesIO(content))
        return path

    return pack


def sample(key, number, **others):
    files = {"png": image(number), "cls": b"%d\n" % number, **others}
    return [member(f"{key}.{end}", content) for end, content in files.items()]


def test_files_of_one_name_are_a_sample(pack):
    array = io.BytesIO()
    np.save(array, np.arange(3))
    files = {
        "json": json.dumps({"a": [1, None]}).encode(),
        "txt": "ä cat".encode(),
        "seg.png": image(7),
        "npy": array.getvalue(),
        "wav": b"RIFF\0\0\0\0WAVE",
    }
    path = pack([*sample("x/0", 0, **files), *sample("x/1", 1)])
    before = tree_digest(path)
    table = Table.from_webdataset(path)
    assert tree_digest(path) == before
    assert table.columns == (
        ["__key__", "image", "label", "json", "txt", "seg", "npy", "wav", "weight"]
    )
    assert isinstance(table.rows_schema.values["json"].value, DictValue)
    first, second = table
    assert (first["__key__"], second["__key__"]) == ("x/0", "x/1")
    assert first["image"].getpixel((0, 0)) == (0, 0, 0)
    assert second["image"].getpixel((0, 0)) == (1, 0, 0)
    assert (first["label"], first["json"], first["txt"]) == (0, {"a": [1, None]}, "ä cat")
    assert first["seg"].getpixel((0, 0)) == (7, 0, 0)
    assert first["npy"].tolist() == [0, 1, 2]
    with open(first["wav"], "rb") as file:
        assert file.read() == files["wav"]
    assert {second[name] for name in ["json", "txt", "seg", "npy", "wav"]} == {None}


def test_images_of_several_formats_are_one_column_unless_a_sample_has_two(pack):
    jpeg = image(kind="JPEG")
    path = pack([member("0.png", image()), member("1.JPG", jpeg), member("2.jpeg", jpeg)])
    table = Table.from_webdataset(path)
    assert table.columns == ["__key__", "image", "weight"]
    assert [row["image"].format for row in table] == ["PNG", "JPEG", "JPEG"]
    path = pack([member("0.png", image()), member("0.jpg", jpeg)], "b.tar")
    assert Table.from_webdataset(path).columns == ["__key__", "png", "jpg", "weight"]


def test_shards_are_named_by_patterns_lists_and_folders(pack, tmp_path):
    for number in range(3):
        pack(sample(f"s{number}", number), f"shard-{number:03d}.tar")
    expected = ["s0", "s1", "s2"]
    paths = [tmp_path / f"shard-{number:03d}.tar" for number in range(3)]
    for shards in (str(tmp_path / "shard-{000..002}.tar"), paths, tmp_path):
        table = Table.from_webdataset(shards, if_exists="overwrite")
        assert [row["__key__"] for row in table] == expected


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_compressed_shards_are_read(pack, ending):
    path = pack(sample("a", 1), f"a.tar.{ending}", f"w:{ending}")
    assert Table.from_webdataset(path)[0]["label"] == 1


def test_a_schema_says_what_a_column_is(pack):
    path = pack(sample("a", 1))
    schema = {"label": schemas.CategoricalLabelSchema(["cat", "dog"])}
    table = Table.from_webdataset(path, schema)
    assert table.get_simple_value_map("label") == {0: "cat", 1: "dog"}
    with pytest.raises(ColumnError, match="'nosuch'"):
        Table.from_webdataset(path, {"nosuch": schemas.Int32Schema()})


def test_the_same_shards_are_reused_and_others_are_not(pack):
    path = pack(sample("a", 1))
    first = Table.from_webdataset(path)
    assert Table.from_webdataset(path) == first
    pack(sample("a", 2))
    assert Table.from_webdataset(path) != first


def test_names_lead_nowhere_and_links_are_left_out(pack, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    members = [
        *sample("../../up", 1),
        *sample("/etc/absolute", 2),
        member("link.txt", type=tarfile.SYMTYPE, linkname=str(secret)),
        member("hard.txt", type=tarfile.LNKTYPE, linkname=str(secret)),
        member("pipe.txt", type=tarfile.FIFOTYPE),
        member("README", b"no ending"),
        member("__notes__.json", b"{"),
        member(".hidden.cls", b"x"),
        member("folder.d", type=tarfile.DIRTYPE),
    ]
    before = sorted(path.name for path in tmp_path.parent.iterdir())
    table = Table.from_webdataset(pack(members))
    assert [row["__key__"] for row in table] == ["../../up", "/etc/absolute"]
    assert table.import_report.counts == {"TAR_MEMBER": 4}
    assert str(tmp_path / "up") not in table.table_rows[0]["image"]
    assert sorted(path.name for path in tmp_path.parent.iterdir()) == before


def cut(path, length):
    path.write_bytes(path.read_bytes()[:length])
    return path


def broken_header(path):
    content = bytearray(path.read_bytes())
    with tarfile.open(path) as archive:
        offset = archive.getmembers()[4].offset
    content[offset : offset + 8] = b"\xff" * 8
    path.write_bytes(content)
    return path


GOOD = [*sample("a", 1), *sample("b", 2)]
# How a shard with the good samples a and b comes about, the rule that it breaks, and the place.
BAD = {
    "number": (
        lambda pack: pack([*GOOD, member("c.cls", b"two")]),
        ("TAR_CONTENT", "sample 'c', file 'c.cls'"),
    ),
    "large number": (
        lambda pack: pack([*GOOD, member("c.cls", b"9" * 30)]),
        ("TAR_CONTENT", "sample 'c', file 'c.cls'"),
    ),
    "json": (
        lambda pack: pack([*GOOD, member("c.json", b"{")]),
        ("TAR_CONTENT", "sample 'c', file 'c.json'"),
    ),
    "deep json": (
        lambda pack: pack([*GOOD, member("c.json", b"[" * 100_000)]),
        ("TAR_CONTENT", "sample 'c', file 'c.json'"),
    ),
    "text": (
        lambda pack: pack([*GOOD, member("c.txt", b"\xff\xfe")]),
        ("TAR_CONTENT", "sample 'c', file 'c.txt'"),
    ),
    "twice": (
        lambda pack: pack([*GOOD, member("c.png", image()), member("c.PNG", image())]),
        ("TAR_DUPLICATE", "sample 'c', file 'c.PNG'"),
    ),
    "cut": (
        lambda pack: cut(pack([*GOOD, member("c.png", bytes(5000))]), 4 * 1024 + 2000),
        ("TAR_DAMAGED", "sample 'c', file ''"),
    ),
    "cut compressed": (
        lambda pack: cut(
            pack([*GOOD, member("c.png", np.random.default_rng(1).bytes(5000))], "a.tgz", "w:gz"),
            3000,
        ),
        ("TAR_DAMAGED", "sample 'c', file ''"),
    ),
    "header": (
        lambda pack: broken_header(pack([*GOOD, *sample("c", 3)])),
        ("TAR_DAMAGED", "sample 'b', file ''"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_shard_that_is_wrong_is_refused(pack, name):
    make, (code, record) = BAD[name]
    path = make(pack)
    before = tree_digest(path)
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_webdataset(path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.record) == (code, str(path), record)
    assert tree_digest(path) == before


@pytest.mark.parametrize("name", BAD)
def test_a_sample_that_is_wrong_can_be_left_out(pack, name):
    make, (code, _) = BAD[name]
    table = Table.from_webdataset(make(pack), on_error="skip")
    expected = ["a"] if name == "header" else ["a", "b"]
    assert [row["__key__"] for row in table] == expected
    assert [row["label"] for row in table] == [1, 2][: len(expected)]
    assert table.import_report.counts == {code: 1}


@pytest.mark.parametrize(
    "content", [b"", b"no tar", gzip.compress(b"no tar", mtime=0), b"\x1f\x8b\x08cut"]
)
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(AnnotationFileError, match="TAR_DAMAGED"):
        Table.from_webdataset(path)


def test_a_size_that_is_a_lie_costs_no_memory(pack, tmp_path):
    path = pack(GOOD)
    info, _ = member("c.png")
    info.size = 1 << 40
    path.write_bytes(path.read_bytes().rstrip(b"\0") + bytes(512) + info.tobuf())
    with pytest.raises(AnnotationFileError):
        Table.from_webdataset(path)


def test_shards_that_are_not_there_are_not_found(tmp_path):
    with pytest.raises(UrlNotFoundError):
        Table.from_webdataset(tmp_path / "a.tar")
    with pytest.raises(UrlNotFoundError, match="no tar in the folder"):
        Table.from_webdataset(tmp_path)


keys = st.text("abc/é ", min_size=1, max_size=4).filter(lambda key: not key.endswith("/"))


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(keys, st.tuples(st.integers(0, 9), st.text("aä\n", max_size=3)), min_size=1))
def test_samples_are_those_that_datasets_reads(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("wds")
    with tarfile.open(folder / "a.tar", "w") as archive:
        for key, (number, text) in rows.items():
            for info, content in sample(key, number, txt=text.encode()):
                archive.addfile(info, io.BytesIO(content))
    expected = datasets.load_dataset(
        "webdataset", data_files=str(folder / "a.tar"), split="train", cache_dir=str(folder / "c")
    )
    table = Table.from_webdataset(folder / "a.tar", if_exists="overwrite")
    for row, other in zip(table, expected, strict=True):
        assert (row["__key__"], row["label"], row["txt"]) == (
            other["__key__"],
            other["cls"],
            other["txt"],
        )
        assert row["image"].tobytes() == other["png"].tobytes()
