"""Sizes of images as viewers show them."""

from __future__ import annotations

import pytest
from PIL import Image

from tlc.errors import ImageReadError
from tlc.sample_types.image_sizes import shown_size
from tlc.url import Url


@pytest.mark.parametrize(("orientation", "size"), [(1, (4, 3)), (3, (4, 3)), (6, (3, 4))])
def test_an_image_that_is_turned_changes_its_sides(tmp_path, orientation, size):
    image = Image.new("RGB", (4, 3))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "image.jpg", exif=exif)
    assert shown_size(Url(tmp_path / "image.jpg")) == size


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / "none.jpg").write_bytes(b"no image")
    with pytest.raises(ImageReadError, match=r"none\.jpg"):
        shown_size(Url(tmp_path / "none.jpg"))
