"""COCO annotation files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tlc.errors import OptionError
from tlc.export.annotations import BOXES, MASKS, POINTS, annotation_column, annotation_columns
from tlc.export.checks import check_column
from tlc.export.coco_members import imported_columns, other_members
from tlc.export.coco_records import CocoRecords
from tlc.export.exporter import Exporter
from tlc.export.images import has_images, image_column
from tlc.export.json_text import json_object
from tlc.export.output import write_file
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tlc.table import Table

_KINDS = (BOXES, MASKS, POINTS)


class CocoExporter(Exporter):
    """Writes one JSON file with images, annotations and categories; images stay where they are.

    Boxes, masks or keypoints are written, the first of these that the table has. Polygons are
    written as they are, masks as compressed counts. Ids of images, annotations and categories,
    areas, crowd flags, and whatever else instances or the file of an import had, are kept; an id
    that is missing, or that another has already, is replaced by the next free one.
    """

    supported_format = "coco"
    file_extensions: ClassVar[frozenset[str]] = frozenset({".json"})
    priority = 3

    def can_export(self, table: Table, output_url: Url) -> bool:
        """Return whether the table has images with annotations, and the url ends with .json."""
        fits = super().can_export(table, output_url) and has_images(table)
        return fits and bool(annotation_columns(table, _KINDS))

    def _do_export(
        self,
        table: Table,
        output_url: Url,
        weight_threshold: float,
        image_folder: str = "",
        absolute_image_paths: bool = False,
        annotation_column_name: str | None = None,
        image_column_name: str | None = None,
        per_image_extras: Sequence[str] | None = None,
        indent: int = 4,
        **_: Any,
    ) -> None:
        """Write a COCO annotation file.

        Args:
            table: The table.
            output_url: The file.
            weight_threshold: Rows whose weight is below it are left out.
            image_folder: Folder that the paths of images start at; that of the file if not given.
            absolute_image_paths: Whether paths of images are absolute.
            annotation_column_name: Column with the annotations; the first that there is of boxes,
                masks and keypoints if not given.
            image_column_name: Column with the images; the first one if not given.
            per_image_extras: Columns whose values become members of the images; those that were
                in the COCO file that the table was made of, if not given.
            indent: Spaces before each level; 0 for no line breaks.
        """
        extras = imported_columns(table) if per_image_extras is None else per_image_extras
        for name in extras:
            check_column(table, name)
        records = CocoRecords(
            table,
            weight_threshold,
            annotation_column(table, annotation_column_name, _KINDS),
            image_column(table, image_column_name),
            tuple(extras),
            _path_writer(output_url, image_folder, absolute=absolute_image_paths),
        )
        members = (
            *other_members(table).items(),
            ("images", records.images()),
            ("annotations", records.annotations()),
            ("categories", records.categories()),
        )
        write_file(output_url, json_object(members, indent))


def _path_writer(output_url: Url, folder: str, *, absolute: bool) -> Callable[[Url], str]:
    if absolute and folder:
        raise OptionError(
            "image_folder and absolute_image_paths contradict each other.",
            hint="give one of them.",
        )
    if absolute:
        return str
    start = Url(folder).to_absolute() if folder else output_url.parent
    return lambda url: url.to_relative(start).to_str()
