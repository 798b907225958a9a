"""A row of a table as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc import constants
from tlc.drawing.annotations import drawer_of, size_of
from tlc.drawing.palette import color_of, name_of
from tlc.errors import ColumnError
from tlc.sample_types.images import read_image
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

    from tlc.drawing.palette import Color
    from tlc.schemas import Schema

WIDTH = 640
_LONGEST_TEXT = 60


def draw_row(row: Mapping[str, Any], schema: Schema, width: int = WIDTH) -> Image:
    """Return the image of a row with its boxes, masks, keypoints and class names drawn on it.

    Annotations are drawn in the colours of their classes, masks so that the image shows through,
    points that are hidden as circles. The image is turned as its EXIF data say, unless the
    annotations have the size of the one that is not.

    Args:
        row: The row, in row form.
        schema: The schema of the table.
        width: Width of the picture in pixels, at most.

    Raises:
        ColumnError: The row has no image and no annotation that says how large its image is.
        ImageReadError: The image cannot be read.
    """
    from tlc.drawing.canvas import Canvas  # late: it needs Pillow

    cells = {name: row[name] for name, part in schema.values.items() if drawer_of(part)}
    sizes = [size for cell in cells.values() if (size := size_of(cell)) is not None]
    image = _image(row, schema, sizes[0] if sizes else None)
    canvas = Canvas(image, sizes[0] if sizes else image.size, width)
    for name, cell in cells.items():
        draw = drawer_of(schema.values[name])
        if draw is not None and cell is not None:
            draw(canvas, cell, schema.values[name])
    label = _label(row, schema)
    if label is not None:
        canvas.name(label[0], (0.0, float(image.height)), label[1])
    return canvas.finish()


def image_column(schema: Schema) -> str | None:
    """Return the first column of images; None if there is none."""
    for name, part in schema.values.items():
        role = getattr(part.value, "string_role", "")
        if role == constants.STRING_ROLE_IMAGE_URL and not part.shape:
            return name
    return None


def _image(row: Mapping[str, Any], schema: Schema, size: tuple[float, float] | None) -> Image:
    from PIL import Image

    name = image_column(schema)
    url = row[name] if name is not None else None
    if url is None:
        if size is None:
            raise ColumnError(
                "There is nothing to draw: no image, and no annotation that says how large it is.",
                hint="a column with ImageSchema holds images.",
            )
        return Image.new("RGB", (round(size[0]), round(size[1])), (40, 40, 40))
    place = Url(url).to_absolute()
    turned = read_image(place)
    # What counts in the pixels of the file, which the image is not turned for, must fit it.
    if size is None or size == turned.size:
        return turned
    stored = read_image(place, upright=False)
    return stored if size == stored.size else turned


def _label(row: Mapping[str, Any], schema: Schema) -> tuple[str, Color] | None:
    """Return the name and the colour of the class of the row itself, if it has one."""
    for name, part in schema.values.items():
        names = part.get_value_map() if part.value is not None and not part.shape else None
        value = row[name]
        if names and isinstance(value, int):
            return f"{name}: {name_of(value, names)}"[:_LONGEST_TEXT], color_of(value, names)
    return None
