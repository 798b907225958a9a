"""Files that `tests/reliability/test_mutated_annotations.py` has found to be read wrongly once."""

from __future__ import annotations

import json

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.core.importers.labelled import YoloFolder

from tlc.errors import AnnotationFileError, ColumnError, OptionError
from tlc.schemas import Int64Schema
from tlc.table import Table


@pytest.mark.parametrize(
    "cells",
    [
        [[None, None, 1.5], [2.5]],
        [[None, None], [], [None]],
        [[None, None, None], None, ["x"]],
        [[[None, None]], [None, None], [[1, None, None]]],
        [[{"c": [None, None]}, {"c": None}], None],
        [[None, None], [None, {"c": [None, None, 1]}]],
    ],
)
def test_nulls_that_follow_each_other_in_a_list_of_ndjson(tmp_path, cells):
    """Arrow takes them for one, and values that follow move."""
    file = tmp_path / "a.ndjson"
    file.write_text("\n".join(json.dumps({"n": 1, "b": cell}) for cell in cells))
    table = Table.from_ndjson(file)
    assert [row["b"] for row in table.table_rows] == cells


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_of_ndjson_with_more_digits_than_any_float(tmp_path, digits):
    file = tmp_path / "a.ndjson"
    file.write_text('{"x": 1.5}\n{"x": %s}\n' % ("1" * digits))
    with pytest.raises(AnnotationFileError, match="line 2"):
        Table.from_ndjson(file)
    assert len(Table.from_ndjson(file, on_error="skip")) == 1


def test_a_csv_file_all_rows_of_which_are_wrong(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("n,name\nx,a\ny,b\n")
    table = Table.from_csv(file, {"n": Int64Schema()}, on_error="skip")
    assert (len(table), table.columns[:2], table.import_report.skipped) == (0, ["n", "name"], 2)


@pytest.mark.parametrize("name", [True, False], ids=["name", "value"])
def test_a_parquet_file_with_what_is_no_text(tmp_path, name):
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"name": ["value"]}), file, compression="none", use_dictionary=False)
    good = file.read_bytes()
    file.write_bytes(good.replace(b"name" if name else b"value", b"\xff" * (4 if name else 5)))
    with pytest.raises(AnnotationFileError, match="PARQUET"):
        Table.from_parquet(file)


def test_a_box_of_yolo_whose_width_vanishes_in_32_bits(tmp_path):
    data = YoloFolder(tmp_path)
    data.add("a", "0 0.5 0.5 1e-9 0.5\n1 0.5 0.5 0.5 0.5\n")
    images = tmp_path / "images" / "train"
    with pytest.raises(AnnotationFileError, match=r"line 1: a box has no area \(BOX_RANGE\)"):
        Table.from_yolo_url(images)
    table = Table.from_yolo_url(images, on_error="skip")
    assert table[0]["bbs"].labels.tolist() == [1]


def test_a_yaml_file_with_a_skeleton_of_very_many_points(tmp_path):
    file = tmp_path / "data.yaml"
    file.write_text("names: [a]\ntrain: images\nkpt_shape: [900000000, 3]\nflip_idx: [0]\n")
    with pytest.raises(AnnotationFileError, match="flip_idx"):
        Table.from_yolo(file, "train", task="pose")


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_column_of_the_schema_that_a_file_lacks(tmp_path, kind):
    file = tmp_path / f"a.{kind}"
    file.write_text("n\n1\n" if kind == "csv" else '{"n": 1}\n')
    factory = Table.from_csv if kind == "csv" else Table.from_ndjson
    with pytest.raises(ColumnError, match=rf"a\.{kind} have no columns 'm', which the schema"):
        factory(file, {"m": Int64Schema()})


@pytest.mark.parametrize(
    "content", ["[]", '{"_data_files": [{}]}', '{"_data_files": 1}', "[" * 9999]
)
def test_a_saved_data_set_whose_state_is_damaged(tmp_path, content):
    datasets.Dataset.from_dict({"a": [1]}).save_to_disk(str(tmp_path / "saved"))
    (tmp_path / "saved" / "state.json").write_text(content)
    with pytest.raises(AnnotationFileError, match="saved: the data set cannot be read"):
        Table.from_hugging_face_hub(tmp_path / "saved")


def test_a_class_of_yolo_ndjson_whose_number_is_larger_than_any_float(tmp_path):
    file = tmp_path / "a.ndjson"
    file.write_text('{"type": "dataset", "class_names": {"%s": "a"}}\n' % ("9" * 400))
    with pytest.raises(OptionError, match="has no whole number for an id"):
        Table.from_yolo_ndjson(file)


def test_a_piece_with_very_many_broken_lines_is_read_soon(tmp_path):
    # The offset of each was once the sum over all lines before it: more minutes than tests have.
    file = tmp_path / "a.ndjson"
    file.write_text('{"n": 1}\n' + '{"n": "x"}\n' * 200_000)
    assert len(Table.from_ndjson(file, on_error="skip")) == 1
    with pytest.raises(AnnotationFileError, match="line 3, byte 20"):
        Table.from_ndjson(file)


@pytest.mark.parametrize("depth", [101, 500, 1500, 2500])
@pytest.mark.parametrize("value", ["1", '{"b": 1}', "null"])
def test_a_record_of_ndjson_that_is_too_deep(tmp_path, depth, value):
    file = tmp_path / "a.ndjson"
    deep = "[" * (depth - 1) + value + "]" * (depth - 1)
    for other in ('{"a": 1}', '{"n": 1}', '{"n": "half'):
        file.write_text(f'{other}\n{{"a": {deep}}}\n{{"n": 2}}\n')
        with pytest.raises(AnnotationFileError, match="JSON_DEPTH"):
            Table.from_ndjson(file)
        assert len(Table.from_ndjson(file, on_error="skip")) >= 1
