"""Finding the rows of one table in another by their stable keys."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tlc.errors import TlcError
from tlc.format.layers import read_keys, read_rows
from tlc.format.manifest import Concat, Data, Stack, Take
from tlc.format.plain import numbers_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tlc.table.reading import Reading
    from tlc.url import Url

INDEX_BITS = 40
"""How many of the lowest bits of a row's code are its index in its origin."""

_MANY = 1 << 24  # so many rows that there had better be as many


def row_numbers(source: Reading, target: Reading) -> np.ndarray:
    """Return for each row of `source` the row of `target` with the same key, else -1.

    Returns:
        int64 array of shape ``(len(source),)``. If a key occurs twice in `target`, as after joining
        a table with itself, the first row counts.
    """
    import numpy as np

    origins: dict[str, int] = {}
    wanted, there = row_codes(source, origins), row_codes(target, origins)
    if len(there) == 0:
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(there, kind="stable")
    at = np.minimum(np.searchsorted(there, wanted, sorter=order), len(there) - 1)
    found = order[at]
    return np.where(there[found] == wanted, found, -1)


def row_codes(table: Reading, origins: dict[str, int]) -> np.ndarray:
    """Return a number for each row that tells its key.

    Args:
        table: The table.
        origins: Ids of origins and their numbers; gets those that are not there yet. Codes of
            tables that were made with the same `origins` are equal where the keys are.

    Returns:
        int64 array of shape ``(len(table),)``; above the lowest `INDEX_BITS` is the number of the
        origin.
    """
    with suppress(IndexError, ValueError, TypeError, MemoryError, TlcError):
        return _made(table._manifest.stack, table.url, origins)
    return _encoded(*table.row_keys(), origins)  # which says what is wrong


def _made(stack: Stack, folder: Url, origins: dict[str, int]) -> np.ndarray:
    """Return the codes of the rows that layers make, without a text for each."""
    import numpy as np

    codes = np.empty(0, np.int64)
    for number, layer in enumerate(stack.layers):
        if isinstance(layer, Concat):
            codes = np.concatenate(
                [codes, *(_made(part, folder, origins) for part in layer.inputs)]
            )
        elif isinstance(layer, Data) and number == 0:
            rows = sum(entry.rows for entry in layer.files)
            if layer.keys is not None or rows > _MANY:
                codes = _encoded(*read_keys(Stack(rows, (layer,)), folder), origins)
            else:
                codes = _numbered(np.arange(rows, dtype=np.int64), layer.origin, origins)
        elif isinstance(layer, Take):
            codes = codes[_checked(read_rows(layer, folder))]
    if len(codes) != stack.row_count:
        raise IndexError
    return codes


def _checked(cells: pa.Array) -> np.ndarray:
    """Return row numbers; NumPy would count negative ones from the end."""
    rows = numbers_of(cells)
    if cells.null_count or (len(rows) and rows.min() < 0):
        raise IndexError
    return rows


def _numbered(indices: np.ndarray, origin: str, origins: dict[str, int]) -> np.ndarray:
    number: int = origins.setdefault(origin, len(origins))
    return indices + (number << INDEX_BITS) if number else indices


def _encoded(names: pa.Array, indices: np.ndarray, origins: dict[str, int]) -> np.ndarray:
    import numpy as np

    encoded = names.dictionary_encode()
    numbers = [origins.setdefault(name, len(origins)) for name in encoded.dictionary.to_pylist()]
    if not numbers:
        return np.empty(0, np.int64)
    codes = np.asarray(numbers, np.int64)[encoded.indices.to_numpy()]
    return (codes << INDEX_BITS) + indices
