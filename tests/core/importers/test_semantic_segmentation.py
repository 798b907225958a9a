"""Images with a label map each."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from tests.common.trees import tree_digest
from tests.core.importers.labelled import column_bytes, image_bytes

from tlc.errors import AnnotationFileError, ColumnError, ColumnLengthError
from tlc.table import Table

CLASSES = {1: "cat", 2: "dog", 255: "border"}
MASK = np.array([[0, 1, 1], [2, 2, 255]], np.uint8)


def grey_bytes():
    buffer = io.BytesIO()
    Image.fromarray(np.arange(6000, dtype=np.uint8).reshape(60, 100)).save(buffer, "PNG")
    return buffer.getvalue()


class Masks:
    """Makes each mask when it is asked for, and notes which were."""

    def __init__(self, masks):
        self.masks = masks
        self.asked = []

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, index):
        self.asked.append(index)
        return self.masks[index]


@pytest.fixture
def images(tmp_path):
    """Two images of 3 x 2 pixels."""
    (tmp_path / "data").mkdir()
    paths = [tmp_path / "data" / f"{name}.png" for name in "ab"]
    for path in paths:
        path.write_bytes(image_bytes(size=(3, 2)))
    return paths


def imported(images, masks, **more):
    given = {"classes": CLASSES, "background": 0, "void": 255, **more}
    return Table.from_semantic_segmentation(images, masks, **given)


def mask_file(path, mask, mode=None, palette=None):
    image = Image.fromarray(mask, mode) if mode else Image.fromarray(mask)
    if palette:
        image = image.convert("P") if image.mode != "L" else image
        image.putpalette(palette)
    image.save(path)
    return path


def test_arrays_are_read_back_as_they_were(images):
    masks = Masks([MASK, np.zeros((2, 3), np.int64)])
    table = imported(images, masks)
    assert table.columns == ["image", "mask", "weight"]
    assert table[0]["mask"].mask.tolist() == MASK.tolist()
    assert table[0]["mask"].present_class_ids.tolist() == [1, 2, 255]
    assert table[1]["mask"].mask.tolist() == [[0] * 3] * 2
    assert table.table_rows[1]["mask"]["rles"] == []
    assert table[0]["image"].size == (3, 2)
    assert masks.asked[-2:] == [0, 1]


@pytest.mark.parametrize("kind", ["L", "P", "I;16", "1"])
def test_masks_in_files_of_one_channel(images, tmp_path, kind):
    path = tmp_path / "mask.png"
    mask = MASK if kind != "1" else MASK % 2
    if kind == "P":
        mask_file(path, mask, palette=[9, 8, 7] * 256)
    elif kind == "1":
        Image.fromarray(mask.astype(bool)).save(path)
    else:
        mask_file(path, mask.astype(np.uint16) if kind == "I;16" else mask)
    with Image.open(path) as image:
        assert image.mode == kind
    table = imported(images[:1], [path])
    assert table[0]["mask"].mask.tolist() == mask.tolist()


def test_the_roles_of_classes_are_known_later(images):
    table = imported(images, [MASK, MASK])
    assert table.get_simple_value_map("mask.instance_properties.label").keys() == CLASSES.keys()
    assert Table.from_url(table.url)[0]["mask"].background == 0


def test_without_a_background_every_class_is_stored(images):
    table = imported(images, [MASK, MASK], classes={0: "sky", **CLASSES}, background=None)
    assert table.table_rows[0]["mask"]["instance_properties"]["label"] == [0, 1, 2, 255]


@settings(max_examples=15)
@given(
    masks=st.lists(
        arrays.arrays(
            st.sampled_from([np.uint8, np.int32, np.int64]),
            arrays.array_shapes(min_dims=2, max_dims=2, max_side=6),
            elements=st.sampled_from([0, 1, 2, 255]),
        ),
        max_size=4,
    )
)
def test_any_label_maps(masks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks")
    images = []
    for number, mask in enumerate(masks):
        images.append(folder / f"{number}.png")
        images[-1].write_bytes(image_bytes(size=mask.shape[::-1]))
    table = imported(images, masks, root_url=folder / "projects")
    assert [row["mask"].mask.tolist() for row in table] == [mask.tolist() for mask in masks]


# What is wrong with a row: its mask, and the rule that it breaks.
WRONG = [
    (np.zeros((2, 3, 3), np.uint8), "MASK_FORMAT"),
    (np.zeros((2, 3), np.float32), "MASK_FORMAT"),
    (np.zeros(6, np.uint8), "MASK_FORMAT"),
    (np.full((2, 3), 1 << 40), "MASK_FORMAT"),
    (None, "MASK_FORMAT"),
    ("text", "MASK_MISSING"),
    (np.full((2, 3), 7), "DANGLING_REF"),
    (np.full((2, 3), -1), "DANGLING_REF"),
    (np.zeros((2, 4), np.uint8), "SIZE_MISMATCH"),
    (np.zeros((0, 0), np.uint8), "SIZE_MISMATCH"),
]


@pytest.mark.parametrize(("mask", "code"), WRONG)
def test_a_mask_that_is_wrong(images, mask, code):
    with pytest.raises(AnnotationFileError, match=code) as caught:
        imported(images, [MASK, mask])
    (problem,) = caught.value.problems
    assert (problem.code, problem.record) == (code, "row 1")
    table = imported(images, [MASK, mask], on_error="skip")
    assert (len(table), table.import_report.counts) == (1, {code: 1})


FILES = [
    (b"no image", "MASK_UNREADABLE"),
    (b"", "MASK_UNREADABLE"),
    (image_bytes(size=(3, 2)), "MASK_FORMAT"),
    (image_bytes("JPEG", size=(3, 2)), "MASK_FORMAT"),
    (grey_bytes()[:80], "MASK_UNREADABLE"),
]


@pytest.mark.parametrize(("content", "code"), FILES)
def test_a_file_of_a_mask_that_is_wrong(images, tmp_path, content, code):
    path = tmp_path / "data" / "mask.png"
    path.write_bytes(content)
    before = tree_digest(tmp_path / "data")
    with pytest.raises(AnnotationFileError, match=code) as caught:
        imported(images[:1], [path])
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.record) == (code, str(path), "row 0")
    assert tree_digest(tmp_path / "data") == before


def test_images_that_are_wrong(images, tmp_path):
    images[0].write_bytes(b"no image")
    with pytest.raises(AnnotationFileError) as caught:
        imported([images[0], tmp_path / "gone.png"], [MASK, MASK])
    assert [problem.code for problem in caught.value.problems] == ["IMG_UNREADABLE", "IMG_MISSING"]


def test_a_mask_of_a_turned_image_is_kept_and_noted(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(image_bytes("JPEG", (3, 2), orientation=6))
    table = imported([path], [MASK])
    assert table[0]["mask"].mask.shape == (2, 3)
    assert table.import_report.counts == {"SIZE_MISMATCH": 1}
    table = imported([path], [MASK.T.copy()], table_name="turned")
    assert table.import_report.counts == {}


def test_one_mask_for_each_image(images):
    with pytest.raises(ColumnLengthError, match="2 images and 1 mask"):
        imported(images, [MASK])
    with pytest.raises(ColumnError, match="not a list"):
        imported("a.png", [MASK])


def test_masks_in_files_that_are_changed_are_noticed(images, tmp_path, recwarn):
    paths = [mask_file(tmp_path / f"{name}.png", MASK) for name in "xy"]
    first = imported(images, paths, table_name="t")
    assert imported(images, paths, table_name="t") == first
    assert not recwarn.list
    mask_file(paths[0], MASK * 0)
    with pytest.warns(UserWarning, match="other data"):
        imported(images, paths, table_name="t")


def test_other_arrays_are_noticed(images, recwarn):
    first = imported(images, [MASK, MASK], table_name="t")
    assert imported(images, Masks([MASK, MASK]), table_name="t") == first
    assert not recwarn.list
    with pytest.warns(UserWarning, match="other data"):
        imported(images, [MASK, MASK * 0], table_name="t")


def test_the_same_input_gives_the_same_columns(images):
    tables = [imported(images, [MASK, MASK], table_name=name) for name in "xy"]
    assert column_bytes(tables[0]) == column_bytes(tables[1])


def test_an_empty_table(images):
    table = imported([], [])
    assert len(table) == 0
    assert table.columns == ["image", "mask", "weight"]
