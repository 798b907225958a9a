"""Rows of a table as the dictionaries that Detectron2 trains on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import EXAMPLE_ID, IS_CROWD
from tlc.errors import SchemaError, UnsupportedOperationError
from tlc.helpers import AnnotationHelper
from tlc.importers.image_headers import image_size
from tlc.integration.detectron2.remote import make_readable
from tlc.integration.detectron2.shapes import cell_types, shapes_of
from tlc.sample_types.image_sizes import shown_size
from tlc.table import Table
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["TableRecords"]

_BLOCK = 512
_IMAGE_ID = "image_id"


@dataclass(frozen=True)
class TableRecords:
    """What a dataset catalog calls: returns a dictionary for each row of a table, in its order.

    Each has the number of its row as ``example_id``, which mappers pass on: positions in lists of
    Detectron2 say nothing of rows, since it filters them, and puts others where one cannot be read.

    Args:
        url: Url of the table.
        image: Its column of images.
        annotations: Its column of annotations; None for images only.
        class_ids: Id of each class in the table, in the order that Detectron2 counts them.
        mask_format: ``"polygon"`` or ``"bitmask"``: what masks are handed out as.
    """

    url: str
    image: str
    annotations: str | None
    class_ids: tuple[int, ...]
    mask_format: str = "polygon"

    @cached_property
    def table(self) -> Table:
        """The table."""
        return Table.from_url(self.url)

    def __call__(self) -> list[dict[str, Any]]:
        """Return the records.

        Raises:
            SchemaError: An instance has a class that has no name.
        """
        count, left_out = len(self.table), 0
        images = self._column(self.image)
        ids = self._column(_IMAGE_ID) if _IMAGE_ID in self.table.columns else range(count)
        found = []
        for row, cell in enumerate(self._cells()):
            record = self._record(images[row], cell)
            if self.annotations is not None:
                instances = list(self._instances(row, cell))
                record["annotations"] = [each for each in instances if each is not None]
                left_out += instances.count(None)
            found.append({**record, _IMAGE_ID: ids[row], EXAMPLE_ID: row})
        if left_out:
            text = "%d instances of %s have no polygon of three corners: they are left out."
            logging.getLogger(__name__).warning(text, left_out, self.url)
        return found

    def _column(self, name: str) -> list[Any]:
        found: list[Any] = self.table.get_column_as_pyarrow_array(name).to_pylist()
        return found

    def _cells(self) -> Iterator[Any]:
        """Yield the annotations of each row, of the kind that is asked for, masks not decoded."""
        if self.annotations is None:
            yield from repeat(None, len(self.table))
            return
        kind = AnnotationHelper.get(self.table, self.annotations).type
        cell_type = cell_types(self.mask_format)[kind]
        for part in self.table.column_parts([self.annotations]):
            cells = part[self.annotations]
            for start in range(0, len(cells), _BLOCK):
                for row in cells[start : start + _BLOCK].to_pylist():
                    yield None if row is None else cell_type.from_row(row)

    def _record(self, image: str, cell: Any) -> dict[str, Any]:
        path = self._path(image)
        width, height = getattr(cell, "image_width", None), getattr(cell, "image_height", None)
        if not (width and height):
            width, height = _size(path)
        return {"file_name": path, "height": int(height), "width": int(width)}

    def _path(self, image: str) -> str:
        """Return what Detectron2 can open: a path where the image is on this machine."""
        url = Url(image).to_absolute(self.table.url)
        try:
            return str(url.to_local_path())
        except UnsupportedOperationError:
            far = url.expand_aliases()
            make_readable(far.scheme)
            return far.to_str()

    def _instances(self, row: int, cell: Any) -> Iterator[dict[str, Any] | None]:
        if cell is None:
            return
        labels = np.zeros(cell.num_instances, int) if cell.labels is None else cell.labels
        crowd = cell.per_instance_extras.get(IS_CROWD)
        for number, shape in enumerate(shapes_of(cell)):
            if shape is None:
                yield None
                continue
            label = int(labels[number])
            if label not in self._places:
                raise SchemaError(
                    f"{self.url}: an instance of row {row} has the class {label}, which has no "
                    "name.",
                    hint="give it one: table.set_value_map(...).",
                )
            is_crowd = 0 if crowd is None else int(crowd[number] or 0)
            yield {**shape, "category_id": self._places[label], "iscrowd": is_crowd}

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {class_id: place for place, class_id in enumerate(self.class_ids)}


def _size(path: str) -> tuple[int, int]:
    """Return width and height of an image as Detectron2 reads it: turned as its EXIF data say."""
    return shown_size(Url(path)) if "://" in path else image_size(path)
