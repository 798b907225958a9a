"""The boxes of a table's images as images of their own."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from tlc._wording import some
from tlc.constants import (
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    INSTANCES,
    INSTANCES_ADDITIONAL_DATA,
    LABEL,
    X_MAX,
    Y_MAX,
)
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    ImageReadError,
    OptionError,
    TlcWarning,
)
from tlc.format.plain import numbers_of, validity_of
from tlc.helpers import AnnotationHelper, AnnotationType
from tlc.images.statistics import images_column
from tlc.sample_types.content import fetched_content
from tlc.sample_types.images import read_image
from tlc.table import Table, TableView
from tlc.table.paths import cells_at, elements_of, lengths_of
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from PIL.Image import Image

    from tlc.table.placement import NamedPlacement, Placement
    from tlc.table.rows import Finish

__all__ = ["BoxCrops", "box_crops"]

_SHOWN = 3


class BoxCrops(TableView):
    """A dataset with a sample for each box: the image in it, cut out when it is read.

    Samples are dicts with ``image``, a PIL image; ``box``, the left, upper, right and lower edge of
    the piece in pixels of the image; and ``label``, the number of the class, if boxes have one. It
    can be used wherever a table's view can be, as by `tlc.collect_metrics`: metrics are then about
    the table of boxes, `source`.

    If the image has another size than its annotations say, the box is scaled to it, as when it is
    drawn. Boxes of one image that are read one after the other share the image, which is kept until
    another one is read.

    Args:
        source: A table with a row for each box, as ``table.unroll("bbs")`` makes it.
        column: Its column of boxes.
        image: Its column of images.
        margin: How much of its width, or height, is added to a box on each side.
    """

    def __init__(self, source: Table, column: str, image: str, margin: float = 0.0) -> None:
        super().__init__(source, _unchanged)
        self.column, self.image, self.margin = column, image, margin
        self._read: tuple[Any, Image] | None = None

    def __reduce__(self) -> tuple[type[BoxCrops], tuple[Table, str, str, float]]:
        return type(self), (self.source, self.column, self.image, self.margin)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return the piece of one box.

        Raises:
            ImageReadError: The image cannot be read, or the box lies outside of it.
            RowIndexError: There is no such box.
        """
        row = self.source.table_rows[index]
        try:
            return self._sample(row)
        except ImageReadError as error:
            error.add_note(f"It is the image of row {index} of {self.url}.")
            raise

    def __getitems__(self, indices: Sequence[int], finish: Finish | None = None) -> list[Any]:
        """Return the pieces of several boxes; what a ``DataLoader`` calls for a batch.

        Args:
            indices: Rows of the table of boxes.
            finish: Gets each sample and its row number; what it makes of them is returned instead.
        """
        rows = self.source.table_rows
        texts = {rows[index][self.image] for index in indices} - {None}
        with fetched_content(map(_url, texts)):
            samples = ((self[index], index) for index in indices)
            return [finish(*each) if finish else each[0] for each in samples]

    def _sample(self, row: Mapping[str, Any]) -> dict[str, Any]:
        cell = row[self.column]
        size = _size_of(cell)
        image = self._image(_url(row[self.image]), size)
        edges = _edges(cell[INSTANCES], size or image.size, image.size, self.margin)
        if edges[0] >= edges[2] or edges[1] >= edges[3]:
            raise ImageReadError(
                f"The box {cell[INSTANCES]} lies outside of its image of {image.width} x "
                f"{image.height} pixels.",
                hint="correct the box.",
            )
        sample = {"image": image.crop(edges), "box": edges}
        label = (cell.get(INSTANCES_ADDITIONAL_DATA) or {}).get(LABEL)
        return sample if label is None else {**sample, LABEL: label}

    def _image(self, url: Url, size: tuple[float, float] | None) -> Image:
        """Return an image in the orientation that its annotations are for."""
        read = self._read  # once, as another thread may put its image there
        if read is not None and read[0] == (url, size):
            return read[1]
        image = read_image(url)
        if size not in (None, image.size):
            stored = read_image(url, upright=False)
            image = stored if size == stored.size else image
        self._read = (url, size), image
        return image


def box_crops(
    table: Table,
    column: str | None = None,
    *,
    image: str | None = None,
    margin: float = 0.0,
    on_empty: str = "skip",
    **placement: Unpack[NamedPlacement],
) -> BoxCrops:
    """Return the boxes of all images as a dataset of small images.

    No pixels are copied: a table with a row for each box is made by `Table.unroll`, whose rows keep
    their keys, and pieces are cut out when they are read. `tlc.images.to_boxes` puts what was
    computed for each box beside the boxes of the table again.

    Args:
        table: A table with images and boxes.
        column: The column of boxes, of `BoundingBoxes2D`; None for the first.
        image: The column of images; None for the first.
        margin: How much of its width, or height, is added to a box on each side: 0.1 adds a tenth.
        on_empty: What becomes of boxes without a pixel in their image, as far as annotations say
            how large it is: ``"skip"``: they have no row, and a `TlcWarning` counts them; or
            ``"raise"``.
        **placement: Where the table of boxes goes; see `Table.unroll`.

    Returns:
        The dataset; its ``source`` is the table of boxes, whose column ``instance`` has the number
        of the box in its image.

    Raises:
        ColumnNotFoundError: There is no such column, or none of boxes or images.
        ColumnError: The column holds no such boxes; or a box is empty, and `on_empty` is
            ``"raise"``.
        OptionError: `margin` is negative or infinite, or `on_empty` is neither.
    """
    if not 0 <= margin < math.inf:
        raise OptionError(f"margin is {margin!r}.", hint="it is a number from 0 up.")
    if on_empty not in ("skip", "raise"):
        raise OptionError(f"on_empty is {on_empty!r}.", hint="it is 'skip' or 'raise'.")
    name, pictures = _boxes_column(table, column), images_column(table, image)
    is_empty = _is_empty(table, name)
    if not is_empty.any():
        return BoxCrops(table.unroll(name, **placement), name, pictures, margin)
    _tell_empty(table, name, is_empty, on_empty)
    folder: Placement = {
        "dataset_name": placement.get("dataset_name"),
        "project_name": placement.get("project_name"),
        "root_url": placement.get("root_url"),
    }
    boxes = table.unroll(name, **folder).keep(np.flatnonzero(~is_empty), **placement)
    return BoxCrops(boxes, name, pictures, margin)


def _tell_empty(table: Table, name: str, is_empty: npt.NDArray[np.bool_], on_empty: str) -> None:
    rows = np.repeat(np.arange(len(table)), lengths_of(cells_at(table, f"{name}.{INSTANCES}")))
    found = list(dict.fromkeys(rows[is_empty].tolist()))
    message = (
        f"{int(is_empty.sum())} of {len(is_empty)} boxes in {name!r} of {table.url} are empty, in "
        f"rows {some(found, _SHOWN)}"
    )
    if on_empty == "raise":
        raise ColumnError(f"{message}.", hint="correct or remove them, or skip them.")
    warnings.warn(f"{message}: they are left out.", TlcWarning, stacklevel=3)


def _boxes_column(table: Table, column: str | None) -> str:
    kind = AnnotationType.BOUNDING_BOXES
    found = [each.name for each in AnnotationHelper.find(table, kind)]
    if column is None and not found:
        raise ColumnNotFoundError(
            f"{table.url} has no column of boxes.", hint="BoundingBoxes2D describes them."
        )
    name = found[0] if column is None else column
    if name not in table.columns:
        raise ColumnNotFoundError(f"{table.url} has no column {name!r}.")
    if name not in found:
        raise ColumnError(
            f"Column {name!r} of {table.url} holds no BoundingBoxes2D.",
            hint=f"these do: {', '.join(map(repr, found)) or 'none'}.",
        )
    return name


def _is_empty(table: Table, name: str) -> npt.NDArray[np.bool_]:
    """Return which boxes, of all rows, have no area within their images."""
    cells = cells_at(table, f"{name}.{INSTANCES}")
    counts = lengths_of(cells)
    edges = numbers_of(elements_of(cells).values).reshape(-1, 4).astype(np.float64)
    for place, end in enumerate((X_MAX, Y_MAX)):
        sizes = np.repeat(_sizes(table, name, end), counts)
        edges[:, place::2] = np.clip(edges[:, place::2], 0, sizes[:, None])
    has_area = (edges[:, 2:] > edges[:, :2]).all(axis=1)  # False where there is NaN
    return np.asarray(~has_area)


def _sizes(table: Table, name: str, end: str) -> npt.NDArray[np.float64]:
    """Return sizes of images; infinite where nobody says."""
    if end not in table.rows_schema.values[name]:
        return np.full(len(table), np.inf)
    cells = cells_at(table, f"{name}.{end}")
    sizes = numbers_of(cells).astype(np.float64)
    known = validity_of(cells)
    return np.where((sizes > 0) & (True if known is None else known), sizes, np.inf)


def _size_of(cell: Mapping[str, Any]) -> tuple[float, float] | None:
    width = cell.get(X_MAX) or cell.get(IMAGE_WIDTH)
    height = cell.get(Y_MAX) or cell.get(IMAGE_HEIGHT)
    return (width, height) if width and height else None


def _edges(
    box: Sequence[float], counted: tuple[float, float], size: tuple[int, int], margin: float
) -> tuple[int, int, int, int]:
    """Return the whole pixels that a box touches, with a margin, within the image.

    Args:
        box: Its edges.
        counted: Width and height of the image that the box counts in.
        size: Width and height of the image in pixels.
        margin: How much of its width, or height, is added to the box on each side.
    """
    (left, right), (upper, lower) = (
        [edge * pixels / whole for edge in ends]
        for ends, pixels, whole in zip((box[::2], box[1::2]), size, counted, strict=True)
    )
    across, down = margin * (right - left), margin * (lower - upper)
    return (
        max(0, math.floor(left - across)),
        max(0, math.floor(upper - down)),
        min(size[0], math.ceil(right + across)),
        min(size[1], math.ceil(lower + down)),
    )


def _url(text: str | None) -> Url:
    if text is None:
        raise ImageReadError("There is no image in the cell.")
    return Url(text).to_absolute()


def _unchanged(sample: Any) -> Any:
    return sample
