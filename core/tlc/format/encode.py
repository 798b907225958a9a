"""Values of a column, in sample or row form, to Arrow cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import CellError, ColumnError, ColumnLengthError, SchemaError, TlcError
from tlc.format.plain import (
    as_column,
    as_numpy,
    became_infinite,
    drops_parts,
    fits,
    plain,
    too_large,
    url_text,
)
from tlc.format.relative import holds_urls
from tlc.sample_types import ExternalizationContext, ExternalSampleType, resolve_sample_type
from tlc.sample_types.arrays import NumpyArraySampleType
from tlc.sample_types.plain import UrlSampleType
from tlc.sample_types.recognize import is_array
from tlc.schemas.arrow import arrow_type
from tlc.schemas.values import NumericValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from tlc.schemas import Schema

__all__ = ["ColumnEncoder", "as_numpy", "common_length", "is_sequence", "is_url_column"]

# As `tlc.url.text.is_absolute` has it, but for drives of Windows, which are looked at one by one.
_ABSOLUTE = r"^(/|<[A-Z][A-Z0-9_]*>(/|$)|[A-Za-z][A-Za-z0-9+.-]+://)"
_KEEP_URLS = ExternalSampleType, UrlSampleType


class ColumnEncoder:
    """Turns the values of one column into cells, one by one or many at once.

    Args:
        name: Name of the column.
        schema: Its schema.
        context: Where files of the column go.

    Raises:
        SchemaError: Nothing can be stored under that schema.
    """

    def __init__(self, name: str, schema: Schema, context: ExternalizationContext) -> None:
        if 0 in schema.shape:
            raise SchemaError(
                f"Column {name!r} has the shape {schema.shape}: Parquet has no lists of the fixed "
                "length 0.",
                hint="write -1 for a length that varies.",
            )
        self.name = name
        self.schema = schema
        self.type = arrow_type(schema)
        self.is_url = is_url_column(schema)
        self._context = context
        self._sample_type = resolve_sample_type(schema, strict=True)
        self.is_plain = self._sample_type.is_identity and not self.is_url
        self._limits = _enforced_limits(schema)
        quick = self.is_plain and not self._limits
        self._fits_at_once = _quick_check(self.type) if quick else _never

    @property
    def is_limited(self) -> bool:
        """Whether there are numbers of the column's type that its schema refuses."""
        return bool(self._limits)

    def admit(self, value: Any, row: int) -> Any:
        """Return the row form of one value, having checked that `encode` will take it.

        Raises:
            CellError: It does not fit; `row` is the row that the message names.
        """
        if self._fits_at_once(value):
            return value
        if value is None:
            return None
        admitted = self._row_form(value, row)
        self._check_range(self._cell(admitted, value, row), row)
        return admitted

    def encode(self, values: Any, first_row: int = 0) -> pa.Array:
        """Return the cells of a sequence of values; they share no memory with NumPy arrays.

        Args:
            values: List, NumPy array, tensor, Arrow array, column of a data frame or other sequence
                of samples or rows. Arrays with more than one dimension hold one sub-array per row.
            first_row: Row of the first value, for messages.

        Raises:
            CellError: A value does not fit; the message names row and column.
        """
        import pyarrow as pa

        values = as_column(values)
        if isinstance(values, pa.Array):
            cells = self._cast(values)
            values = values.to_pylist() if cells is None else values
        else:
            cells = self._at_once(as_numpy(values)) if self._takes_at_once(values) else None
        if cells is None:
            cells = self._one_by_one(values, first_row)
        self._check_range(cells, first_row)
        return cells

    def samples(self, cells: pa.Array) -> list[Any]:
        """Return cells in a form that their schema can be inferred from; no file is opened."""
        rows: list[Any] = cells.to_pylist()
        if self.is_plain or holds_urls(self.schema):
            return rows
        return [self._sample_type.from_row(row) for row in rows]

    def _takes_at_once(self, values: Any) -> bool:
        """Whether row form and cells are the same: plain values, and arrays that hold arrays."""
        arrays = getattr(values, "ndim", 1) > 1
        return self.is_plain or (arrays and isinstance(self._sample_type, NumpyArraySampleType))

    def _at_once(self, values: Any) -> pa.Array | None:
        """Return the cells if Arrow takes the values as they are and loses nothing, else None."""
        import pyarrow as pa

        try:
            # Arrow would keep the memory of an array, which its owner may fill anew.
            values = values.copy() if is_array(values) else values
            if getattr(values, "ndim", 1) > 1:
                return _nested(values, self.type)
            found = pa.array(values)
            if not fits(found.type, self.type):
                return None
            cells = found if found.type == self.type else pa.array(values, self.type)
            return None if became_infinite(found, cells) else cells
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return None

    def _cast(self, cells: pa.Array) -> pa.Array | None:
        """Return cells of another Arrow type as cells of this one, None if that is not as easy."""
        import pyarrow as pa

        if self.is_url and not self._in_row_form(cells):
            return None
        if drops_parts(cells.type, self.type):
            return None
        if cells.type == self.type:
            return cells
        try:
            cast = cells.cast(self.type)
        except pa.ArrowException:
            return None
        return None if became_infinite(cells, cast) else cast

    def _in_row_form(self, urls: pa.Array) -> bool:
        """Whether all are texts of absolute urls, which no sample type changes."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pa.types.is_string(urls.type):
            return False
        if not (self._sample_type.is_identity or isinstance(self._sample_type, _KEEP_URLS)):
            return False
        return pc.all(pc.match_substring_regex(urls, _ABSOLUTE)).as_py() is not False

    def _one_by_one(self, values: Sequence[Any], first_row: int) -> pa.Array:
        import pyarrow as pa

        rows = [self._row_form(value, first_row + i) for i, value in enumerate(values)]
        try:
            return pa.array(rows, self.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            # Arrow does not say which row it was.
            for i, (value, row) in enumerate(zip(values, rows, strict=True)):
                self._cell(row, value, first_row + i)
            raise

    def _row_form(self, value: Any, row: int) -> Any:
        try:
            admitted = self._sample_type.as_row(value, self._context)
            return url_text(admitted) if self.is_url else plain(admitted, self.type)
        except (TlcError, ValueError, TypeError) as error:
            raise self._error(getattr(error, "message", str(error)), value, row) from error

    def _cell(self, admitted: Any, value: Any, row: int) -> pa.Array:
        import pyarrow as pa

        try:
            return pa.array([admitted], self.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise self._error(str(error).splitlines()[0], value, row) from error

    def _check_range(self, cells: pa.Array, first_row: int) -> None:
        """Refuse numbers outside of a range that the schema enforces."""
        import pyarrow.compute as pc

        for outside, limit, word in self._limits:
            row = pc.index(getattr(pc, outside)(cells, limit), True).as_py()
            if row >= 0:
                raise self._error(f"it is {word} than {limit}", cells[row].as_py(), first_row + row)

    def _error(self, reason: str, value: Any, row: int) -> CellError:
        shown = " ".join(repr(value).split())
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        reason = reason.removesuffix(".")
        return CellError(
            f"Row {row}, column {self.name!r}: {shown} ({type(value).__name__}) does not fit the "
            f"schema, which stores {self.type}: {reason}.",
            column=self.name,
            row=row,
            hint=f"give {self._sample_type.takes}."
            if self._sample_type.takes
            else "correct the value, or give the column another schema.",
        )


def is_url_column(schema: Schema) -> bool:
    """Whether the cells of a column are urls, one each."""
    return schema.value is not None and not schema.shape and holds_urls(schema)


def _enforced_limits(schema: Schema) -> list[tuple[str, float, str]]:
    """Return the comparisons that no cell may pass, with the limit and a word for messages."""
    value = schema.value
    if not isinstance(value, NumericValue) or schema.shape:
        return []
    checks = (
        (value.enforce_min, "less", value.value_min, "smaller"),
        (value.enforce_max, "greater", value.value_max, "larger"),
    )
    return [
        (outside, limit, word)
        for enforced, outside, limit, word in checks
        if enforced and limit is not None
    ]


def _nested(values: Any, type_: pa.DataType) -> pa.Array:
    """Return an array of two or more dimensions as lists, fixed-size where `type_` says so."""
    import pyarrow as pa

    if not hasattr(type_, "value_type"):
        raise SchemaError(f"an array of shape {values.shape[1:]} per row")
    length = values.shape[1]
    flat = values.reshape(len(values) * length, *values.shape[2:])
    child = (_nested if flat.ndim > 1 else _numbers)(flat, type_.value_type)
    if pa.types.is_fixed_size_list(type_):
        if type_.list_size != length:
            raise SchemaError(f"{length} values per row instead of {type_.list_size}")
        return pa.FixedSizeListArray.from_arrays(child, type=type_)
    offsets = pa.array([row * length for row in range(len(values) + 1)], pa.int32())
    return pa.ListArray.from_arrays(offsets, child, type=type_)


def _numbers(values: Any, type_: pa.DataType) -> pa.Array:
    import pyarrow as pa

    cells = pa.array(values, type_)
    if became_infinite(pa.array(values), cells):
        raise SchemaError("a number is too large")
    return cells


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
        return lambda value: type(value) is float and not too_large(value)
    if pa.types.is_string(type_):
        # Other text may hold half a character, which has no place in a file.
        return lambda value: type(value) is str and value.isascii()
    for applies, exact in _EXACT_TYPES:
        if getattr(pa.types, applies)(type_):
            return lambda value: type(value) is exact
    return _never


_EXACT_TYPES: tuple[tuple[str, type], ...] = (("is_floating", float), ("is_boolean", bool))


def common_length(batch: Mapping[str, Any]) -> int:
    """Return the length that all columns of `batch` share.

    Raises:
        ColumnLengthError: They differ.
        ColumnError: A column is a single value.
    """
    lengths: dict[str, int] = {}
    for name, values in batch.items():
        if not is_sequence(values):
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


def is_sequence(values: Any) -> bool:
    """Whether `values` has a length and an order; a tensor of one number has neither."""
    if isinstance(values, str | bytes | dict | set | frozenset) or not hasattr(values, "__len__"):
        return False
    return getattr(values, "shape", None) != ()
