"""Images with their annotations, as formats of an annotation file per image take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tlc.errors import ExportError
from tlc.export.image_sizes import image_sizes
from tlc.export.rows import exported_parts
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tlc.export.annotations import AnnotationColumn
    from tlc.table import Table

_ROWS_AT_ONCE = 1024


class AnnotatedImages(NamedTuple):
    """Some rows.

    Attributes:
        first: Number of the first of them, among those that are exported.
        urls: Where the images are.
        cells: Their annotations, as they are stored.
        sizes: Width and height of each image.
    """

    first: int
    urls: list[Url]
    cells: pa.Array
    sizes: list[tuple[float, float]]


def annotated_images(
    table: Table, weight_threshold: float, image: str, column: AnnotationColumn
) -> Iterator[AnnotatedImages]:
    """Yield the rows that are exported, many at a time.

    Args:
        table: The table.
        weight_threshold: Rows whose weight is below it are left out.
        image: Name of the column of images.
        column: The annotations.

    Raises:
        ExportError: A row has no image.
    """
    first = 0
    for part in exported_parts(table, weight_threshold, [image, column.name], as_stored=True):
        for start in range(0, part.num_rows, _ROWS_AT_ONCE):
            some = part.slice(start, _ROWS_AT_ONCE)
            texts, cells = some.column(image).to_pylist(), some.column(column.name)
            if None in texts:
                row = first + texts.index(None)
                raise ExportError(f"Row {row} to be exported from {table.url} has no image.")
            urls = [Url(text) for text in texts]
            yield AnnotatedImages(first, urls, cells, image_sizes(cells, column, urls))
            first += len(urls)
