"""What was computed for each box, beside the boxes that it is about."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import INSTANCES
from tlc.dynamics.scores import Scores
from tlc.errors import ColumnError, MetricsError
from tlc.format.infer import infer_column
from tlc.format.plain import numbers_of, validity_of
from tlc.schemas import Float64Schema
from tlc.schemas.shapes import VARIABLE
from tlc.table.keys import row_numbers
from tlc.table.paths import cells_at, lengths_of
from tlc.table.unroll import MARK

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.schemas import Schema
    from tlc.table import Table

__all__ = ["to_boxes"]


def to_boxes(scores: Scores, table: Table) -> Scores:
    """Return scores of a table of boxes as lists in the rows of the table that they come from.

    Predicted classes of crops, say, beside the boxes they were predicted of::

        crops = box_crops(table)
        ...  # train, collect
        scores = Scores(crops.source, {"predicted_label": predicted})
        table = to_boxes(scores, table).add_to_table()

    Args:
        scores: Numbers, or arrays of one shape, of the rows of `BoxCrops.source`, or of a selection
            of them.
        table: The table that `box_crops` was given, or a revision of it.

    Returns:
        For each column a list with an array for each row of `table`, with an item for each box, in
        their order. Boxes without a score, such as empty ones, have NaN; whole numbers become
        floats then.

    Raises:
        ColumnError: The scores are not of boxes, or are no numbers.
        MetricsError: The table has no box of such a number: boxes were removed since.
    """
    number, path = _numbering(scores.table)
    rows = row_numbers(scores.table, table)
    numbers = scores.table.column(number)
    known = validity_of(numbers)  # rows without a box have no number
    there = np.flatnonzero(rows >= 0 if known is None else (rows >= 0) & known)
    places = numbers_of(numbers).astype(np.int64)
    counts = lengths_of(cells_at(table, f"{path}.{INSTANCES}"))
    wrong = there[places[there] >= counts[rows[there]]]
    if len(wrong):
        raise MetricsError(
            f"Row {rows[wrong[0]]} of {table.url} has no box {places[wrong[0]]} in {path!r}: boxes "
            "were removed after the scores were computed.",
            hint="give the table that the crops were made of.",
        )
    ends = counts.cumsum()
    boxes = (ends - counts)[rows[there]] + places[there]
    columns: dict[str, Any] = {}
    schemas: dict[str, Schema] = {}
    for name in scores:
        values = _as_numbers(name, scores[name])
        given = scores.schemas.get(name) or infer_column(name, values)
        spread = _spread(values[there], boxes, int(counts.sum()))
        columns[name] = np.split(spread, ends[:-1])[: len(ends)]  # it makes one part of no rows
        schemas[name] = _listed(given, is_whole=spread.dtype == values.dtype)
    why = f"{scores.description} of each box in {path!r}"
    return Scores(table, columns, schemas, description=why.strip())


def _numbering(boxes: Table) -> tuple[str, str]:
    """Return the column that numbers boxes, and the column that they were in."""
    for name, schema in boxes.rows_schema.values.items():
        path = schema.metadata.get(MARK)
        if isinstance(path, str):
            return name, path
    raise ColumnError(
        f"{boxes.url} has no row for each box.", hint="box_crops(table).source has, or unroll."
    )


def _as_numbers(name: str, scores: Any) -> npt.NDArray[Any]:
    """Return scores as one array."""
    try:
        values = np.asarray(scores)
        if values.dtype.kind in "biuf":
            return values
    except ValueError:  # arrays of several shapes
        pass
    raise ColumnError(
        f"The scores {name!r} are no numbers, or arrays of several shapes.",
        hint="give a number, or an array of one shape, for each row.",
    )


def _spread(values: npt.NDArray[Any], boxes: npt.NDArray[np.int64], count: int) -> npt.NDArray[Any]:
    """Return values at their boxes, and NaN at the others, if there are any."""
    has_all = len(np.unique(boxes)) == count
    kind = values.dtype if has_all or values.dtype.kind == "f" else np.float64
    made = np.full((count, *values.shape[1:]), 0 if has_all else np.nan, kind)
    made[boxes] = values
    return made


def _listed(schema: Schema, *, is_whole: bool) -> Schema:
    """Return the schema of lists of what a schema describes."""
    made = copy.deepcopy(schema) if is_whole else Float64Schema(description=schema.description)
    made.shape = (VARIABLE, *schema.shape)
    return made
