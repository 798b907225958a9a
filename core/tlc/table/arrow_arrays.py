"""Small Arrow arrays, made without `pa.array`, whose first call imports pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return a few values as an Arrow array."""
    import pyarrow as pa

    cells = [pa.repeat(pa.scalar(value, kind), 1) for value in values]
    return pa.concat_arrays([pa.nulls(0, kind), *cells])


def as_numbers(values: np.ndarray, valid: np.ndarray) -> pa.Array:
    """Return numbers as an Arrow array, null where they are not valid."""
    import pyarrow as pa

    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [_packed(valid), pa.py_buffer(values)])


def as_booleans(values: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """Return booleans as an Arrow array, null where they are not valid."""
    import pyarrow as pa

    buffers = [None if valid is None else _packed(valid), _packed(values)]
    return pa.Array.from_buffers(pa.bool_(), len(values), buffers)


def _packed(bits: np.ndarray) -> pa.Buffer:
    import numpy as np
    import pyarrow as pa

    return pa.py_buffer(np.packbits(bits, bitorder="little"))
