from __future__ import annotations

import io
import os
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the library is imported

import datasets
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.common.trees import tree_digest

from tlc import schemas
from tlc.errors import CellError, ColumnError, OptionError, UrlNotFoundError
from tlc.schemas.values import DictValue
from tlc.table import Table

datasets.disable_progress_bars()


def make(values, **features):
    return datasets.Dataset.from_dict(values, features=datasets.Features(features))


def encoded_image(kind="JPEG", colour=9):
    buffer = io.BytesIO()
    Image.new("RGB", (2, 3), (colour, 0, 0)).save(buffer, kind)
    return buffer.getvalue()


# Kinds of features, each with values that it takes; the oracle is what `datasets` gives back.
scalars = st.sampled_from(
    [
        (datasets.Value("int8"), st.integers(-128, 127)),
        # Of larger ones in structs the library itself cannot make a data set.
        (datasets.Value("uint64"), st.integers(0, 2**63 - 1)),
        (datasets.Value("float32"), st.floats(width=32, allow_nan=False)),
        (datasets.Value("float64"), st.floats(allow_nan=False)),
        (datasets.Value("bool"), st.booleans()),
        (datasets.Value("string"), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
        (datasets.Value("large_string"), st.sampled_from(["", "a", "ö"])),
        (datasets.Value("binary"), st.binary(max_size=4)),
        (datasets.ClassLabel(names=["a", "b", "c"]), st.integers(-1, 2)),
    ]
)


def optional(kind):
    feature, values = kind
    return feature, st.none() | values


def nested(kinds):
    one = kinds.map(
        lambda kind: (datasets.List(kind[0]), st.none() | st.lists(kind[1], max_size=3))
    )
    large = kinds.map(lambda kind: (datasets.LargeList(kind[0]), st.lists(kind[1], max_size=3)))
    fixed = kinds.map(
        lambda kind: (datasets.List(kind[0], length=2), st.lists(kind[1], min_size=2, max_size=2))
    )
    parts = st.dictionaries(st.sampled_from(["x", "y"]), kinds, min_size=1).map(
        lambda parts: (
            {name: feature for name, (feature, _) in parts.items()},
            st.fixed_dictionaries({name: values for name, (_, values) in parts.items()}),
        )
    )
    return st.one_of(one, large, fixed, parts)


kinds = st.recursive(scalars.map(optional), nested, max_leaves=3)


@settings(max_examples=60, deadline=None)
@given(kinds, st.data())
def test_samples_are_those_of_the_data_set(kind, data):
    feature, values = kind
    rows = data.draw(st.lists(values, min_size=1, max_size=4))
    dataset = make({"c": rows}, c=feature)
    order = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=4))
    dataset = dataset.select(order)
    table = Table.from_hugging_face_dataset(dataset, if_exists="overwrite")
    assert list(table) == list(dataset)


def test_class_labels_arrays_json_and_translations_have_their_schemas():
    dataset = make(
        {
            "label": [1, None],
            "labels": [[0, 1], []],
            "array": [np.ones((2, 3)), None],
            "ragged": [np.ones((2, 1)), np.zeros((0, 1))],
            "json": [{"a": [1, "x"]}, None],
            "pair": [{"en": "a", "de": "b"}, None],
        },
        label=datasets.ClassLabel(names=["cat", "dog"]),
        labels=datasets.List(datasets.ClassLabel(names=["cat", "dog"])),
        array=datasets.Array2D((2, 3), "float32"),
        ragged=datasets.Array2D((None, 1), "int8"),
        json=datasets.Json(),
        pair=datasets.Translation(["en", "de"]),
    )
    table = Table.from_hugging_face_dataset(dataset)
    assert table.get_simple_value_map("label") == {0: "cat", 1: "dog"}
    assert table.get_simple_value_map("labels") == {0: "cat", 1: "dog"}
    assert table.rows_schema.values["array"].shape == (2, 3)
    assert table.rows_schema.values["ragged"].shape == (-1, 1)
    assert isinstance(table.rows_schema.values["json"].value, DictValue)
    first, second = table
    assert first["label"] == 1
    assert first["array"].dtype == np.float32
    assert np.array_equal(first["array"], np.ones((2, 3)))
    assert first["ragged"].shape == (2, 1)
    assert second["ragged"].shape == (0, 1)
    assert first["json"] == {"a": [1, "x"]}
    assert first["pair"] == {"en": "a", "de": "b"}
    nothing = dict.fromkeys(["label", "array", "json", "pair"])
    assert {name: second[name] for name in nothing} == nothing


def test_images_in_memory_are_written_as_they_are():
    content = encoded_image("JPEG")
    dataset = make(
        {
            "image": [{"bytes": content, "path": "wrong.png"}, None],
            "parts": [{"frames": [{"bytes": content, "path": None}]}, {"frames": None}],
        },
        image=datasets.Image(),
        parts={"frames": datasets.List(datasets.Image())},
    )
    table = Table.from_hugging_face_dataset(dataset)
    url = table.table_rows[0]["image"]
    assert url.endswith(".jpg")
    with open(url, "rb") as file:
        assert file.read() == content
    assert table[0]["image"].getpixel((0, 0)) == dataset[0]["image"].getpixel((0, 0))
    assert table[0]["parts"]["frames"][0].size == (2, 3)
    assert table[1] == {"image": None, "parts": {"frames": None}}


def test_pil_images_that_a_data_set_encoded_come_back():
    images = [Image.new("L", (3, 3), 7), Image.new("RGB", (2, 2), (1, 2, 3))]
    table = Table.from_hugging_face_dataset(make({"image": images}, image=datasets.Image()))
    assert [row["image"].tobytes() for row in table] == [image.tobytes() for image in images]


def test_sounds_are_written_or_referenced(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF\x04\0\0\0WAVEfile")
    cells = [
        {"bytes": b"RIFF\x04\0\0\0WAVE", "path": None},
        {"bytes": None, "path": str(path)},
        None,
    ]
    dataset = datasets.Dataset.from_dict({"n": [1, 2, 3]}).add_column("audio", cells)
    dataset = dataset.cast_column("audio", datasets.Audio(decode=False))
    table = Table.from_hugging_face_dataset(dataset)
    written, referenced, nothing = table.column("audio").to_pylist()
    assert (referenced, nothing) == (str(path), None)
    assert written.endswith(".wav")
    with open(table[0]["audio"], "rb") as file:
        assert file.read() == cells[0]["bytes"]


def test_the_order_of_rows_and_the_columns_of_the_format_count():
    dataset = datasets.Dataset.from_dict({"n": list(range(10)), "t": ["x"] * 10, "o": [0] * 10})
    dataset = dataset.shuffle(seed=3).filter(lambda row: row["n"] % 2 == 0)
    dataset.set_format("numpy", columns=["n"])
    table = Table.from_hugging_face_dataset(dataset)
    assert table.columns == ["n", "weight"]
    assert [row["n"] for row in table] == [row["n"].item() for row in dataset]


def test_a_transform_is_left_to_the_table():
    dataset = datasets.Dataset.from_dict({"n": [1, 2]})
    dataset.set_transform(lambda rows: {"m": [n * 10 for n in rows["n"]]})
    assert list(Table.from_hugging_face_dataset(dataset)) == [{"n": 1}, {"n": 2}]


def test_a_schema_says_what_a_column_is():
    dataset = datasets.Dataset.from_dict({"path": ["/a.png"], "n": [1]})
    schema = {"path": schemas.ImageSchema(sample_type="url"), "n": schemas.Int8Schema()}
    table = Table.from_hugging_face_dataset(dataset, schema)
    assert table[0] == {"path": "/a.png", "n": 1}
    assert table.column("n").type == pa.int8()


def test_the_same_data_set_is_reused_and_another_is_not():
    dataset = datasets.Dataset.from_dict({"n": [1, 2, 3]})
    first = Table.from_hugging_face_dataset(dataset)
    assert Table.from_hugging_face_dataset(dataset) == first
    assert Table.from_hugging_face_dataset(dataset.select([1])) != first


def test_an_empty_data_set_keeps_its_columns():
    dataset = make({"label": []}, label=datasets.ClassLabel(names=["a"]))
    table = Table.from_hugging_face_dataset(dataset)
    assert (len(table), table.columns) == (0, ["label", "weight"])
    assert table.get_simple_value_map("label") == {0: "a"}


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        (datasets.DatasetDict({"train": datasets.Dataset.from_dict({"a": [1]})}), "'train'"),
        (datasets.Dataset.from_dict({"a": [1]}).to_iterable_dataset(), "IterableDataset"),
        ([{"a": 1}], "list"),
    ],
)
def test_what_is_no_data_set_is_refused(dataset, words):
    with pytest.raises(ColumnError, match=words):
        Table.from_hugging_face_dataset(dataset)


def test_a_value_that_does_not_fit_names_row_and_column():
    dataset = datasets.Dataset.from_dict({"n": [1, 2**40]})
    with pytest.raises(CellError, match="Row 1, column 'n'"):
        Table.from_hugging_face_dataset(dataset, {"n": schemas.Int32Schema()})


@pytest.fixture
def load(tmp_path):
    def load(path, **arguments):
        options = {"cache_dir": str(tmp_path / "cache")}
        return Table.from_hugging_face_hub(path, load_options=options, **arguments)

    return load


@pytest.fixture
def image_tree(tmp_path):
    for split in ("train", "test"):
        for number, name in enumerate(["cat", "dog"]):
            path = tmp_path / "pets" / split / name / "1.png"
            path.parent.mkdir(parents=True)
            path.write_bytes(encoded_image("PNG", number))
    return tmp_path / "pets"


def test_images_of_a_folder_are_referenced_and_stay_as_they_are(load, image_tree):
    before = tree_digest(image_tree)
    table = load(image_tree, split="test")
    assert tree_digest(image_tree) == before
    assert [row["label"] for row in table] == [0, 1]
    assert table.get_simple_value_map("label") == {0: "cat", 1: "dog"}
    assert table.table_rows[1]["image"] == str(image_tree / "test" / "dog" / "1.png")


def test_a_split_is_needed_where_there_are_several(load, image_tree):
    with pytest.raises(OptionError, match="'train', 'test'"):
        load(str(image_tree))
    with pytest.raises(OptionError, match="nosuch"):
        load(str(image_tree), split="nosuch")


def test_a_part_of_a_split_and_files_by_format(load, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("n\n1\n2\n3\n4\n")
    table = load(str(tmp_path / "data"), split="train[:50%]")
    assert [row["n"] for row in table] == [1, 2]


def test_a_saved_data_set_is_loaded(load, tmp_path):
    dataset = datasets.Dataset.from_dict({"n": [1, 2]})
    dataset.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"a": dataset, "b": dataset.select([1])}).save_to_disk(tmp_path / "two")
    assert list(load(tmp_path / "one")) == [{"n": 1}, {"n": 2}]
    assert list(load(tmp_path / "two", split="b", table_name="b")) == [{"n": 2}]
    with pytest.raises(OptionError, match="'a', 'b'"):
        load(tmp_path / "two", split="c")


def test_a_data_set_that_is_not_there_is_not_found(load, tmp_path):
    with pytest.raises(UrlNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")


def test_without_the_library_the_extra_is_named(tmp_path):
    program = (
        "import sys; sys.modules['datasets'] = None\n"
        "from tlc.errors import MissingExtraError\n"
        "from tlc.table import Table\n"
        "try: Table.from_hugging_face_hub('x')\n"
        "except MissingExtraError as error: print(error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "opentlc[huggingface]" in done.stdout, done.stderr
