from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from tlc.data_types import SegmentationMasks
from tlc.errors import CellError, ColumnError, ImageReadError, UrlNotFoundError
from tlc.schemas import Int32Schema, MapElement, Schema
from tlc.table import Table
from tlc.url import register_url_alias, unregister_url_alias


def test_classes_are_the_sub_folders_in_sorted_order(image_folder):
    table = Table.from_image_folder(image_folder)
    assert table.columns == ["image", "label", "weight"]
    assert table.get_simple_value_map("label") == {0: "cats", 1: "dogs"}
    rows = [(os.path.relpath(row["image"], image_folder), row["label"]) for row in table.table_rows]
    assert rows == [("cats/a.png", 0), ("cats/deep/er/c.JPG", 0), ("dogs/b.png", 1)]


def test_samples_are_images_and_rows_are_their_paths(image_folder):
    table = Table.from_image_folder(str(image_folder))
    assert table[2].keys() == {"image", "label"}
    assert isinstance(table[2]["image"], Image.Image)
    assert table[2]["image"].getpixel((0, 0)) == (0, 0, 0)
    assert table.table_rows[2] == {
        "image": str(image_folder / "dogs" / "b.png"),
        "label": 1,
        "weight": 1.0,
    }


def test_images_are_not_opened_or_copied(image_folder, tmp_path):
    (image_folder / "cats" / "broken.png").write_bytes(b"no image")
    table = Table.from_image_folder(image_folder)
    assert not list((tmp_path / "tlc").rglob("*.png"))
    with pytest.raises(ImageReadError, match=r"Row 1, column 'image'.*broken\.png"):
        table[1]


def test_a_relative_root_is_made_absolute(image_folder, monkeypatch):
    monkeypatch.chdir(image_folder.parent)
    table = Table.from_image_folder("images")
    monkeypatch.chdir("/")
    assert table[0]["image"].size == (4, 3)


def test_paths_below_an_alias_keep_it(image_folder):
    register_url_alias("IMAGES", str(image_folder))
    try:
        table = Table.from_image_folder("<IMAGES>")
        assert table.table_rows[0]["image"] == "<IMAGES>/cats/a.png"
        assert table[0]["image"].size == (4, 3)
    finally:
        unregister_url_alias("IMAGES")


def test_without_labels_any_image_below_the_root_counts(image_folder):
    (image_folder / "cats" / "a.png").rename(image_folder / "a.png")
    table = Table.from_image_folder(image_folder, include_label_column=False)
    assert table.columns == ["image", "weight"]
    names = [os.path.basename(row["image"]) for row in table.table_rows]
    assert names == ["a.png", "c.JPG", "b.png"]


def test_columns_may_be_named(image_folder):
    table = Table.from_image_folder(image_folder, image_column_name="x", label_column_name="y")
    assert table.columns == ["x", "y", "weight"]


@pytest.mark.parametrize("extensions", [[".jpg"], ["JPG"], ("jpg",)])
def test_endings_may_be_given_in_any_way(image_folder, extensions):
    table = Table.from_image_folder(image_folder, extensions=extensions)
    assert [os.path.basename(row["image"]) for row in table.table_rows] == ["c.JPG"]
    assert table.get_simple_value_map("label") == {0: "cats", 1: "dogs"}


def test_classes_may_be_shown_otherwise(image_folder):
    element = MapElement("dogs", display_name="Dog")
    overrides = {"cats": "Cat", "dogs": element}
    table = Table.from_image_folder(image_folder, label_overrides=overrides)
    assert table.get_value_map("label") == {0: MapElement("Cat"), 1: element}


def test_extra_columns_are_added_with_their_default(image_folder):
    extra = {"mask": Schema(values={"a": Int32Schema()}), "n": Int32Schema(default_value=7)}
    table = Table.from_image_folder(image_folder, extra_columns=extra, weight_column_value=0.0)
    assert table.columns == ["image", "label", "mask", "n", "weight"]
    row = table.table_rows[0]
    assert (row["mask"], row["n"], row["weight"]) == (None, 7, 0.0)


def test_reuse_notices_new_files(image_folder, recwarn):
    first = Table.from_image_folder(image_folder, table_name="t")
    assert Table.from_image_folder(image_folder, table_name="t") == first
    assert not recwarn.list
    Image.new("L", (1, 1)).save(image_folder / "cats" / "new.png")
    with pytest.warns(UserWarning, match="other data"):
        assert Table.from_image_folder(image_folder, table_name="t") == first


@pytest.mark.parametrize("folder", ["nowhere", "images/annotations.json"])
def test_a_root_that_is_no_folder_is_an_error(image_folder, folder):
    with pytest.raises(UrlNotFoundError) as caught:
        Table.from_image_folder(image_folder.parent / folder)
    assert isinstance(caught.value, FileNotFoundError)


def test_a_folder_without_images_is_an_error(tmp_path):
    (tmp_path / "empty" / "class").mkdir(parents=True)
    with pytest.raises(UrlNotFoundError, match="no image"):
        Table.from_image_folder(tmp_path / "empty")


def test_images_outside_of_a_class_are_an_error_that_names_one(image_folder):
    Image.new("L", (1, 1)).save(image_folder / "loose.png")
    with pytest.raises(ColumnError, match=r"loose\.png.*include_label_column=False"):
        Table.from_image_folder(image_folder)


def test_a_file_name_that_is_no_text_is_named_with_its_row(image_folder):
    os.rename(image_folder / "dogs" / "b.png", os.fsencode(image_folder / "dogs") + b"/\xff.png")
    with pytest.raises(CellError, match="Row 2, column 'image'"):
        Table.from_image_folder(image_folder)


def test_a_class_may_be_a_link_and_links_that_go_round_are_not_followed(image_folder):
    (image_folder / "horses").symlink_to(image_folder / "dogs")
    (image_folder / "cats" / "again").symlink_to(image_folder)
    table = Table.from_image_folder(image_folder)
    names = [os.path.relpath(row["image"], image_folder) for row in table.table_rows]
    assert names == ["cats/a.png", "cats/deep/er/c.JPG", "dogs/b.png", "horses/b.png"]


def test_a_column_of_masks_may_be_added_to_be_filled_later(image_folder):
    extra = {"segmentations": SegmentationMasks.schema(classes=["cat", "dog"])}
    table = Table.from_image_folder(
        image_folder, include_label_column=False, extra_columns=extra, add_weight_column=False
    )
    assert table.columns == ["image", "segmentations"]
    assert table[0]["segmentations"] is None
    filled = SegmentationMasks.create_empty(image_width=4, image_height=3)
    filled.add_instance(mask=np.eye(3, 4), label=1)
    edited = table.set_values("segmentations", [0], [filled])
    assert edited[0]["segmentations"].masks[..., 0].tolist() == np.eye(3, 4).tolist()


def test_masks_lie_at_the_same_place_in_a_folder_of_their_own(image_folder, tmp_path):
    masks = tmp_path / "masks"
    for name in ("cats/a.PNG", "cats/deep/er/c.bmp"):
        (masks / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 2), 7).save(masks / name)
    table = Table.from_image_folder(image_folder, mask_folder=masks)
    assert table.columns == ["image", "label", "mask", "weight"]
    assert [row["mask"] for row in table.table_rows] == [
        str(masks / "cats" / "a.PNG"),
        str(masks / "cats" / "deep" / "er" / "c.bmp"),
        None,
    ]
    assert table[0]["mask"].getpixel((0, 0)) == 7
    assert table[2]["mask"] is None
    named = Table.from_image_folder(
        image_folder,
        include_label_column=False,
        mask_folder=str(masks),
        mask_column_name="regions",
        table_name="named",
    )
    assert named.columns == ["image", "regions", "weight"]
    Image.new("L", (3, 2)).save(masks / "cats" / "a.bmp")
    with pytest.raises(ColumnError, match="same image"):
        Table.from_image_folder(image_folder, mask_folder=masks)


def test_a_folder_with_masks_of_other_images_is_told(image_folder, tmp_path):
    with pytest.raises(ColumnError, match="has a mask"):
        Table.from_image_folder(image_folder, mask_folder=tmp_path / "nothing" / "..")
    with pytest.raises(UrlNotFoundError):
        Table.from_image_folder(image_folder, mask_folder=tmp_path / "nothing")
