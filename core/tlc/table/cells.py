"""Single cells of Arrow arrays as plain Python values, at the speed of NumPy.

`cell_reader` looks at a column once and returns a function of the row number; what it returns is
new on each call, so callers may change it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Reader = Callable[[int], Any]


def cell_reader(array: pa.Array) -> Reader:
    """Return a function that gives the value of row ``i`` of `array`; None where it is null."""
    reader = _reader(array)
    if array.null_count == 0 or reader is None:
        return reader or (lambda i: array[i].as_py())
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    return lambda i: reader(i) if valid[i] else None


def numeric_view(array: pa.Array) -> np.ndarray | None:
    """Return the values of an array of numbers or booleans as NumPy, without copying numbers.

    Null cells have an undefined value. Returns None for other types.
    """
    import numpy as np
    import pyarrow as pa

    type_ = array.type
    if pa.types.is_boolean(type_):
        bits = np.frombuffer(array.buffers()[1] or b"", np.uint8)
        return np.unpackbits(bits, bitorder="little")[array.offset :][: len(array)].astype(bool)
    if not (pa.types.is_integer(type_) or pa.types.is_floating(type_)):
        return None
    kind = "f" if pa.types.is_floating(type_) else "u" if str(type_).startswith("u") else "i"
    data = np.frombuffer(array.buffers()[1] or b"", f"{kind}{type_.bit_width // 8}")
    return data[array.offset :][: len(array)]


def _reader(array: pa.Array) -> Reader | None:
    import pyarrow as pa

    type_ = array.type
    view = numeric_view(array)
    if view is not None:
        return view.item
    if pa.types.is_string(type_):
        return _string_reader(array)
    if pa.types.is_fixed_size_list(type_):
        return _list_reader(array, array.values, type_.list_size)
    if pa.types.is_list(type_):
        return _list_reader(array, array.values, None)
    if pa.types.is_struct(type_):
        fields = [
            (type_.field(k).name, cell_reader(array.field(k))) for k in range(type_.num_fields)
        ]
        return lambda i: {name: read(i) for name, read in fields}
    return None


def _string_reader(array: pa.Array) -> Reader:
    import numpy as np

    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets or b"\0\0\0\0", np.int32)[array.offset :].item
    text = memoryview(data or b"")
    return lambda i: str(text[ends(i) : ends(i + 1)], "utf-8")


def _list_reader(array: pa.Array, values: pa.Array, size: int | None) -> Reader:
    """Read lists: a slice of the values per row, of fixed `size` or between the row's offsets."""
    import numpy as np

    if size is None:
        _, offsets = array.buffers()[:2]
        ends = np.frombuffer(offsets or b"\0\0\0\0", np.int32)[array.offset :].item
        bounds: Callable[[int], tuple[int, int]] = lambda i: (ends(i), ends(i + 1))  # noqa: E731
    else:
        first = array.offset
        bounds = lambda i: ((first + i) * size, (first + i + 1) * size)  # noqa: E731
    view = numeric_view(values)
    if view is not None and values.null_count == 0:
        return lambda i: view[slice(*bounds(i))].tolist()
    read = cell_reader(values)
    return lambda i: [read(k) for k in range(*bounds(i))]
