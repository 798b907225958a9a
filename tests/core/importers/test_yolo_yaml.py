"""YOLO data sets with a YAML file."""

from __future__ import annotations

import os

import pytest
from tests.common.trees import tree_digest
from tests.core.importers.labelled import YoloFolder

from tlc.errors import AnnotationFileError, OptionError, UrlNotFoundError
from tlc.table import Table

LABEL_PATH = "bbs.instances_additional_data.label"


@pytest.fixture
def data(tmp_path):
    made = YoloFolder(tmp_path / "sets" / "data")
    made.add("a", "1 .5 .5 .5 .5")
    made.add("b", "0 .5 .5 .5 .5")
    return made


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ("[a, b]", {0: "a", 1: "b"}),
        ("{0: a, 1: b, 7: c}", {0: "a", 1: "b", 7: "c"}),
        ("\n  1: b\n  0: a\n", {1: "b", 0: "a"}),
        ("\n- a\n- b\n", {0: "a", 1: "b"}),
        ("[no, 1e3]", {0: "no", 1: "1e3"}),
        ("[true, 2026-11-22]", {0: "true", 1: "2026-11-22"}),
        ("['a: b', \"#\"]", {0: "a: b", 1: "#"}),
        ("{'0': &x a, '1': *x}", {0: "a", 1: "a"}),
        ("{0: !!str yes, 1: b}", {0: "yes", 1: "b"}),
        ("[é, 猫]", {0: "é", 1: "猫"}),
    ],
)
def test_names_in_any_form(data, names, wanted):
    file = data.yaml(f"path: .\ntrain: images/train\nnames: {names}\n")
    table = Table.from_yolo(file, "train")
    assert table.get_simple_value_map(LABEL_PATH) == wanted
    assert [row["bbs"].labels.tolist() for row in table] == [[1], [0]]


@pytest.mark.parametrize("path", ["", ".", "data", "sets/data", None])
def test_the_data_set_is_beside_the_file_above_it_or_at_work(data, path, monkeypatch):
    monkeypatch.chdir(data.root.parent.parent)
    line = "" if path is None else f"path: {path}\n"
    file = data.yaml(f"{line}train: images/train\nnames: [a, b]\n")
    assert len(Table.from_yolo(file, "train")) == 2


def test_an_absolute_path(data, tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(f"path: {data.root}\ntrain: images/train\nnames: [a, b]\n")
    assert len(Table.from_yolo(str(file), "train")) == 2


def test_datasets_dir_comes_first(data, tmp_path):
    other = YoloFolder(tmp_path / "other" / "data")
    other.add("only", "0 .5 .5 .5 .5")
    file = data.root.parent / "x.yaml"
    file.write_text("path: data\ntrain: images/train\nnames: [a, b]\n")
    assert len(Table.from_yolo(file, "train")) == 2
    assert len(Table.from_yolo(file, "train", datasets_dir=tmp_path / "other")) == 1


def test_the_path_of_the_split_may_be_given(data):
    file = data.yaml("path: nowhere\ntrain: nothing\nnames: [a, b]\n")
    path = data.images / "train"
    assert len(Table.from_yolo(file, "any", override_split_path=path)) == 2
    places = [path / "a.png", path / "b.png"]
    table = Table.from_yolo(file, "any", override_split_path=places, table_name="other")
    assert len(table) == 2


@pytest.mark.parametrize(
    "train",
    [
        "images/train",
        "[images/train/x, images/train/a.png, images/train/b.png]",
        "list.txt",
        "images",
        "../images/train",  # some programs write so what is beside the file
        "images\\train",
    ],
)
def test_a_split_is_a_folder_a_list_or_several(data, train):
    (data.images / "train" / "x").mkdir()
    data.image("x/c.png")
    lines = [f"images/train/{name}\n" for name in ("a.png", "b.png", "x/c.png")]
    (data.root / "list.txt").write_text("".join(lines))
    file = data.yaml(f"train: {train}\nnames: [a, b]\n")
    table = Table.from_yolo(file, "train")
    assert sorted(os.path.basename(row["image"]) for row in table.table_rows) == [
        *("a.png", "b.png", "c.png")
    ]


def test_a_list_may_start_from_the_folder_of_the_data_set(data):
    (data.root / "lists").mkdir()
    (data.root / "lists" / "train.txt").write_text("images/train/a.png\n")
    file = data.yaml("path: .\ntrain: lists/train.txt\nnames: [a, b]\n")
    assert len(Table.from_yolo(file, "train")) == 1


def test_val_may_be_called_otherwise(data):
    file = data.yaml("validation: images/train\nnames: [a, b]\n")
    assert len(Table.from_yolo(file, "val")) == 2


def test_poses_take_their_points_from_the_file(data):
    data.add("a", "0 .5 .5 .5 .5 .1 .1 1 .2 .2 1")
    data.add("b", "")
    file = data.yaml("train: images\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\nnames: [a]\n")
    table = Table.from_yolo(file, "train", task="pose")
    assert table[0]["keypoints_2d"].keypoint_visibilities.tolist() == [[1, 1]]
    assert table[1]["keypoints_2d"].keypoints.shape == (0, 2, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_text_as_other_programs_write_it(data, encoding, newline):
    text = "train: images/train\nnames: [é, b]\n".replace("\n", newline)
    file = data.yaml(text.encode(encoding))
    table = Table.from_yolo(file, "train")
    assert table.get_simple_value_map(LABEL_PATH) == {0: "é", 1: "b"}


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)

# Content of a YAML file, and what its error tells.
FILES = [
    ("", "no dictionary"),
    ("- a\n- b\n", "no dictionary"),
    ("train: [images\nnames: [a]", r"data\.yaml: .*YAML"),
    ('train: "images\nnames: [a]', r"data\.yaml: .*YAML"),
    ("train: images\n", r"data\.yaml: names: .*YAML_VALUE"),
    ("train: images\nnames: []\n", "YAML_VALUE"),
    ("train: images\nnames: {a: b}\n", "YAML_VALUE.*whole numbers"),
    ("train: images\nnames: {1.5: b}\n", "YAML_VALUE.*whole numbers"),
    ("train: images\nnames: [[a]]\n", r"names\[0\]"),
    ("train: images\nnames: {0: {x: y}}\n", r"names\[0\]"),
    ("train: images\nnames: {0: a, 0: b}\n", r"line 2: .*'0'.*DUP_ID"),
    ("train: images\nnames: {0: a, 0.0: b}\n", "DUP_ID"),
    ("train: images\ntrain: x\nnames: [a]\n", r"line 2: .*'train'.*DUP_ID"),
    ("train: images\nnames: !!python/object/apply:os.system [id]\n", r"line 2: .*YAML_TAG"),
    ("train: images\nnames: !!python/name:os.system ''\n", r"line 2: .*YAML_TAG"),
    ("train: images\nnames: !mine [a]\n", r"line 2: .*YAML_TAG"),
    (f"{BOMB}train: images\nnames: [a]\n", "YAML_ALIASES"),
    ("train: " + "[" * 500 + "]" * 500, "YAML_DEPTH"),
    ("x: &x {0: a}\nnames: {<<: *x}\ntrain: images\n", "YAML_MERGE"),
    ("? [a, b]\n: c\n", "YAML_KEY"),
    ("names: [a]\ntrain: images\nkpt_shape: 17\n", "kpt_shape.*YAML_VALUE"),
    ("names: [a]\ntrain: images\nkpt_shape: [17]\n", "kpt_shape.*YAML_VALUE"),
    ("names: [a]\ntrain: images\nkpt_shape: [17, 4]\n", "kpt_shape.*YAML_VALUE"),
    ("names: [a]\ntrain: images\nkpt_shape: [2, 3]\nflip_idx: [0, 2]\n", "flip_idx.*YAML_VALUE"),
    ("names: [a]\ntrain: images\nflip_idx: [1, 0]\n", "flip_idx.*YAML_VALUE"),
    ("path: [x]\nnames: [a]\ntrain: images\n", "path.*YAML_VALUE"),
    ("names: [a]\ntrain: images\n".encode("utf-16"), "ENCODING"),
    ("names: [é]\ntrain: images\n".encode("cp1252"), "ENCODING"),
    (b"\0", "ENCODING"),
]


@pytest.mark.parametrize(("content", "message"), FILES)
def test_a_file_that_is_wrong(data, content, message):
    file = data.yaml(content)
    before = tree_digest(data.root)
    with pytest.raises(AnnotationFileError, match=message) as caught:
        Table.from_yolo(file, "train")
    assert str(file) in str(caught.value)
    assert tree_digest(data.root) == before


def test_aliases_that_make_a_huge_list_of_a_small_file(data):
    lines = ["a0: &a0 [x]", *(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]" for n in range(11))]
    file = data.yaml("\n".join([*lines, "names: [*a11]\n"]))
    with pytest.raises(AnnotationFileError, match="YAML_VALUE") as caught:
        Table.from_yolo(file, "train")
    assert len(str(caught.value)) < 500


def test_a_split_that_there_is_not(data):
    file = data.yaml("train: images/train\ntest:\nnames: [a, b]\n")
    for split in ("val", "test", "names", "path"):
        with pytest.raises(OptionError, match=rf"'{split}'.*it has 'train'"):
            Table.from_yolo(file, split)


def test_a_split_that_is_nowhere(data):
    file = data.yaml("path: data\ntrain: gone\nnames: [a, b]\n")
    with pytest.raises(UrlNotFoundError, match=r"gone.*datasets_dir") as caught:
        Table.from_yolo(file, "train")
    assert str(data.root) in str(caught.value)


def test_a_file_that_there_is_not(tmp_path):
    with pytest.raises(UrlNotFoundError):
        Table.from_yolo(tmp_path / "x.yaml", "train")


def test_labels_that_are_wrong_are_told_of_here_too(data):
    label = data.add("a", "9 .5 .5 .5 .5")
    file = data.yaml("train: images/train\nnames: [a, b]\n")
    with pytest.raises(AnnotationFileError, match="DANGLING_REF") as caught:
        Table.from_yolo(file, "train")
    assert caught.value.problems[0].file == str(label)
    assert Table.from_yolo(file, "train", on_error="skip").import_report.skipped == 1
