"""Statistics of images, against decoding their files alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from benchmarks.harness import Case
from benchmarks.images import IMAGES, jpeg_files
from benchmarks.reading import reopened
from tlc.images import image_statistics
from tlc.schemas import ImageSchema

if TYPE_CHECKING:
    from collections.abc import Iterator


def cases() -> Iterator[Case]:
    paths = jpeg_files()
    table = reopened({"image": paths}, {"image": ImageSchema()}, "images")
    yield Case(
        f"brightness, contrast, sharpness, colour of {IMAGES:,} JPEG images of 224 x 224",
        {
            "PIL, decoding": lambda: _decode(paths),
            "tlc, 1 thread": lambda: image_statistics(table, threads=1),
            "tlc, 2 threads": lambda: image_statistics(table, threads=2),
        },
        unit=IMAGES,
        rounds=3,
    )


def _decode(paths: list[str]) -> None:
    for path in paths:
        with Image.open(path) as image:
            image.load()
