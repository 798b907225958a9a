"""Tables of noisy pictures with four instances each, for the benchmarks of vision frameworks."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PIL import Image

from tlc.data_types import BoundingBoxes2D, SegmentationPolygons
from tlc.table import Table

ROWS, WIDTH, HEIGHT, CLASSES = 48, 640, 480, 80


def pictures(kind: type[BoundingBoxes2D | SegmentationPolygons]) -> Table:
    """Write the pictures, and return a table of them with boxes, or outlines of the same boxes."""
    rng = np.random.default_rng(0)
    folder = Path(mkdtemp())
    size = {"image_width": WIDTH, "image_height": HEIGHT}
    images, cells = [], []
    for row in range(ROWS):
        images.append(str(folder / f"{row}.jpg"))
        pixels = rng.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        Image.fromarray(pixels).resize((WIDTH, HEIGHT)).save(images[-1])
        low = rng.uniform(0, 300, (4, 2))
        boxes = np.concatenate([low, low + rng.uniform(40, 170, (4, 2))], axis=1)
        labels = rng.integers(0, CLASSES, 4)
        if kind is BoundingBoxes2D:
            cells.append(kind(boxes, labels, **size))
        else:
            outlines = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].tolist()
            cells.append(kind(polygons=outlines, labels=labels, **size))
    schema = {"labels": kind.schema(classes=[f"class {i}" for i in range(CLASSES)])}
    return Table.from_dict({"image": images, "labels": cells}, schema, table_name=kind.__name__)
