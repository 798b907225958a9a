"""Small sources of data with one thing wrong in each, and what importers are to say about it."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.core.importers import coco_cases
from tests.core.importers.labelled import HEIGHT, WIDTH, image_bytes

from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES = ["a", "b", "c"]
REFUSED, LEFT_OUT, KEPT = "refused", "left out", "kept"
NOTED, FINE = "noted", "fine"


@dataclass(frozen=True)
class Fixture:
    """One thing that is wrong.

    Attributes:
        number: Its class in the list of classes of bad input.
        form: The format.
        name: What it is.
        source: Writes the source into a folder, and returns the importer.
        code: The rule that it breaks; empty if it is fine.
        file: The file that the problem names, below the folder.
        record: The record that the problem names.
        answer: ``REFUSED`` as a whole; with ``on_error="skip"`` ``LEFT_OUT``, or ``KEPT`` without
            what is wrong; ``NOTED``, which is no error; or ``FINE``.
        rows: How many rows the table has, if there is one.
    """

    number: int
    form: str
    name: str
    source: Callable[[Path], Callable[..., Table]]
    code: str
    file: str
    record: str
    answer: str
    rows: int


def fixtures(form, file, *cases):
    """Return fixtures of one format; each case may name another file than most do."""
    found = []
    for number, name, source, code, record, answer, rows, *other in cases:
        place = other[0] if other else file
        found.append(Fixture(number, form, name, source, code, place, record, answer, rows))
    return found


def write(folder, files):
    """Write files below a folder: texts, bytes, images (None), or links (a Path)."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            path.symlink_to(content)
        elif content is None:
            path.write_bytes(image_bytes())
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def coco(change=None, task="detect", *, files=None, text=None):
    """Return a source in COCO's form: the good one, changed."""

    def make(folder):
        content = coco_cases.good()
        if change is not None:
            change(content)
        names = [image["file_name"] for image in coco_cases.good()["images"]]
        folder.mkdir(parents=True)
        file, images = coco_cases.write(folder, text(content) if text else content, names=names)
        write(folder, files or {})
        return partial(Table.from_coco, file, images, task=task)

    return make


def first(member, value, records="annotations", at=0):
    """Return a change of a member of a record of COCO."""

    def change(content):
        content[records][at][member] = value

    return change


def repeated(records, **other):
    """Return a change that adds the first record again."""

    def change(content):
        content[records].append({**content[records][0], **other})

    return change


def yolo(
    label: str | bytes = "1 .5 .5 .5 .5",
    task="detect",
    *,
    files=None,
    place="images",
    **options: Any,
):
    """Return images ``a`` and ``b``, of which the first has labels, and further files."""

    def make(folder):
        write(folder, {"images/train/a.png": None, "images/train/b.png": None})
        write(folder, {"labels/train/a.txt": label, **(files or {})})
        return partial(Table.from_yolo_url, folder / place, CLASSES, task=task, **options)

    return make


def yolo_yaml(text, **files):
    """Return a data set with a YAML file."""

    def make(folder):
        yolo()(folder)
        write(folder, {"data.yaml": text, **files})
        return partial(Table.from_yolo, folder / "data.yaml", "train")

    return make


HEAD = '{"type": "dataset", "task": "detect", "class_names": {"0": "a", "1": "b"}}'
IMAGE = {"type": "image", "file": "b.png", "width": WIDTH, "height": HEIGHT}


def yolo_ndjson(record, *, head=HEAD, end="\n", encode="utf-8", files=None):
    """Return a file with a good image and one more line."""

    def make(folder):
        line = record if isinstance(record, str) else json.dumps({**IMAGE, **record})
        lines = [head, json.dumps({**IMAGE, "file": "a.png"}), line]
        text = "\n".join(lines) + end
        write(folder, {"data.ndjson": text.encode(encode), "a.png": None, "b.png": None})
        write(folder, files or {})
        return partial(Table.from_yolo_ndjson, folder / "data.ndjson", folder)

    return make


BOX = "<xmin>8</xmin><ymin>6</ymin><xmax>32</xmax><ymax>30</ymax>"


def voc_object(box=BOX, name="a"):
    """Return an object of an annotation."""
    return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"


def voc_text(*objects, name="a.png", size=f"<width>{WIDTH}</width><height>{HEIGHT}</height>"):
    """Return an annotation: an object is in line 4."""
    lines = ["<annotation>", f"<filename>{name}</filename>", f"<size>{size}</size>", *objects]
    return "\n".join([*lines, "</annotation>"])


def voc(text, *, files=None, **options: Any):
    """Return an annotation of ``a.png``, and further files."""

    def make(folder):
        write(folder, {"Annotations/a.xml": text, "JPEGImages/a.png": None, **(files or {})})
        return partial(Table.from_voc, folder / "Annotations", categories=CLASSES, **options)

    return make


def text_file(name, content, schema=None, **options: Any):
    """Return a file of columns."""

    def make(folder):
        write(folder, {name: content})
        factory = {"csv": Table.from_csv, "ndjson": Table.from_ndjson}[name.partition(".")[2]]
        return partial(factory, folder / name, schema, **options)

    return make


def parquet(content):
    """Return a Parquet file."""

    def make(folder):
        write(folder, {"a.parquet": content})
        return without_choice(Table.from_parquet, folder / "a.parquet")

    return make


def webdataset(*members, cut=None):
    """Return a shard with a good sample, and further members or the end cut off."""

    def make(folder):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in [("good.png", image_bytes()), ("good.cls", b"1"), *members]:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        write(folder, {"a.tar": buffer.getvalue()[:cut]})
        return partial(Table.from_webdataset, folder / "a.tar")

    return make


def image_folder(files):
    """Return a folder with a good image of class ``a``, and further files."""

    def make(folder):
        write(folder, {"a/good.png": None, **files})
        return without_choice(Table.from_image_folder, folder)

    return make


def masks(mask, image=None, *, name="b.png"):
    """Return images with masks, of which the second mask, or image, is wrong."""

    def make(folder):
        good = mask_bytes()
        write(folder, {"a.png": None, "a_mask.png": good, "b_mask.png": mask or good})
        if image != b"":
            write(folder, {name: image})
        images = [folder / "a.png", folder / name]
        paths = [folder / "a_mask.png", folder / "b_mask.png"]
        return partial(Table.from_semantic_segmentation, images, paths, {1: "a", 2: "b"}, 0)

    return make


def mask_bytes(value=1, size=(WIDTH, HEIGHT)):
    """Return a mask of one class."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", size, value).save(buffer, "PNG")
    return buffer.getvalue()


def hugging_face(rows, features):
    """Return a data set in memory."""

    def make(folder):
        import datasets

        folder.mkdir(parents=True)
        data = datasets.Dataset.from_dict(rows, features=datasets.Features(features(datasets)))
        return without_choice(Table.from_hugging_face_dataset, data)

    return make


def without_choice(factory, *arguments):
    """Return an importer that has no ``on_error``, since it opens nothing."""
    return lambda on_error, **options: factory(*arguments, **options)
