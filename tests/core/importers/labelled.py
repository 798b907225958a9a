"""Small data sets of images with labels, made by code."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, HEIGHT = 64, 48


def image_bytes(form="PNG", size=(WIDTH, HEIGHT), orientation=None):
    """Return a small image; with an orientation, the size is that of the file's pixels."""
    buffer, options = io.BytesIO(), {}
    if orientation is not None:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    Image.new("RGB", size, (90, 120, 30)).save(buffer, form, **options)
    return buffer.getvalue()


def column_bytes(table):
    """Return the cells of all columns as bytes."""
    columns = {name: table.get_column_as_pyarrow_array(name) for name in table.columns}
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, (rows := pa.table(columns)).schema) as writer:
        writer.write_table(rows)
    return sink.getvalue().to_pybytes()


@dataclass
class YoloFolder:
    """``images/train`` and ``labels/train`` below a folder, with a YAML file."""

    root: Path

    def image(self, name, content=None):
        """Add an image and return its path."""
        path = self.root / "images" / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image_bytes() if content is None else content)
        return path

    def label(self, name, text):
        """Add a label file and return its path."""
        path = self.root / "labels" / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def add(self, stem, text, content=None):
        """Add an image with labels, and return the path of the labels."""
        self.image(f"{stem}.png", content)
        return self.label(f"{stem}.txt", text)

    def yaml(self, text="path: .\ntrain: images/train\nnames: [a, b, c]\n", name="data.yaml"):
        """Add a YAML file and return its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    @property
    def images(self):
        """The folder with all images."""
        return self.root / "images"
