"""Ultralytics replaces how Pillow opens images; errors of tlc about images stay what they are."""

from __future__ import annotations

import pytest
import ultralytics.utils.patches
from PIL import Image

from tlc.errors import TlcError
from tlc.helpers import ImageHelper


def test_a_file_that_is_no_image_is_a_typed_error(tmp_path):
    assert Image.open is ultralytics.utils.patches.image_open
    path = tmp_path / "none.png"
    path.write_bytes(b"no image")
    with pytest.raises(TlcError, match=r"none\.png"):
        ImageHelper.open(path)
