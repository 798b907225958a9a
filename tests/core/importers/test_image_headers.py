"""Sizes of images from the first bytes of their files."""

from __future__ import annotations

import io
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from tests.core.importers.labelled import image_bytes

from tlc.errors import TlcError
from tlc.importers.image_headers import image_size

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")


def shown_size(content):
    """Return the size of an image as Pillow shows it."""
    with Image.open(io.BytesIO(content)) as image:
        return ImageOps.exif_transpose(image).size


@pytest.mark.parametrize("form", FORMATS)
def test_all_formats(tmp_path, form):
    (tmp_path / "x").write_bytes(image_bytes(form, (70, 30)))
    assert image_size(str(tmp_path / "x")) == (70, 30)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(10))
def test_all_orientations(tmp_path, form, orientation):
    content = image_bytes(form, (70, 30), orientation)
    (tmp_path / "x").write_bytes(content)
    assert image_size(str(tmp_path / "x")) == shown_size(content)


def with_segment(content, marker, data):
    """Return a JPEG with a further segment at its start."""
    return content[:2] + struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data + content[2:]


@pytest.mark.parametrize("order", ["<", ">"])
def test_other_byte_orders_and_long_segments_before_the_size(tmp_path, order):
    mark = b"II" if order == "<" else b"MM"
    tiff = mark + struct.pack(f"{order}HIH", 42, 8, 2)
    tiff += struct.pack(f"{order}HHII", 0x010F, 2, 1, 0)
    tiff += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 8, 0) + b"\0" * 4
    content = image_bytes("JPEG", (70, 30))
    for _ in range(5):
        content = with_segment(content, 0xE2, b"\0" * 60_000)
    content = with_segment(content, 0xE1, b"Exif\0\0" + tiff)
    (tmp_path / "x").write_bytes(content)
    assert shown_size(content) == (30, 70)
    assert image_size(str(tmp_path / "x")) == (30, 70)


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"\0" * 100]
)
def test_broken_exif_data_are_no_reason_to_stop(tmp_path, exif):
    content = with_segment(image_bytes("JPEG", (70, 30)), 0xE1, b"Exif\0\0" + exif)
    (tmp_path / "x").write_bytes(content)
    assert image_size(str(tmp_path / "x")) == (70, 30)


@given(
    form=st.sampled_from(FORMATS),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    length=st.integers(0, 1000),
)
def test_a_damaged_image_has_a_size_or_a_typed_error(tmp_path_factory, form, changes, length):
    content = bytearray(image_bytes(form, (70, 30), orientation=6 if form == "JPEG" else None))
    for place, value in changes:
        content[place % len(content)] = value
    path = tmp_path_factory.mktemp("damaged") / "x"
    path.write_bytes(content[:length])
    try:
        width, height = image_size(str(path))
    except TlcError:
        return
    assert 0 < width * height < 1 << 31


def test_what_is_no_image(tmp_path):
    with pytest.raises(FileNotFoundError):
        image_size(str(tmp_path / "gone"))
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="it is no file"):
            image_size(str(path))
