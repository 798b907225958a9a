"""YOLO data sets: images, a label file beside each, and a YAML file."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tlc.constants import LABEL
from tlc.errors import ExportError
from tlc.export.annotated_images import annotated_images
from tlc.export.annotations import POINTS, AnnotationColumn, annotation_column, annotation_columns
from tlc.export.cells import part_of
from tlc.export.exporter import Exporter
from tlc.export.images import (
    FreeNames,
    check_mode,
    has_images,
    image_column,
    image_name,
    place_images,
    remove_moved,
)
from tlc.export.left_out import LeftOut
from tlc.export.yolo_folder import YoloFolder
from tlc.export.yolo_values import kpt_shape, yolo_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from tlc.table import Table
    from tlc.url import Url

_DECIMALS = 10


class YoloExporter(Exporter):
    """Writes ``images/<split>``, ``labels/<split>`` and ``dataset.yaml``; splits add up.

    The task follows from the annotations: boxes (detect), masks (segment), keypoints (pose) or
    turned boxes (obb), the first of these that the table has. Classes are numbered from 0 in the
    order of the value map. What lies outside of an image is cut off; a mask becomes its outline,
    an instance of several parts one polygon that visits them all. An image without instances has no
    label file.
    """

    supported_format = "yolo"
    priority = 2

    def can_export(self, table: Table, output_url: Url) -> bool:
        """Return whether the table has images with annotations, and the url is that of a folder."""
        is_folder = not PurePosixPath(output_url.name).suffix
        return is_folder and has_images(table) and bool(annotation_columns(table))

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
        """Add a split to a YOLO data set, which is made if it is not there.

        Args:
            table: The table.
            output_url: The folder; if it has a data set, that has no such split yet, and the same
                classes.
            weight_threshold: Rows whose weight is below it are left out.
            split: Name of the split.
            images: "copy", "symlink" or "move".
            annotation_column_name: Column with the annotations; the first that there is if not
                given.
            image_column_name: Column with the images; the first one if not given.
        """
        check_mode(images)
        column = annotation_column(table, annotation_column_name)
        image = image_column(table, image_column_name)
        classes = _classes(table, column)
        data_set = YoloFolder(Path(os.fspath(output_url)), split, _facts(table, column, classes))
        left_out = LeftOut(table.url, "YOLO")
        placed = []
        with data_set.new_split() as folder:
            numbers = {label: number for number, label in enumerate(classes)}
            for url, name, lines in _labels(
                table, weight_threshold, column, image, numbers, left_out
            ):
                placed.append((url, folder / "images" / name))
                if lines:
                    path = folder / "labels" / f"{PurePosixPath(name).stem}.txt"
                    path.write_text("".join(lines), encoding="utf-8", newline="\n")
            place_images(placed, images)
        if images == "move":
            remove_moved(placed)
        left_out.warn()


def _labels(
    table: Table,
    weight_threshold: float,
    column: AnnotationColumn,
    image: str,
    numbers: Mapping[Any, int],
    left_out: LeftOut,
) -> Iterator[tuple[Url, str, list[str]]]:
    """Yield url and new name of each image, and the lines of its labels."""
    names = FreeNames()
    for part in annotated_images(table, weight_threshold, image, column):
        values = yolo_values(part.cells, column, part.sizes)
        labels = _numbers(part.cells, column, numbers, values, table)
        for row, url in enumerate(part.urls):
            lines = [
                _line(label, shape)
                for label, shape in zip(labels[row], values[row], strict=True)
                if shape is not None or left_out.add(part.first + row)
            ]
            yield url, names.next(image_name(url)), lines


def _line(label: int, values: Any) -> str:
    numbers = " ".join(f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".") for value in values)
    return f"{label} {numbers}\n"


def _numbers(
    cells: pa.Array,
    column: AnnotationColumn,
    numbers: Mapping[Any, int],
    values: list[list[Any]],
    table: Table,
) -> list[list[int]]:
    labels = part_of(cells, column.properties_name, LABEL).to_pylist()
    found = []
    for given, shapes in zip(labels, values, strict=True):
        row = given or [None] * len(shapes)
        unknown = [label for label in row if label not in numbers]
        if unknown:
            raise ExportError(
                f"An instance in the column {column.name!r} of {table.url} has the label "
                f"{unknown[0]!r}, which is no class.",
                hint="add it to the value map, or give the instance another label.",
            )
        found.append([numbers[label] for label in row])
    return found


def _classes(table: Table, column: AnnotationColumn) -> dict[Any, str]:
    classes = {label: element.name for label, element in column.classes.items()}
    if not classes:
        raise ExportError(
            f"The labels in the column {column.name!r} of {table.url} have no names.",
            hint="give them a value map with table.set_value_map.",
        )
    return classes


def _facts(table: Table, column: AnnotationColumn, classes: Mapping[Any, str]) -> dict[str, Any]:
    """Return what the YAML file says of all splits."""
    facts: dict[str, Any] = {"names": dict(enumerate(classes.values()))}
    if column.kind == POINTS:
        shape = kpt_shape(column)
        if shape[0] < 1:
            raise ExportError(
                f"The skeletons in the column {column.name!r} of {table.url} differ in how many "
                "points they have.",
                hint="give the schema a num_keypoints.",
            )
        facts["kpt_shape"] = shape
        if flips := column.schema.metadata.get("flip_indices"):
            facts["flip_idx"] = [int(number) for number in flips]
    return facts
