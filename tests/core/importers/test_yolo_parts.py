"""YOLO data sets are read in parts; where one ends makes no difference to the table."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.importers.labelled import HEIGHT, WIDTH, YoloFolder, column_bytes, image_bytes

from tlc.errors import AnnotationFileError, OptionError
from tlc.importers import text_pieces, yolo
from tlc.importers.yolo import YoloOptions, from_yolo_url
from tlc.importers.yolo_ndjson import from_yolo_ndjson
from tlc.importers.yolo_parts import Seen, keys_of
from tlc.table import Table
from tlc.url import Url

MEMBERS = {"detect": "boxes", "segment": "segments", "pose": "pose", "obb": "obb"}
GOOD = {
    "detect": [1, 0.5, 0.5, 0.5, 0.5],
    "segment": [1, 0.1, 0.1, 0.5, 0.1, 0.5, 0.5],
    "pose": [1, 0.5, 0.5, 0.5, 0.5, 0.2, 0.2, 2, 0.3, 0.3, 0],
    "obb": [1, 0.1, 0.1, 0.5, 0.1, 0.5, 0.5, 0.1, 0.5],
}
CLASSES = ["a", "b"]
SIZES = (40, 200, 1000)


def outcome(source):
    """Return rows and report of a source, or which records are wrong."""
    columns, schema = {}, {name: each.to_dict() for name, each in source.schema.items()}
    try:
        for batch in source.batches():
            for name, cells in batch.items():
                columns.setdefault(name, []).extend(cells.to_pylist())
    except AnnotationFileError as error:
        return str(error).split(":")[0], places(error.problems), dict(source.fingerprint)
    report = source.report()
    counts = (report.rows, report.skipped, report.clipped, report.counts)
    examples = {code: places(found) for code, found in report.examples.items()}
    return columns, schema, counts, examples, dict(source.fingerprint)


def places(problems):
    return sorted((each.code, each.file, each.record, each.message) for each in problems)


@contextlib.contextmanager
def in_parts(size):
    """Make pieces of so many bytes, and parts of label files of so many, and of three images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_pieces, "PIECE", size)
        patch.setattr(yolo, "PART", 3)
        patch.setattr(yolo, "PART_BYTES", size)
        yield


def same_in_parts(made, sizes=SIZES):
    """Return the outcome of a source, which is the same whatever the parts are."""
    whole = outcome(made())
    for size in sizes:
        with in_parts(size):
            source = made()
            assert outcome(source) == whole
            assert outcome(source) == whole  # nothing is counted twice
    return whole


# In one file


def record(number, task="detect", rows=None, **more):
    rows = [GOOD[task], [0, *GOOD[task][1:]]] if rows is None else rows
    url = f"s3://bucket/{number}.jpg"
    size = {"width": WIDTH, "height": HEIGHT}
    return {"type": "image", "url": url, **size, "annotations": {MEMBERS[task]: rows}, **more}


def ndjson(folder, records, task="detect", end="\n", **head):
    first = {"type": "dataset", "task": task, "class_names": CLASSES, **head}
    lines = [each if isinstance(each, str) else json.dumps(each) for each in (first, *records)]
    path = folder / "data.ndjson"
    path.write_bytes(end.join(lines).encode())
    return path


def from_ndjson(path, split=None, on_error="raise"):
    return from_yolo_ndjson(Url(path), None, split, task=None, on_error=on_error)


def bad_records(task):
    """Return records of which some are wrong, each in another way, with blank lines between."""
    good = GOOD[task]
    return [
        *(record(number, task) for number in range(4)),
        "",
        record(1, task),
        record(10, task, [[7, *good[1:]], good]),
        '{"file": ',
        record(11, task, [good[:-1]]),
        record(12, task, []),
        " ",
        record(13, task, [good, good]),
        record(14, task, width=0),
        record(10, task),
        record(15, task, [[good[0], 9.0, *good[2:]]]),
        *(record(number, task) for number in range(20, 24)),
        '{"url": "s3://bucket/cut',
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("task", MEMBERS)
def test_the_parts_of_a_file_make_no_difference(tmp_path, task, end):
    path = ndjson(tmp_path, bad_records(task), task, end, kpt_shape=[2, 3])
    rows, _, counts, examples, _ = same_in_parts(lambda: from_ndjson(path, on_error="skip"))
    assert (counts[0], counts[1]) == (13, 8)
    assert [each[2] for each in examples["DUP_ID"]] == ["line 15", "line 7"]
    assert examples["NDJSON_TRUNCATED"][0][2].startswith("line 21, byte ")
    assert len(rows["image"]) == 13
    message, problems, _ = same_in_parts(lambda: from_ndjson(path))
    assert message.startswith("8 records")
    assert len(problems) == 8


def test_where_a_file_is_cut_off(tmp_path):
    path = ndjson(tmp_path, [record(1), '{"url'], end="\r\n")
    _, _, _, examples, _ = same_in_parts(lambda: from_ndjson(path, on_error="skip"))
    start = path.read_bytes().index(b'{"url', -6)
    assert examples["NDJSON_TRUNCATED"][0][2] == f"line 3, byte {start}"


def test_only_some_of_a_file_is_in_memory(tmp_path):
    path = ndjson(tmp_path, [record(number) for number in range(100)])
    with in_parts(1000):
        sizes = [len(batch["image"]) for batch in from_ndjson(path).batches()]
    assert sum(sizes) == 100
    assert max(sizes) < 10


def test_no_rows_come_after_what_is_wrong_but_all_of_it_is_told(tmp_path):
    wrong = [record(number, width=0) for number in (50, 99)]
    path = ndjson(tmp_path, [*map(record, range(50)), wrong[0], *map(record, range(51, 99))])
    with path.open("a") as file:
        file.write(f"\n{json.dumps(wrong[1])}\n")
    urls: list[str] = []
    with in_parts(1000), pytest.raises(AnnotationFileError, match="2 records"):
        take(from_ndjson(path), urls)
    assert urls
    assert set(urls) <= {f"s3://bucket/{number}.jpg" for number in range(50)}


def take(source, urls):
    """Take all batches, and add the urls of their images."""
    for batch in source.batches():
        urls += batch["image"].to_pylist()


def test_a_split_that_only_the_end_of_a_file_has(tmp_path):
    records = [record(number, split="val" if number > 30 else "train") for number in range(40)]
    path = ndjson(tmp_path, records)
    _, _, counts, _, _ = same_in_parts(lambda: from_ndjson(path, "val"))
    assert counts[0] == 9
    with in_parts(1000), pytest.raises(OptionError, match="'train', 'val'"):
        from_ndjson(path, "test")


def test_the_points_of_a_pose_follow_from_all_of_a_file(tmp_path):
    visible = [1, 0.5, 0.5, 0.5, 0.5, *([0.2, 0.2, 1] * 2)]
    records = [record(number, "pose", [visible]) for number in range(20)]
    path = ndjson(tmp_path, records, "pose")
    columns, *_ = same_in_parts(lambda: from_ndjson(path))
    assert len(columns["keypoints_2d"][0]["instances"][0]) == 2
    path = ndjson(tmp_path, [*records, record(20, "pose", [[*visible[:-1], 0.5]])], "pose")
    columns, *_ = same_in_parts(lambda: from_ndjson(path))
    assert len(columns["keypoints_2d"][0]["instances"][0]) == 3


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_the_hint_of_an_encoding_is_one_that_can_be_followed(tmp_path, encoding):
    path = ndjson(tmp_path, [*map(record, range(20)), record("ä")])
    path.write_bytes(path.read_text().replace("\\u00e4", "ä").encode(encoding))
    with in_parts(1000), pytest.raises(AnnotationFileError, match="ENCODING") as caught:
        take(from_ndjson(path), [])
    assert caught.value.hint == "save the file as UTF-8."
    assert caught.value.problems[0].file == str(path)


def test_a_file_that_is_not_on_this_machine():
    url = Url("memory://yolo-parts/data.ndjson")
    head = {"type": "dataset", "class_names": CLASSES}
    lines = [head, *({**record(n), "url": "", "file": f"{n}.jpg"} for n in range(9))]
    url.write_bytes("\n".join(map(json.dumps, lines)).encode())
    columns, *_ = same_in_parts(lambda: from_ndjson(url))
    assert columns["image"][8] == "memory://yolo-parts/8.jpg"


def test_a_relative_url_begins_at_the_folder_of_its_file(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(image_bytes())
    monkeypatch.chdir("/")
    path = ndjson(tmp_path, [record(1, url="a.png"), record(2, url=".")])
    columns, _, _, examples, _ = outcome(from_ndjson(path, on_error="skip"))
    assert columns["image"] == [str(tmp_path / "a.png")]
    assert examples["IMG_MISSING"][0][2] == "line 3"  # a folder is no image


# With label files


@pytest.fixture
def data(tmp_path):
    return YoloFolder(tmp_path / "data")


def text(*rows):
    return "".join(f"{' '.join(map(str, row))}\n" for row in rows)


def write_bad(data, task):
    """Write images with labels of which some are wrong, and a list of them."""
    good = GOOD[task]
    labels = {
        "a": text(good),
        "b": text(good, [0, *good[1:]]),
        "c": text(good, good),
        "d": text(good, [7, *good[1:]]),
        "e": "",
        "f": text([good[0], 9.0, *good[2:]], good),
        "g": "nonsense\n" + text(good),
        "h": text(good[:-1]),
        "i": "1 .5".encode("utf-16"),
        "j": text(good),
    }
    for stem, content in labels.items():
        data.add(stem, content)
    data.image("k.png")
    data.image("l.png", b"no image")
    names = [*"abcdefgh", "g", "none", *"ijklb"]
    lines = "".join(f"images/train/{name}.png\n" for name in names)
    (data.root / "list.txt").write_text(lines)
    return data.root / "list.txt"


@pytest.mark.parametrize("classes", [CLASSES, None])
@pytest.mark.parametrize("task", MEMBERS)
def test_the_parts_of_a_folder_make_no_difference(data, task, classes):
    place = Url(write_bad(data, task))

    def made(on_error):
        return from_yolo_url([place], YoloOptions(classes, task, on_error))

    columns, _, counts, examples, _ = same_in_parts(lambda: made("skip"))
    assert counts[0] == len(columns["image"]) == 11
    assert counts[3]["DUP_ID"] == 2
    assert [each[2] for each in examples["IMG_MISSING"]] == ["line 10"]
    message, *_ = same_in_parts(lambda: made("raise"))
    assert message == f"{counts[1]} records cannot be imported"


def test_classes_follow_from_all_labels(data):
    for number in range(10):
        data.add(f"{number}", f"{9 - number} .5 .5 .5 .5")
    options = YoloOptions(None)
    _, schema, *_ = same_in_parts(lambda: from_yolo_url([Url(data.images)], options))
    assert str(schema["bbs"]).count("internal_name") == 10


def test_only_some_label_files_are_in_memory(data):
    for number in range(10):
        data.add(f"{number}", "1 .5 .5 .5 .5\n" * number)
    place = [Url(data.images)]
    with in_parts(1 << 20):
        source = from_yolo_url(place, YoloOptions(CLASSES))
        assert [len(batch["image"]) for batch in source.batches()] == [3, 3, 3, 1]
    with in_parts(20):
        source = from_yolo_url(place, YoloOptions(CLASSES))
        assert [len(batch["image"]) for batch in source.batches()] == [3] + [1] * 7


def test_labels_of_an_image_that_is_listed_twice_are_told_once(data):
    data.add("a", "nonsense\n1 .5 .5 .5 .5\n")
    (data.root / "list.txt").write_text("images/train/a.png\n" * 2)
    report = Table.from_yolo_url(data.root / "list.txt", CLASSES, on_error="skip").import_report
    assert report.counts == {"DUP_ID": 1, "LABEL_FORMAT": 1}


# Both


@pytest.mark.parametrize("form", ["ndjson", "folder"])
def test_a_table_is_used_again_whatever_the_parts_are(tmp_path, data, form, recwarn):
    for number in range(9):
        data.add(f"{number}", "1 .5 .5 .5 .5\n")
    path = ndjson(tmp_path, [record(number) for number in range(9)])

    def imported(**options):
        if form == "ndjson":
            return Table.from_yolo_ndjson(path, **options)
        return Table.from_yolo_url(data.images, CLASSES, **options)

    whole = imported(table_name="t")
    with in_parts(1000):
        assert imported(table_name="t") == whole
        other = imported(table_name="other")
    assert not recwarn.list
    assert (other.source, other.import_report) == (whole.source, whole.import_report)
    assert column_bytes(other) == column_bytes(whole)


@given(st.lists(st.lists(st.text(max_size=2), unique=True)))
def test_what_was_seen(parts):
    seen, known = Seen(), set()
    for texts in parts:
        keys = keys_of(texts)
        there = seen.has(keys)
        assert there.tolist() == [each in known for each in texts]
        seen.add(keys[~there])
        known.update(texts)
