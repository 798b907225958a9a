"""Images, annotations and categories of a COCO file, made of a table while they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.constants import (
    BOUNDING_BOX,
    CONFIDENCE,
    IS_CROWD,
    KEYPOINT_VISIBILITY,
    LABEL,
)
from tlc.errors import ExportError
from tlc.export.annotations import BOXES, POINTS
from tlc.export.cells import number_of_instances, part_of
from tlc.export.coco_members import Member, members_of
from tlc.export.coco_shapes import box_records, mask_records, point_records
from tlc.export.identifiers import free_ids
from tlc.export.image_sizes import image_sizes
from tlc.export.rows import exported_parts, shortest_numbers
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from tlc.export.annotations import AnnotationColumn
    from tlc.table import Table

IMAGE_ID, ANNOTATION_ID, AREA = "image_id", "annotation_id", "area"
_SCORE = "score"
_OF_ANNOTATIONS = {
    *("id", "image_id", "category_id", "bbox", "segmentation", "keypoints", "num_keypoints"),
    _SCORE,
}
_OF_IMAGES = {"id", "file_name", "width", "height"}
_ROWS_AT_ONCE = 1024


class CocoRecords:
    """The three lists of a COCO file, to be taken in the order images, annotations, categories.

    Args:
        table: The table.
        weight_threshold: Rows whose weight is below it are left out.
        column: The annotations.
        image: Name of the column of images.
        extras: Names of columns whose values become members of images.
        path: Gives the text for the url of an image.
    """

    def __init__(
        self,
        table: Table,
        weight_threshold: float,
        column: AnnotationColumn,
        image: str,
        extras: tuple[str, ...],
        path: Callable[[Url], str],
    ) -> None:
        self._table = table
        self._threshold = weight_threshold
        self._column = column
        self._image = image
        self._extras = extras
        self._path = path
        self._image_ids: list[int] = []
        self._annotation_ids: list[int] = []
        self._labels: dict[int, None] = dict.fromkeys(column.classes)
        schemas = table.rows_schema.values
        self._image_members = members_of({name: schemas[name] for name in extras})
        self._members = members_of(column.properties)
        self._check_names()

    def images(self) -> Iterator[dict[str, Any]]:
        """Yield a record for each row.

        Raises:
            ExportError: A row has no image.
        """
        self._look()
        names = [self._image, self._column.name, *self._extras]
        first = 0
        for part in exported_parts(self._table, self._threshold, list(dict.fromkeys(names))):
            urls = [Url(url) for url in self._urls(part, first)]
            sizes = image_sizes(part.column(self._column.name), self._column, urls)
            extras = [part.column(name).to_pylist() for name in self._extras]
            for number, (url, (width, height)) in enumerate(zip(urls, sizes, strict=True)):
                own = {n: v[number] for n, v in zip(self._extras, extras, strict=True)}
                yield {
                    "id": self._image_ids[first + number],
                    "file_name": self._path(url),
                    "width": width,
                    "height": height,
                    **_named(own, self._image_members),
                }
            first += part.num_rows

    def annotations(self) -> Iterator[dict[str, Any]]:
        """Yield a record for each instance.

        Raises:
            ExportError: An instance has no label.
        """
        images, ids = iter(self._image_ids), iter(self._annotation_ids)
        for cells in self._cells():
            shapes = self._shapes(cells)
            for properties, row in zip(self._properties(cells), shapes, strict=True):
                image = next(images)
                for number, shape in enumerate(row):
                    own = {n: v[number] for n, v in properties.items() if v is not None}
                    yield self._annotation(next(ids), image, own, shape)

    def categories(self) -> Iterator[dict[str, Any]]:
        """Yield a record for each class; a label without a name is called by its number."""
        skeleton = self._skeleton() if self._column.kind == POINTS else {}
        classes = self._column.classes
        for label in self._labels:
            element = classes.get(label)
            name = element.name if element else str(label)
            more = {"supercategory": element.description} if element and element.description else {}
            yield {"id": label, "name": name, **more, **skeleton}

    def _annotation(
        self, id: int, image: int, own: dict[str, Any], shape: dict[str, Any]
    ) -> dict[str, Any]:
        label = own.pop(LABEL, None)
        if label is None:
            raise ExportError(
                f"An instance in the image {image} of {self._table.url} has no label, and COCO "
                "annotations need one.",
                hint="give all instances a label.",
            )
        self._labels.setdefault(label)
        own.pop(ANNOTATION_ID, None)
        area, crowd = own.pop(AREA, None), own.pop(IS_CROWD, None)
        score = own.pop(CONFIDENCE, None)
        record = {"id": id, "image_id": image, "category_id": label, **shape}
        record[AREA] = shape[AREA] if area is None else area
        record[IS_CROWD] = int(bool(crowd))
        if score is not None:
            record[_SCORE] = score
        return record | _named(own, self._members)

    def _look(self) -> None:
        """Go through the rows once to find the ids that they have."""
        has_ids = IMAGE_ID in self._table.columns
        names = [self._column.name, *([IMAGE_ID] if has_ids else [])]
        images: list[Any] = []
        annotations: list[Any] = []
        for part in exported_parts(self._table, self._threshold, names, as_stored=True):
            cells = part.column(self._column.name)
            images += part.column(IMAGE_ID).to_pylist() if has_ids else [None] * len(cells)
            counts = number_of_instances(cells, self._column)
            given = self._given_ids(cells)
            for count, ids in zip(counts, given, strict=True):
                annotations += [None] * count if ids is None else ids
        self._image_ids = free_ids(images)
        self._annotation_ids = free_ids(annotations)

    def _given_ids(self, cells: pa.Array) -> list[Any]:
        if ANNOTATION_ID not in self._column.properties:
            return [None] * len(cells)
        found: list[Any] = part_of(cells, self._column.properties_name, ANNOTATION_ID).to_pylist()
        return found

    def _urls(self, part: pa.RecordBatch, first: int) -> list[str]:
        urls: list[Any] = part.column(self._image).to_pylist()
        if None in urls:
            raise ExportError(
                f"Row {first + urls.index(None)} to be exported from {self._table.url} has no "
                f"image in the column {self._image!r}."
            )
        return urls

    def _cells(self) -> Iterator[pa.Array]:
        name = self._column.name
        for part in exported_parts(self._table, self._threshold, [name], as_stored=True):
            for start in range(0, part.num_rows, _ROWS_AT_ONCE):
                yield part.column(name).slice(start, _ROWS_AT_ONCE)

    def _shapes(self, cells: pa.Array) -> list[list[dict[str, Any]]]:
        if self._column.kind == BOXES:
            return box_records(cells)
        return point_records(cells) if self._column.kind == POINTS else mask_records(cells)

    def _properties(self, cells: pa.Array) -> list[dict[str, Any]]:
        found = shortest_numbers(part_of(cells, self._column.properties_name)).to_pylist()
        shaped = (BOUNDING_BOX, KEYPOINT_VISIBILITY) if self._column.kind == POINTS else ()
        return [{n: v for n, v in (row or {}).items() if n not in shaped} for row in found]

    def _skeleton(self) -> dict[str, Any]:
        """Return what categories of keypoints say of their points; pairs count from 1."""
        known = self._column.schema.metadata
        names = [
            point if isinstance(point, str) else point.get("internal_name", "")
            for point in known.get("point_attributes") or ()
        ]
        lines = [number + 1 for number in known.get("lines") or ()]
        pairs = [list(pair) for pair in zip(lines[::2], lines[1::2], strict=True)]
        count = max(0, int(known.get("num_keypoints") or 0))
        names = names or [f"{number + 1}" for number in range(count)]
        return {"keypoints": names, "skeleton": pairs}

    def _check_names(self) -> None:
        for members, taken in (
            (self._members, _OF_ANNOTATIONS),
            (self._image_members, _OF_IMAGES),
        ):
            for name, member in members.items():
                if member.name in taken:
                    raise ExportError(
                        f"{name!r} of {self._table.url} would become a member {member.name!r}, "
                        "which means something else in COCO files.",
                        hint="rename it.",
                    )


def _named(own: dict[str, Any], members: dict[str, Member]) -> dict[str, Any]:
    return {
        members[name].name: members[name].written(value)
        for name, value in own.items()
        if value is not None
    }
