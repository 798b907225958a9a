"""Boxes as older programs have stored them: `bb_list` with a dictionary per box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tlc import constants
from tlc.data_types.boxes import BoundingBoxes2D
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas import Schema

AnyBoxes = TypeVar("AnyBoxes", bound=BoundingBoxes2D)

_NAMES = (constants.X0, constants.Y0, constants.X1, constants.Y1)
_SIZES = (constants.NUMBER_ROLE_BB_SIZE_X, constants.NUMBER_ROLE_BB_SIZE_Y)
_CENTERS = (constants.NUMBER_ROLE_BB_CENTER_X, constants.NUMBER_ROLE_BB_CENTER_Y)


def legacy_bb_row_to_bounding_boxes_2d(
    row: Mapping[str, Any], schema: Schema | None = None
) -> BoundingBoxes2D:
    """Return the boxes of a row of older programs. See `BoundingBoxes2D.from_legacy_row`.

    Raises:
        SchemaError: The row is not of that form.
    """
    return BoundingBoxes2D.from_legacy_row(row, schema)


def boxes_of_legacy_row(
    cls: type[AnyBoxes], row: Mapping[str, Any], schema: Schema | None
) -> AnyBoxes:
    """Return the boxes of a row of older programs, as objects of a class.

    Raises:
        SchemaError: The row is not of that form.
    """
    try:
        boxes = list(row[constants.BOUNDING_BOX_LIST])
        size = {name: row.get(name) for name in (constants.IMAGE_WIDTH, constants.IMAGE_HEIGHT)}
        values = [[box[name] for name in _NAMES] for box in boxes]
    except (KeyError, TypeError, AttributeError) as error:
        raise SchemaError(
            f"A row of older boxes is a dictionary with 'bb_list', whose boxes have 'x0', 'y0', "
            f"'x1' and 'y1', not {row!r}: {error}."
        ) from error
    form, relative = _form(schema)
    names = dict.fromkeys(name for box in boxes for name in box if name not in _NAMES)
    more = {name: [box.get(name) for box in boxes] for name in names}
    return cls(
        np.array(values, np.float64).reshape(-1, 4),
        more.pop(constants.LABEL, None),
        more.pop(constants.CONFIDENCE, None),
        **size,
        bounding_box_format=form,  # type: ignore[arg-type]
        normalized=relative,
        per_instance_extras=more,
    )


def _form(schema: Schema | None) -> tuple[str, bool]:
    """Return the format of boxes, and whether they are fractions of the size of the image."""
    if schema is None or constants.BOUNDING_BOX_LIST not in schema:
        return "xyxy", False
    parts = schema.values[constants.BOUNDING_BOX_LIST].values
    values = [parts[name].value if name in parts else None for name in _NAMES]
    first, last = (getattr(value, "number_role", "") for value in (values[0], values[2]))
    relative = getattr(values[0], "unit", "") == constants.UNIT_RELATIVE
    if last not in _SIZES:
        return "xyxy", relative
    return ("cxywh" if first in _CENTERS else "xywh"), relative
