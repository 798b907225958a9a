"""Folders of images with a sub-folder for each class."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tlc.constants import LABEL
from tlc.errors import ExportError
from tlc.export.added import added_files, is_filled
from tlc.export.checks import check_column
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
from tlc.export.rows import exported_rows
from tlc.schemas.values import NumericValue
from tlc.url import Url

if TYPE_CHECKING:
    from tlc.table import Table


class ImageFolderExporter(Exporter):
    """Writes images in torchvision's ImageFolder layout, ``<class>/<image>``; tables add up.

    A table without labels becomes a folder of images. Images of one name in one class are numbered.
    """

    supported_format = "image_folder"
    priority = 1

    def can_export(self, table: Table, output_url: Url) -> bool:
        """Return whether the table has images and labels, and the url is that of a folder."""
        is_folder = not PurePosixPath(output_url.name).suffix
        return is_folder and has_images(table) and _classes(table, LABEL) is not None

    def _do_export(
        self,
        table: Table,
        output_url: Url,
        weight_threshold: float,
        images: str = "copy",
        image_column_name: str | None = None,
        label_column_name: str | None = None,
        **_: Any,
    ) -> None:
        """Write a folder of images.

        Args:
            table: The table.
            output_url: The folder; if it has images, it has folders for the same classes, and none
                of those images.
            weight_threshold: Rows whose weight is below it are left out.
            images: "copy", "symlink" or "move".
            image_column_name: Column with the images; the first one if not given.
            label_column_name: Column with the class of each image; "label" if not given.
        """
        check_mode(images)
        column = image_column(table, image_column_name)
        labels = _label_column(table, label_column_name)
        _check_classes(table, labels, output_url)
        with added_files(output_url) as folder:
            placed = _places(table, weight_threshold, column, labels, folder)
            for parent in {path.parent for _, path in placed}:
                parent.mkdir(exist_ok=True)
            if labels is not None:
                for name in (_classes(table, labels) or {}).values():
                    (folder / name).mkdir(exist_ok=True)  # also of classes without images
            place_images(placed, images)
        if images == "move":
            remove_moved(placed)


def _check_classes(table: Table, labels: str | None, output_url: Url) -> None:
    """Refuse a folder that has other classes: the numbers of those that are there would change."""
    root = Path(os.fspath(output_url))
    if not is_filled(root):
        return
    there = {entry.name for entry in os.scandir(root) if entry.is_dir() and entry.name[0] != "."}
    wanted = set() if labels is None else set((_classes(table, labels) or {}).values())
    if there != wanted:
        raise ExportError(
            f"{root} has folders for other classes than {table.url}: "
            f"{', '.join(map(repr, sorted(there))) or 'none'}, "
            f"not {', '.join(map(repr, sorted(wanted))) or 'none'}.",
            hint="export to another folder, or make the value maps the same.",
        )


def _label_column(table: Table, name: str | None) -> str | None:
    if name is None:
        return LABEL if _classes(table, LABEL) is not None else None
    check_column(table, name)
    if _classes(table, name) is None:
        raise ExportError(
            f"Column {name!r} of {table.url} does not say which class an image belongs to.",
            hint="it is a number with a value map: see table.set_value_map.",
        )
    return name


def _classes(table: Table, name: str) -> dict[Any, str] | None:
    """Return number -> folder of a column of labels; None if it is none."""
    schema = table.rows_schema.values.get(name)
    if schema is None or schema.shape or not isinstance(schema.value, NumericValue):
        return None
    return schema.get_simple_value_map()


def _places(
    table: Table, weight_threshold: float, image: str, label: str | None, folder: Path
) -> list[tuple[Url, Path]]:
    classes = {} if label is None else _folders(_classes(table, label) or {}, table)
    names = {name: FreeNames() for name in ["", *classes.values()]}
    placed = []
    columns = [image] if label is None else [image, label]
    for number, row in enumerate(exported_rows(table, weight_threshold, columns)):
        if row[image] is None:
            raise ExportError(f"Row {number} to be exported from {table.url} has no image.")
        if label is not None and row[label] not in classes:
            raise ExportError(
                f"Row {number} to be exported from {table.url} has the label {row[label]!r}, "
                "which is no class.",
                hint="add it to the value map, or give the row another label.",
            )
        name = "" if label is None else classes[row[label]]
        url = Url(row[image])
        placed.append((url, folder / name / names[name].next(image_name(url))))
    return placed


def _folders(classes: dict[Any, str], table: Table) -> dict[Any, str]:
    for name in classes.values():
        if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise ExportError(
                f"The class {name!r} of {table.url} cannot be the name of a folder.",
                hint="give it another name with table.set_value_map.",
            )
    if len(set(classes.values())) < len(classes):
        raise ExportError(
            f"Two classes of {table.url} have one name, and would share a folder.",
            hint="give them different names with table.set_value_map.",
        )
    return classes
