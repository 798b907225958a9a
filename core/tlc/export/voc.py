"""Pascal VOC: an XML file for each image, with its boxes."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from tlc.constants import INSTANCES, INSTANCES_ADDITIONAL_DATA, LABEL
from tlc.errors import ExportError, UrlExistsError
from tlc.export.added import added_files, is_filled
from tlc.export.annotated_images import annotated_images
from tlc.export.annotations import BOXES, annotation_column
from tlc.export.checks import check_split
from tlc.export.exporter import Exporter
from tlc.export.images import (
    FreeNames,
    check_mode,
    image_column,
    image_name,
    place_images,
    remove_moved,
)
from tlc.export.rows import shortest_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tlc.export.annotations import AnnotationColumn
    from tlc.table import Table
    from tlc.url import Url

ANNOTATIONS, IMAGES, SETS = "Annotations", "JPEGImages", "ImageSets/Main"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_MARKS = {"pose": "Unspecified", "truncated": "0", "difficult": "0"}


class VocExporter(Exporter):
    """Writes ``Annotations``, ``JPEGImages`` and ``ImageSets/Main``; splits add up.

    Boxes are written as the table has them, and what instances know as ``pose``, ``truncated``,
    ``difficult`` and ``occluded``. Ids of classes are not part of the format.
    """

    supported_format = "voc"

    def _do_export(
        self,
        table: Table,
        output_url: Url,
        weight_threshold: float,
        split: str = "train",
        images: str = "copy",
        annotation_column_name: str | None = None,
        image_column_name: str | None = None,
        **_: Any,
    ) -> None:
        """Add a split to a folder in the layout of Pascal VOC, which is made if it is not there.

        Args:
            table: The table.
            output_url: The folder; if it has splits, none has that name.
            weight_threshold: Rows whose weight is below it are left out.
            split: Name of the file that lists the images in their order.
            images: "copy", "symlink" or "move".
            annotation_column_name: Column with the boxes; the first one if not given.
            image_column_name: Column with the images; the first one if not given.
        """
        check_mode(images)
        check_split(split)
        column = annotation_column(table, annotation_column_name, (BOXES,))
        image = image_column(table, image_column_name)
        listing = f"{SETS}/{split}.txt"
        names = FreeNames(_taken(output_url, listing))
        placed, stems = [], []
        with added_files(output_url, listing) as folder:
            for part in (ANNOTATIONS, IMAGES, SETS):
                (folder / part).mkdir(parents=True)
            for url, name, text in _files(table, weight_threshold, column, image, names):
                stem = PurePosixPath(name).stem
                placed.append((url, folder / IMAGES / name))
                stems.append(f"{stem}\n")
                _write(folder / ANNOTATIONS / f"{stem}.xml", text)
            _write(folder / listing, "".join(stems))
            place_images(placed, images)
        if images == "move":
            remove_moved(placed)


def _taken(output_url: Url, listing: str) -> list[str]:
    """Return the names of files that a folder has already.

    Raises:
        UrlExistsError: It has that split, or is another kind of folder.
    """
    root = Path(os.fspath(output_url))
    if (root / listing).exists():
        raise UrlExistsError(
            f"{root / listing} exists already.",
            hint="pass another split=, or delete that one first.",
        )
    if is_filled(root) and not (root / SETS).is_dir():
        raise UrlExistsError(
            f"Something exists already at {output_url}, and it has no {SETS}.",
            hint="export to a new folder, or to one that an export to voc made.",
        )
    return [
        name
        for part in (ANNOTATIONS, IMAGES)
        if (root / part).is_dir()
        for name in os.listdir(root / part)
    ]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _files(
    table: Table,
    weight_threshold: float,
    column: AnnotationColumn,
    image: str,
    names: FreeNames,
) -> Iterator[tuple[Url, str, str]]:
    """Yield url and new name of each image, and its annotation file."""
    classes = {label: element.name for label, element in column.classes.items()}
    for part in annotated_images(table, weight_threshold, image, column):
        cells = shortest_numbers(part.cells).to_pylist()
        for url, cell, size in zip(part.urls, cells, part.sizes, strict=True):
            # Lists of images are split at spaces.
            name = names.next("_".join(image_name(url).split()))
            yield url, name, _text(name, size, _objects(cell or {}, classes, table))


def _objects(
    cell: Mapping[str, Any], classes: Mapping[Any, str], table: Table
) -> Iterator[dict[str, Any]]:
    boxes = cell.get(INSTANCES) or []
    more = cell.get(INSTANCES_ADDITIONAL_DATA) or {}
    for number, box in enumerate(boxes):
        own = {name: items[number] for name, items in more.items() if items is not None}
        if own.get(LABEL) not in classes:
            raise ExportError(
                f"A box of {table.url} has the label {own.get(LABEL)!r}, which is no class.",
                hint="add it to the value map, or give the box another label.",
            )
        marks = {name: _mark(own, name) or usual for name, usual in _MARKS.items()}
        if (occluded := _mark(own, "occluded")) is not None:
            marks["occluded"] = occluded
        corners = dict(zip(_CORNERS, map(_number, box), strict=True))
        yield {"name": classes[own[LABEL]], **marks, "bndbox": corners}


def _mark(own: Mapping[str, Any], name: str) -> str | None:
    value = own.get(name)
    if value is None:
        return None
    return str(value) if isinstance(value, str) else str(int(value))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _text(name: str, size: tuple[float, float], objects: Iterator[dict[str, Any]]) -> str:
    parts: list[tuple[str, Any]] = [
        ("folder", IMAGES),
        ("filename", name),
        ("size", {"width": _number(size[0]), "height": _number(size[1]), "depth": "3"}),
        ("segmented", "0"),
        *(("object", each) for each in objects),
    ]
    lines = [line for tag, value in parts for line in _element(tag, value, "  ")]
    return "\n".join(["<annotation>", *lines, "</annotation>", ""])


def _element(tag: str, value: Any, margin: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{margin}<{tag}>{_escaped(value)}</{tag}>"
        return
    yield f"{margin}<{tag}>"
    for name, part in value.items():
        yield from _element(name, part, f"{margin}  ")
    yield f"{margin}</{tag}>"


def _escaped(text: str) -> str:
    if any(ord(c) < 32 and c not in "\t\n" for c in text):
        raise ExportError(
            f"The name {text!r} has characters that XML does not allow.", hint="rename it."
        )
    return escape(text)
