"""Comparing Arrow arrays with values as conditions write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import ExpressionError
from tlc.format.plain import is_numeric, numbers_of, validity_of
from tlc.table import expression as ex
from tlc.table.arrow_arrays import array_of, as_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.table.paths import Elements


def trues(met: pa.Array) -> np.ndarray:
    """Return which of some booleans are true; those that are missing are not."""
    values, valid = numbers_of(met), validity_of(met)
    return values if valid is None else values & valid


def aggregated(operand: ex.Aggregate, elements: Elements, count: int) -> pa.Array:
    """Return the least, the greatest or the sum of each row's numbers; null where there is none.

    Raises:
        ExpressionError: They are no numbers.
    """
    import numpy as np

    kind = elements.values.type
    if not is_number(kind):
        raise ExpressionError(f"{operand.function} needs numbers, not {kind} in {operand.path!r}.")
    rows, values = elements.rows, numbers_of(elements.values)
    valid = validity_of(elements.values)
    if valid is not None:
        rows, values = rows[valid], values[valid]
    ends = np.searchsorted(rows, np.arange(count + 1))
    is_there = ends[1:] > ends[:-1]
    starts = ends[:-1][is_there]
    is_float = values.dtype.kind == "f"
    result = np.zeros(count, np.float64 if is_float else values.dtype)
    if operand.function == "sum":
        result = result.astype(np.float64 if is_float else np.int64)
        is_there, sums = np.ones(count, bool), values.astype(result.dtype)
        result[ends[1:] > ends[:-1]] = np.add.reduceat(sums, starts) if len(starts) else 0
    elif len(starts):
        function = np.minimum if operand.function == "min" else np.maximum
        result[is_there] = function.reduceat(values, starts)
    return as_numbers(result, is_there)


def among(cells: pa.Array, values: Sequence[Any]) -> pa.Array:
    """Return which cells are one of some values; null where they are missing."""
    import pyarrow.compute as pc

    wanted = [value for value in values if _holds(cells.type, value)]
    found = pc.is_in(cells, value_set=array_of(wanted, cells.type))
    return pc.if_else(cells.is_valid(), found, None) if cells.null_count else found


def _holds(kind: pa.DataType, value: Any) -> bool:
    """Whether cells of a type can have a value at all."""
    import pyarrow as pa

    try:
        pa.scalar(value, kind)
    except (pa.ArrowException, OverflowError):
        return False
    return True


def scalar(operand: ex.Operand, cells: pa.Array, value: ex.Literal) -> pa.Scalar:
    """Return a value as something that cells can be compared with."""
    import pyarrow as pa

    kind = cells.type
    is_text, is_truth = isinstance(value, str), isinstance(value, bool)
    if pa.types.is_string(kind) and is_text:
        return pa.scalar(value, kind)
    if pa.types.is_boolean(kind) and is_truth:
        return pa.scalar(value)
    if is_number(kind) and not is_text and not is_truth:
        # 0.1 is another number in 32 bits: the one that the column has.
        return pa.scalar(value, kind if pa.types.is_floating(kind) else None)
    raise ExpressionError(
        f"{shown(operand)} holds {kind}, and is not compared with {value!r}.",
        hint="texts are in quotes, numbers are not; booleans are true and false.",
    )


def is_number(kind: pa.DataType) -> bool:
    """Whether cells of a type are whole numbers or floats."""
    import pyarrow as pa

    return is_numeric(kind) and not pa.types.is_boolean(kind)


def shown(operand: ex.Operand) -> str:
    """Return an operand as a message names it."""
    if isinstance(operand, ex.Aggregate):
        return f"{operand.function}({operand.path})"
    return repr(operand.path if isinstance(operand, ex.Path) else operand.value)
