"""Makes ``annotations.png``: one scene, drawn by `Table.show` with each type of annotation.

``python docs/images/make_annotations.py``
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import tlc
from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationMasks,
    SegmentationPolygons,
)
from tlc.drawing import contact_sheet
from tlc.schemas import ImageSchema, Schema, SemanticSegmentationRleSchema

WIDTH, HEIGHT = 320, 240
SIZE = {"image_width": WIDTH, "image_height": HEIGHT}
CLASSES = ["house", "tree", "kite"]
HOUSE, ROOF = (60, 130, 160, 210), [(50, 130), (110, 80), (170, 130)]
TREE, TRUNK = (215, 90, 285, 170), (244, 165, 256, 212)
KITE = [(215, 20), (240, 42), (222, 70), (197, 48)]


def scene() -> Image.Image:
    """Return a house, a tree and a kite under the sky."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (176, 208, 232))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 205, WIDTH, HEIGHT), fill=(150, 170, 110))
    draw.rectangle(HOUSE, fill=(214, 190, 160))
    draw.polygon(ROOF, fill=(150, 84, 70))
    draw.rectangle(TRUNK, fill=(110, 84, 60))
    draw.ellipse(TREE, fill=(84, 132, 76))
    draw.polygon(KITE, fill=(232, 120, 60))
    draw.line([(210, 59), (190, 100), (205, 130), (180, 170)], fill=(90, 90, 90))
    return image


def flat(points: list[tuple[int, int]]) -> list[int]:
    return [number for point in points for number in point]


def boxes() -> tuple[Any, Schema]:
    found = BoundingBoxes2D.create_empty(**SIZE)
    found.add_instance(bounding_box=[50, 80, 170, 210], label=0, confidence=0.98)
    found.add_instance(bounding_box=[215, 90, 285, 212], label=1, confidence=0.91)
    found.add_instance(bounding_box=[197, 20, 240, 70], label=2, confidence=0.64)
    return found, BoundingBoxes2D.schema(classes=CLASSES, include_per_instance_confidence=True)


def oriented_boxes() -> tuple[Any, Schema]:
    found = OrientedBoundingBoxes2D.create_empty(**SIZE)
    found.add_instance(obb=[218.5, 45, 33, 34, 0.72], label=2)
    return found, OrientedBoundingBoxes2D.schema(classes=CLASSES)


def keypoints() -> tuple[Any, Schema]:
    found = Keypoints2D.create_empty(**SIZE)
    corners = [(60, 210), (60, 130), (110, 80), (160, 130), (160, 210)]
    points = [[x, y, 1 if number == 4 else 2] for number, (x, y) in enumerate(corners)]
    found.add_instance(keypoints=points, bounding_box=[50, 80, 170, 212], label=0)
    lines = [0, 1, 1, 2, 2, 3, 3, 4]
    return found, Keypoints2D.schema(
        num_keypoints=5, classes=CLASSES, lines=lines, include_per_point_visibility=True
    )


def polygons() -> tuple[Any, Schema]:
    left, top, right, bottom = HOUSE
    outline = [*ROOF, (right, top), (right, bottom), (left, bottom), (left, top)]
    rings = [flat(outline), flat(KITE)]
    found = SegmentationPolygons(**SIZE, polygons=rings, labels=[0, 2])
    return found, SegmentationPolygons.schema(classes=CLASSES)


def masks() -> tuple[Any, Schema]:
    found = SegmentationMasks(**SIZE, masks=(regions() == 2)[:, :, None], labels=[1])
    return found, SegmentationMasks.schema(classes=CLASSES)


def semantic() -> tuple[Any, Schema]:
    names = {1: "house", 2: "tree", 3: "kite", 4: "ground"}
    return regions(), SemanticSegmentationRleSchema(classes=names, background=0)


def regions() -> np.ndarray:
    """Return the class of each pixel, shape (H, W)."""
    image = Image.new("L", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 205, WIDTH, HEIGHT), fill=4)
    draw.rectangle(HOUSE, fill=1)
    draw.polygon(ROOF, fill=1)
    draw.rectangle(TRUNK, fill=2)
    draw.ellipse(TREE, fill=2)
    draw.polygon(KITE, fill=3)
    return np.asarray(image)


def main() -> None:
    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        photo = f"{folder}/scene.png"
        scene().save(photo)
        for make in (boxes, oriented_boxes, keypoints, polygons, masks, semantic):
            annotation, schema = make()
            table = tlc.Table.from_dict(
                {"image": [photo], "annotation": [annotation]},
                {"image": ImageSchema(), "annotation": schema},
                table_name=make.__name__,
                root_url=folder,
            )
            pictures.append(table.show(0))
    sheet = contact_sheet(pictures, columns=3, width=WIDTH)
    sheet.quantize(64).save(Path(__file__).with_name("annotations.png"), optimize=True)


if __name__ == "__main__":
    main()
