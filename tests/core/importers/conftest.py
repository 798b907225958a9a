from __future__ import annotations

import pytest
from PIL import Image


@pytest.fixture
def image_folder(tmp_path):
    """Two classes with two and one images, and things that are no images."""
    root = tmp_path / "images"
    for number, name in enumerate(["dogs/b.png", "cats/deep/er/c.JPG", "cats/a.png"]):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (number, 0, 0)).save(path)
    (root / "annotations.json").write_text("{}")
    (root / "cats" / "readme.txt").write_text("cats")
    (root / "cats" / ".hidden.png").write_bytes(b"")
    (root / ".git" / "x").mkdir(parents=True)
    return root
