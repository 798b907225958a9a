"""Values as Arrow takes them without losing anything: single cells, and whole columns."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tlc._optional import loaded
from tlc.errors import SchemaError
from tlc.format.plain_lists import FLOAT32_MAX, copy_of_plain
from tlc.sample_types.recognize import is_array, is_scalar, is_tensor
from tlc.url import Url

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def as_numpy(values: Any) -> Any:
    """Return a tensor as a NumPy array on the CPU, anything else as it is."""
    if not is_tensor(values):
        return values
    values = values.detach().cpu()
    return (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()


def as_column(values: Any) -> Any:
    """Return a sequence of values as a list, NumPy array, tensor or Arrow array.

    Columns of data frames become Arrow arrays, or lists if Arrow has no type for them. What pandas
    calls missing is None then, but NaN in a column of floats.
    """
    import pyarrow as pa

    if isinstance(values, range):
        return _counted(values)
    pandas = loaded("pandas")
    if pandas is not None and isinstance(values, pandas.Series | pandas.Index):
        values = _from_pandas(values)
    elif hasattr(values, "__arrow_c_stream__") and not isinstance(values, pa.ChunkedArray):
        values = pa.chunked_array(values)
    elif is_array(values) and values.dtype.kind == "M":
        values = pa.array(values)
    return combine(values) if isinstance(values, pa.ChunkedArray) else values


def _counted(numbers: range) -> Any:
    """Return what a range counts as an array of int64, or as a list if they are too large."""
    import numpy as np

    if max(map(abs, (numbers.start, numbers.stop, numbers.step))) >= 2**62:
        return list(numbers)
    return np.arange(numbers.start, numbers.stop, numbers.step, dtype=np.int64)


def combine(column: pa.ChunkedArray) -> pa.Array:
    """Return a chunked array as one array."""
    import pyarrow as pa

    if column.num_chunks == 1:
        return column.chunk(0)
    if column.num_chunks == 0:
        return pa.array([], column.type)
    return pa.concat_arrays(column.chunks)


def numbers_of(cells: pa.Array) -> np.ndarray[Any, Any]:
    """Return cells of numbers or booleans as NumPy, without copying numbers or loading pandas.

    Where a cell is null the number means nothing.
    """
    import numpy as np
    import pyarrow as pa

    data = cells.buffers()[1] or b""
    if pa.types.is_boolean(cells.type):
        return _bits(data, cells)
    stop = cells.offset + len(cells)  # the memory may be longer, by any number of bytes
    return np.frombuffer(data, cells.type.to_pandas_dtype(), stop)[cells.offset :]


def is_numeric(type_: pa.DataType) -> bool:
    """Whether `numbers_of` takes cells of this type."""
    from pyarrow import types

    checks = (types.is_integer, types.is_floating, types.is_boolean)
    return any(check(type_) for check in checks)


def validity_of(cells: pa.Array) -> np.ndarray[Any, Any] | None:
    """Return which cells are not null; None if all are."""
    return _bits(cells.buffers()[0], cells) if cells.null_count else None


def _bits(data: Any, cells: pa.Array) -> np.ndarray[Any, Any]:
    import numpy as np

    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    return bits[cells.offset : cells.offset + len(cells)].view(bool)


def _from_pandas(values: Any) -> Any:
    import pyarrow as pa

    try:
        # In a column of NumPy's floats NaN is a number; elsewhere it is how pandas says "missing".
        return pa.array(values, from_pandas=getattr(values.dtype, "kind", "") != "f")
    except pa.ArrowException:
        missing = values.isna()
        return [None if gone else value for value, gone in zip(values, missing, strict=True)]


def plain(value: Any, type_: pa.DataType) -> Any:
    """Return `value` with arrays, tensors, paths and lossless numbers made what Arrow takes.

    Raises:
        SchemaError: Arrow would refuse the value, lose something of it, or make it another one.
    """
    import pyarrow as pa

    value = _listed(as_numpy(value))
    if value is None:
        return None
    if pa.types.is_struct(type_):
        return _struct(value, type_)
    if hasattr(type_, "value_type"):
        if not isinstance(value, list | tuple):
            raise SchemaError("it is no list")
        if (copied := copy_of_plain(value, type_)) is not None:
            return copied
        return [plain(item, type_.value_type) for item in value]
    for applies, convert in _SCALARS:
        if getattr(pa.types, applies)(type_):
            return convert(value, type_)
    return value


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


def drops_parts(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a cast from `found` to `wanted` would leave out parts of a struct."""
    import pyarrow as pa

    if pa.types.is_struct(found) and pa.types.is_struct(wanted):
        return any(
            not _has(wanted, field.name) or drops_parts(field.type, wanted.field(field.name).type)
            for field in found
        )
    lists = hasattr(found, "value_type") and hasattr(wanted, "value_type")
    return lists and drops_parts(found.value_type, wanted.value_type)


def became_infinite(found: pa.Array, cells: pa.Array) -> bool:
    """Whether numbers were too large for 32 bits; Arrow makes infinities of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    while hasattr(found.type, "value_type") and hasattr(cells.type, "value_type"):
        found, cells = found.flatten(), cells.flatten()
    if found.type != pa.float64() or cells.type != pa.float32():
        return False
    return bool(pc.sum(pc.is_inf(found)).as_py() != pc.sum(pc.is_inf(cells)).as_py())


def too_large(value: float) -> bool:
    """Whether 32 bits cannot hold a finite number."""
    return FLOAT32_MAX < abs(value) < math.inf


def url_text(value: Any) -> Any:
    """Return the text of a url that means the same from anywhere; other values as they are."""
    if isinstance(value, str):
        absolute = value.startswith(("/", "<")) or "://" in value or not value
        return value if absolute else Url(value).to_absolute().to_str()
    if isinstance(value, os.PathLike):
        return Url(value).to_absolute().to_relative().to_str()
    return value


def _listed(value: Any) -> Any:
    """Return an array or scalar of NumPy or pandas as Python's own values."""
    if not (hasattr(value, "tolist") and hasattr(value, "dtype")):
        return value
    if (is_array(value) or is_scalar(value)) and value.dtype.kind == "M":
        import numpy as np

        return np.datetime_as_string(value).tolist()
    return value.tolist()


def _struct(value: Any, type_: pa.StructType) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise SchemaError("it is no dictionary")
    unknown = [name for name in value if not _has(type_, name)]
    if unknown:
        raise SchemaError(f"it has no part {unknown[0]!r}")
    return {name: plain(part, type_.field(name).type) for name, part in value.items()}


def _has(type_: pa.StructType, name: str) -> bool:
    return type_.get_field_index(name) >= 0


def _string(value: Any, _type: pa.DataType) -> Any:
    if isinstance(value, os.PathLike):
        return url_text(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if not isinstance(value, str):
        raise SchemaError("it is no text")
    return value


def _binary(value: Any, _type: pa.DataType) -> Any:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise SchemaError("it is not bytes")
    return bytes(value)


def _boolean(value: Any, _type: pa.DataType) -> Any:
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else value


def _integer(value: Any, _type: pa.DataType) -> Any:
    if not isinstance(value, bool | float):
        return value
    if not float(value).is_integer():
        raise SchemaError("it is not a whole number")
    return int(value)


def _floating(value: Any, type_: pa.DataType) -> Any:
    if not isinstance(value, int | float):
        return value
    if type_.bit_width == 32 and too_large(value):
        raise SchemaError("it is too large")
    try:
        return float(value)
    except OverflowError as error:
        raise SchemaError("it is too large") from error


_SCALARS: tuple[tuple[str, Callable[[Any, Any], Any]], ...] = (
    ("is_boolean", _boolean),
    ("is_integer", _integer),
    ("is_floating", _floating),
    ("is_string", _string),
    ("is_binary", _binary),
)
