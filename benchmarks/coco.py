"""A COCO detection file of 100,000 images and 700,000 boxes with polygons, to a table."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness import Case, Fact
from benchmarks.processes import Measured, fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Arrow's usual pool asks for huge pages, and what these cost depends on the machine's memory: the
# same import took 1.5 s or 2.1 s, all of the difference in the system.
ENVIRONMENT = {"TLC_DURABILITY": "os", "ARROW_DEFAULT_MEMORY_POOL": "system"}

IMAGES, BOXES, CLASSES, OUTLINES = 100_000, 700_000, 90, 500
SEGMENTED = 20_000

WARM = "import pyarrow as pa, pyarrow.parquet as pq; pa.array([0])\n"  # pandas, which it imports

FLOOR_SETUP = (
    WARM
    + """
import gc, itertools, msgspec, numpy as np
from operator import attrgetter

class Image(msgspec.Struct, gc=False):
    id: int
    file_name: str
    width: int
    height: int

class Annotation(msgspec.Struct, gc=False):
    id: int
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]

class File(msgspec.Struct, gc=False):
    images: list[Image]
    annotations: list[Annotation]

decoder = msgspec.json.Decoder(File)
"""
)

FLOOR = """
gc.disable()
with open(FILE, "rb") as source:
    decoded = decoder.decode(source.read())
images, records = decoded.images, decoded.annotations
place = {image.id: row for row, image in enumerate(images)}
rows = np.array([place[record.image_id] for record in records])
order = np.argsort(rows, kind="stable")
offsets = np.zeros(len(images) + 1, np.int32)
np.cumsum(np.bincount(rows, minlength=len(images)), out=offsets[1:])
flat = itertools.chain.from_iterable(map(attrgetter("bbox"), records))
boxes = np.fromiter(flat, np.float64, 4 * len(records)).reshape(-1, 4)[order]
numbers = {
    name: np.fromiter(map(attrgetter(name), records), np.int64, len(records))[order]
    for name in ("id", "category_id")
}
boxes = pa.FixedSizeListArray.from_arrays(pa.array(boxes.ravel()), 4)
columns = {
    "image": pa.array(["/data/" + image.file_name for image in images]),
    "width": pa.array([image.width for image in images], pa.int32()),
    "height": pa.array([image.height for image in images], pa.int32()),
    "boxes": pa.ListArray.from_arrays(offsets, boxes),
    **{n: pa.ListArray.from_arrays(offsets, pa.array(v)) for n, v in numbers.items()},
}
pq.write_table(pa.table(columns), OUT, compression="zstd", row_group_size=131_072)
"""

TLC_SETUP = (
    WARM
    + """
import tlc, tlc.importers.coco, tlc.table
"""
)

TLC = """
tlc.Table.from_coco(
    FILE, IMAGES, task=TASK, table_name=TASK, if_exists="overwrite", on_error="skip"
)
"""

SEGMENT_FLOOR_SETUP = "import contextlib, io; from pycocotools.coco import COCO"
SEGMENT_FLOOR = """
with contextlib.redirect_stdout(io.StringIO()):
    coco = COCO(SMALL)
masks = [coco.annToRLE(annotation) for annotation in coco.dataset["annotations"]]
"""

PYCOCOTOOLS_SETUP = "import contextlib, io; from pycocotools.coco import COCO"
PYCOCOTOOLS = "with contextlib.redirect_stdout(io.StringIO()): COCO(FILE)"


def cases() -> Iterator[Case | Fact]:
    folder = Path(mkdtemp())
    file, small, pictures = (str(folder / name) for name in ("all.json", "small.json", "images"))
    write_file(file)
    write_file(small, SEGMENTED, SEGMENTED * BOXES // IMAGES)
    write_images(pictures)
    names = (
        f"FILE, SMALL, IMAGES, TASK = {file!r}, {small!r}, {pictures!r}, 'detect'\n"
        f"OUT = {str(folder / 'floor.parquet')!r}\n"
    )
    memory: dict[str, float] = {}

    def side(name: str, setup: str, code: str) -> Callable[[], Measured]:
        def run() -> Measured:
            measured = fresh(code, setup=names + setup, environment=ENVIRONMENT)
            memory[name] = measured.added_mb
            return measured

        return run

    yield from _detection(side, memory, Path(file).stat().st_size)
    yield Case(
        f"COCO masks to a table, {SEGMENTED:,} images, polygons to runs",
        {
            "pycocotools, converting only": side("masks", SEGMENT_FLOOR_SETUP, SEGMENT_FLOOR),
            "tlc": side("tlc masks", f"FILE, TASK = SMALL, 'segment'\n{TLC_SETUP}", TLC),
        },
        unit=SEGMENTED,
        rounds=3,
        goal=1.1,
    )


def _detection(
    side: Callable[[str, str, str], Callable[[], Measured]], memory: dict[str, float], size: int
) -> Iterator[Case | Fact]:
    name = f"COCO detection to a table, {IMAGES:,} images, {BOXES:,} boxes, {size / 1e6:.0f} MB"
    yield Case(
        name,
        {
            "typed msgspec to Parquet": side("floor", FLOOR_SETUP, FLOOR),
            "tlc": side("tlc", TLC_SETUP, TLC),
            "pycocotools, loading only": side("pycocotools", PYCOCOTOOLS_SETUP, PYCOCOTOOLS),
        },
        unit=BOXES,
        rounds=5,
        goal=1.5,
    )
    for other, goal in (("floor", None), ("pycocotools", 0.35)):
        yield Fact(
            f"the same, memory over {other}",
            lambda other=other: memory["tlc"] / memory[other],  # type: ignore[misc]
            goal,
            "x",
        )
    yield Fact(
        "the same, memory over 300 MB and a tenth of the file",
        lambda: memory["tlc"] / (300 + size / 1e7),
        1.0,
        "x",
    )


def write_images(folder: str) -> None:
    """Write the files of images, without content: nobody opens them."""
    Path(folder).mkdir()
    for number in range(IMAGES):
        Path(folder, f"{number:012}.jpg").touch()


def write_file(path: str, image_count: int = IMAGES, box_count: int = BOXES) -> None:
    """Write annotations in random order of their images, as in COCO itself."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(8, 48, OUTLINES) // 2 * 2
    outlines = [str(_outline(rng, size)) for size in sizes]
    images, classes = rng.integers(0, image_count, box_count), rng.integers(0, CLASSES, box_count)
    boxes = np.round(rng.random((box_count, 4)) * 300, 2)
    rows = zip(images.tolist(), classes.tolist(), boxes.tolist(), strict=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"info": {"year": 2026}, "images": [')
        file.write(", ".join(map(_image, range(image_count))))
        file.write('], "annotations": [')
        file.write(
            ", ".join(
                f'{{"segmentation": [{outlines[number % OUTLINES]}], "area": {box[2] * box[3]:.4f}'
                f', "iscrowd": 0, "image_id": {image}, "bbox": {box}, "category_id": {label}, '
                f'"id": {number}}}'
                for number, (image, label, box) in enumerate(rows)
            )
        )
        file.write('], "categories": [')
        file.write(", ".join(f'{{"id": {i}, "name": "class {i}"}}' for i in range(CLASSES)))
        file.write("]}")


def _outline(rng: np.random.Generator, size: int) -> list[float]:
    """Return a polygon around something, as people draw it."""
    angles = np.linspace(0, 2 * np.pi, size // 2, endpoint=False)
    distances = rng.uniform(10, 80) * rng.uniform(0.7, 1.3, size // 2)
    middle = rng.uniform(100, 400, (1, 2))
    corners = middle + distances[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found: list[float] = np.round(corners, 2).ravel().tolist()
    return found


def _image(number: int) -> str:
    return (
        f'{{"license": 3, "file_name": "{number:012}.jpg", "height": 480, "width": 640, '
        f'"coco_url": "https://images.example/train/{number:012}.jpg", '
        f'"date_captured": "2026-11-14 16:28:13", "id": {number}}}'
    )
