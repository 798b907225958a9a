"""Weights of a table: read without a Python object per row, and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import numpy.typing as npt
from pyarrow.types import is_floating, is_integer

from tlc.errors import WeightError
from tlc.format.plain import numbers_of, validity_of

if TYPE_CHECKING:
    from tlc.samplers.plans import Rows, Weights

__all__ = ["WeightedTable", "check_weights", "kept_rows", "read_weights"]

# How many bad rows an error names.
_NAMED = 5


class WeightedTable(Protocol):
    """What the samplers ask of a table; `tlc.Table` has it.

    A view that has no `weights_column_name`, but a `source` that has, will do as well.
    """

    @property
    def url(self) -> object:
        """Where the table is; named in errors."""

    @property
    def weights_column_name(self) -> str | None:
        """Name of the column of weights; None if there is none."""

    def get_column_as_pyarrow_array(self, name: str, /) -> Any:
        """Return a column as one Arrow array."""

    def __len__(self) -> int:
        """Return the number of rows."""
        ...


def read_weights(table: WeightedTable) -> Weights:
    """Return the weights of a table's rows.

    Args:
        table: A table, or a view of one.

    Returns:
        Shape `(len(table),)`, float64 or float32; may be the read-only memory of the Arrow column.

    Raises:
        WeightError: There is no column of weights, or it does not hold numbers, or a weight is
            null, negative or not finite, or all are zero. The message names the table and the first
            such rows.
    """
    root = _root(table)
    name = root.weights_column_name
    if name is None:
        raise WeightError(
            f"{root.url}: the table has no column of weights.",
            hint="import with add_weight_column=True, or give a column the schema "
            "tlc.schemas.SampleWeightSchema(); weighted=False samples without weights.",
        )
    where = f"{root.url}, column {name!r}"
    return check_weights(_to_numpy(root.get_column_as_pyarrow_array(name), where), where=where)


def kept_rows(table: WeightedTable, *, exclude_zero_weights: bool) -> int | Rows:
    """Return the rows that a sampler without weights visits.

    Args:
        table: A table, or a view of one.
        exclude_zero_weights: Leave out rows of weight zero. A table without a column of weights has
            none.

    Returns:
        Their number if all rows are kept, else the row numbers in ascending order, shape `(kept,)`.

    Raises:
        WeightError: The weights cannot be used, see `read_weights`.
    """
    root = _root(table)
    if not exclude_zero_weights or root.weights_column_name is None:
        return len(root)
    weights = read_weights(root)
    rows = np.flatnonzero(weights).astype(np.int64, copy=False)
    return rows if rows.size < weights.size else weights.size


def check_weights(weights: npt.ArrayLike, *, where: str = "Weights") -> Weights:
    """Return weights as an array if they can be used.

    Args:
        weights: Numbers, shape `(n,)`. No weights at all are fine.
        where: What to call them in an error.

    Returns:
        Shape `(n,)`, float64 or float32; the array itself if it is one of those already.

    Raises:
        WeightError: They have another shape, or one is negative or not finite, or all are zero. The
            message names the first such rows.
    """
    array = np.asarray(weights)
    if array.dtype != np.float32:
        array = array.astype(np.float64, copy=False)
    if array.ndim != 1:
        raise WeightError(f"{where}: one number per row is needed, not the shape {array.shape}.")
    if not array.size:
        return array
    # The smallest and the largest tell all, NaN included, without a mask of the whole column.
    smallest, largest = array.min(), array.max()
    if not (smallest >= 0 and largest < np.inf):
        bad = np.flatnonzero(~((array >= 0) & (array < np.inf)))
        raise WeightError(
            f"{where}: {_named(bad, array)}.", hint="a weight is a number from 0 up, and finite."
        )
    if largest == 0:
        raise WeightError(
            f"{where}: all weights are zero: {_named(np.arange(array.size), array)}.",
            hint="give at least one row a weight above zero.",
        )
    return array


def _root(table: WeightedTable) -> WeightedTable:
    """Return the table behind a view, or the table itself."""
    for candidate in (table, getattr(table, "source", None)):
        if hasattr(candidate, "weights_column_name"):
            return cast("WeightedTable", candidate)
    raise WeightError(
        f"A sampler needs a Table or a TableView, not an object of type {type(table).__name__!r}.",
        hint="give the table itself; its sampler fits a loader of any view of it.",
    )


def _to_numpy(column: Any, where: str) -> npt.NDArray[Any]:
    """Return an Arrow array of numbers as an array, sharing its memory where it can."""
    if not (is_floating(column.type) or is_integer(column.type)):
        raise WeightError(f"{where}: weights are numbers, not {column.type}.")
    valid = validity_of(column)
    if valid is not None:
        bad = np.flatnonzero(~valid)
        rows = ", ".join(f"row {row} is null" for row in bad[:_NAMED])
        raise WeightError(
            f"{where}: {rows}{_more(bad)}.", hint="give each row a weight; 0 leaves it out."
        )
    return numbers_of(column)


def _named(bad: npt.NDArray[np.intp], weights: Weights) -> str:
    """Say which rows are bad, and what they hold."""
    return ", ".join(f"row {row} is {weights[row]}" for row in bad[:_NAMED]) + _more(bad)


def _more(bad: npt.NDArray[np.intp]) -> str:
    return f", and {bad.size - _NAMED} more" if bad.size > _NAMED else ""
