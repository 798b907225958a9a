"""Values of a column, in sample or row form, to Arrow cells."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlc._optional import loaded
from tlc.errors import CellError, ColumnError, ColumnLengthError, SchemaError, TlcError
from tlc.sample_types import ExternalizationContext, resolve_sample_type
from tlc.schemas.arrow import arrow_type
from tlc.schemas.values import NumericValue
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tlc.schemas import Schema


class ColumnEncoder:
    """Turns the values of one column into cells, one by one or many at once.

    Args:
        name: Name of the column.
        schema: Its schema.
        context: Where files of the column go.
    """

    def __init__(self, name: str, schema: Schema, context: ExternalizationContext) -> None:
        self.name = name
        self.schema = schema
        self.type = arrow_type(schema)
        self.is_url = is_url_column(schema)
        self._context = context
        self._sample_type = resolve_sample_type(schema, strict=True)
        self._plain = self._sample_type.is_identity and not self.is_url
        self._fits_at_once = _quick_check(self.type) if self._plain else _never

    def admit(self, value: Any, row: int) -> Any:
        """Return the row form of one value, having checked that it fits the schema.

        Raises:
            CellError: It does not fit; `row` is the row that the message names.
        """
        if self._fits_at_once(value):
            return value
        if value is None:
            return None
        admitted = self._row_form(value, row)
        self._check(admitted, value, row)
        return admitted

    def encode(self, values: Any, first_row: int = 0) -> pa.Array:
        """Return the cells of a sequence of values.

        Args:
            values: List, NumPy array, tensor, Arrow array or other sequence of samples or rows.
                Arrays with more than one dimension hold one sub-array per row.
            first_row: Row of the first value, for messages.

        Raises:
            CellError: A value does not fit; the message names row and column.
        """
        import pyarrow as pa

        if isinstance(values, pa.ChunkedArray):
            values = (
                pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
            )
        if isinstance(values, pa.Array):
            cells = self._cast(values, first_row)
        else:
            cells = self._at_once(as_numpy(values)) if self._plain else None
        if cells is None:
            admitted = [self.admit(value, first_row + i) for i, value in enumerate(values)]
            cells = pa.array(admitted, self.type)
        self._check_range(cells, first_row)
        return cells

    def _at_once(self, values: Any) -> pa.Array | None:
        """Return the cells if Arrow takes the values as they are and loses nothing, else None."""
        import pyarrow as pa

        try:
            if getattr(values, "ndim", 1) > 1:
                return _nested(values, self.type)
            found = pa.array(values)
            if not fits(found.type, self.type):
                return None
            cells = found if found.type == self.type else pa.array(values, self.type)
            return None if _became_infinite(found, cells) else cells
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return None

    def _cast(self, cells: pa.Array, first_row: int) -> pa.Array:
        import pyarrow as pa

        if cells.type == self.type:
            return cells
        try:
            return cells.cast(self.type)
        except pa.ArrowException:
            return self.encode(cells.to_pylist(), first_row)

    def _row_form(self, value: Any, row: int) -> Any:
        try:
            admitted = self._sample_type.as_row(value, self._context)
            return _url_text(admitted) if self.is_url else plain(admitted, self.type)
        except (TlcError, ValueError, TypeError) as error:
            raise self._error(getattr(error, "message", str(error)), value, row) from error

    def _check(self, admitted: Any, value: Any, row: int) -> None:
        import pyarrow as pa

        try:
            pa.array([admitted], self.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise self._error(str(error).splitlines()[0], value, row) from error

    def _check_range(self, cells: pa.Array, first_row: int) -> None:
        """Refuse numbers outside of a range that the schema enforces."""
        import pyarrow.compute as pc

        value = self.schema.value
        if not isinstance(value, NumericValue) or self.schema.shape:
            return
        checks = (
            (value.enforce_min, value.value_min, pc.less, "smaller"),
            (value.enforce_max, value.value_max, pc.greater, "larger"),
        )
        for enforced, limit, outside, word in checks:
            if enforced and limit is not None:
                row = pc.index(outside(cells, limit), True).as_py()
                if row >= 0:
                    bad = cells[row].as_py()
                    raise self._error(f"it is {word} than {limit}", bad, first_row + row)

    def _error(self, reason: str, value: Any, row: int) -> CellError:
        shown = repr(value)
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        return CellError(
            f"Row {row}, column {self.name!r}: {shown} ({type(value).__name__}) does not fit the "
            f"schema, which stores {self.type}: {reason}.",
            column=self.name,
            row=row,
            hint="correct the value, or give the column another schema.",
        )


def is_url_column(schema: Schema) -> bool:
    """Whether the cells of a column are urls, one each."""
    role = getattr(schema.value, "string_role", "") or ""
    return role.partition("/")[0] == "URL" and not schema.shape


def as_numpy(values: Any) -> Any:
    """Return a tensor as a NumPy array on the CPU, anything else as it is."""
    torch = loaded("torch")
    if torch is not None and isinstance(values, torch.Tensor):
        return values.detach().cpu().numpy()
    return values


def fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether Arrow turns values that it takes for `found` into `wanted` without loss.

    It would cut fractions and leave out unknown parts of a struct without a word. Integers that
    are too large are an error there, and so need not be looked for.
    """
    import pyarrow as pa

    if found == wanted or pa.types.is_null(found):
        return True
    if pa.types.is_floating(wanted):
        return pa.types.is_floating(found) or pa.types.is_integer(found)
    if pa.types.is_integer(wanted):
        return pa.types.is_integer(found)
    if pa.types.is_struct(wanted):
        return pa.types.is_struct(found) and all(
            _has(wanted, field.name) and fits(field.type, wanted.field(field.name).type)
            for field in found
        )
    lists = pa.types.is_list(found) and hasattr(wanted, "value_type")
    return lists and fits(found.value_type, wanted.value_type)


def plain(value: Any, type_: pa.DataType) -> Any:
    """Return `value` with arrays, tensors, paths and lossless numbers made what Arrow takes.

    Raises:
        SchemaError: Arrow would lose something of the value.
    """
    import pyarrow as pa

    value = as_numpy(value)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        value = value.tolist()
    if pa.types.is_struct(type_) and isinstance(value, dict):
        unknown = [name for name in value if not _has(type_, name)]
        if unknown:
            raise SchemaError(f"it has no part {unknown[0]!r}")
        return {name: plain(part, type_.field(name).type) for name, part in value.items()}
    if isinstance(value, list | tuple) and hasattr(type_, "value_type"):
        return [plain(item, type_.value_type) for item in value]
    if pa.types.is_string(type_):
        return _string(value)
    return _number(value, type_)


def _has(type_: pa.StructType, name: str) -> bool:
    return type_.get_field_index(name) >= 0


def _string(value: Any) -> Any:
    return _url_text(value) if isinstance(value, Url | Path) else value


def _number(value: Any, type_: pa.DataType) -> Any:
    import pyarrow as pa

    if pa.types.is_boolean(type_) and value in (0, 1):
        return bool(value)
    if pa.types.is_integer(type_) and isinstance(value, bool | float):
        if not float(value).is_integer():
            raise SchemaError("it is not a whole number")
        return int(value)
    if pa.types.is_floating(type_) and isinstance(value, bool | int | float):
        if type_ == pa.float32() and _FLOAT32_MAX < abs(value) < math.inf:
            raise SchemaError("it is too large")
        return float(value)
    return value


def _became_infinite(found: pa.Array, cells: pa.Array) -> bool:
    """Whether numbers were too large for 32 bits; Arrow makes infinities of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if found.type != pa.float64() or cells.type != pa.float32():
        return False
    return bool(pc.sum(pc.is_inf(found)).as_py() != pc.sum(pc.is_inf(cells)).as_py())


def _url_text(value: Any) -> Any:
    """Return the text of a url that means the same from anywhere; other values as they are."""
    if isinstance(value, str):
        absolute = value.startswith(("/", "<")) or "://" in value or not value
        return value if absolute else Url(value).to_absolute().to_str()
    if isinstance(value, Url | Path):
        return Url(value).to_absolute().to_relative().to_str()
    return value


def _nested(values: Any, type_: pa.DataType) -> pa.Array:
    """Return an array of two or more dimensions as lists, fixed-size where `type_` says so."""
    import pyarrow as pa

    if not hasattr(type_, "value_type"):
        raise SchemaError(f"an array of shape {values.shape[1:]} per row")
    length = values.shape[1]
    flat = values.reshape(-1, *values.shape[2:])
    child = _nested(flat, type_.value_type) if flat.ndim > 1 else pa.array(flat, type_.value_type)
    if pa.types.is_fixed_size_list(type_):
        if type_.list_size != length:
            raise SchemaError(f"{length} values per row instead of {type_.list_size}")
        return pa.FixedSizeListArray.from_arrays(child, type=type_)
    offsets = pa.array(
        range(0, len(flat) + 1, length) if length else [0] * (len(values) + 1), pa.int32()
    )
    return pa.ListArray.from_arrays(offsets, child, type=type_)


def _never(_value: Any) -> bool:
    return False


def _quick_check(type_: pa.DataType) -> Callable[[Any], bool]:
    """Return a check that says yes to the usual Python values of a scalar column, fast."""
    import pyarrow as pa

    if pa.types.is_integer(type_):
        unsigned = pa.types.is_unsigned_integer(type_)
        low = 0 if unsigned else -(1 << (type_.bit_width - 1))
        high = (1 << type_.bit_width) + low
        return lambda value: type(value) is int and low <= value < high
    if type_ == pa.float32():
        return lambda value: type(value) is float and not _FLOAT32_MAX < abs(value) < math.inf
    for applies, exact in _EXACT_TYPES:
        if getattr(pa.types, applies)(type_):
            return lambda value: type(value) is exact
    return _never


_FLOAT32_MAX = 3.4028235e38
_EXACT_TYPES: tuple[tuple[str, type], ...] = (
    ("is_floating", float),
    ("is_boolean", bool),
    ("is_string", str),
)


def common_length(batch: Mapping[str, Any]) -> int:
    """Return the length that all columns of `batch` share.

    Raises:
        ColumnLengthError: They differ.
        ColumnError: A column is a single value.
    """
    lengths: dict[str, int] = {}
    for name, values in batch.items():
        if (
            isinstance(values, str | bytes | dict)
            or not hasattr(values, "__len__")
            or _is_scalar(values)
        ):
            raise ColumnError(
                f"Column {name!r} of the batch is a single value ({type(values).__name__}), not a "
                "sequence with one value per row.",
                hint="wrap it in a list, or use add_row for one row.",
            )
        lengths[name] = len(values)
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        raise ColumnLengthError(
            f"The columns of the batch differ in length: {listed}.",
            hint="every column needs one value per row.",
        )
    return next(iter(lengths.values()), 0)


def _is_scalar(values: Any) -> bool:
    return getattr(values, "shape", None) == ()
