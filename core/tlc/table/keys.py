"""Finding the rows of one table in another by their stable keys."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tlc.errors import CorruptObjectError, TlcError
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
_SPARSE = 8  # so many times as many numbers as there are codes are worth a table of all of them


def row_numbers(source: Reading, target: Reading) -> np.ndarray:
    """Return for each row of `source` the row of `target` with the same key, else -1.

    If no two rows of `target` have one key, each stands for all rows of `source` with its key, as
    an image does for its boxes after `unroll`. Else, as between two tables of boxes, the first row
    with a key is the first there, the second the second, and so on.

    Returns:
        int64 array of shape ``(len(source),)``.
    """
    import numpy as np

    origins: dict[str, int] = {}
    wanted, there = row_codes(source, origins), row_codes(target, origins)
    if not has_repeats(there):
        return places_of(wanted, there)
    order = np.argsort(there, kind="stable")
    ordered = there[order]
    at = np.searchsorted(ordered, wanted) + repeats_of(wanted)
    inside = at < len(there)
    at = np.where(inside, at, 0)
    return np.where(inside & (ordered[at] == wanted), order[at], -1)


def places_of(wanted: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the place of each of `wanted` among `codes`, of which no two are equal, else -1."""
    import numpy as np

    if not len(codes):
        return np.full(len(wanted), -1, np.int64)
    low, width = int(codes.min()), int(codes.max()) - int(codes.min()) + 1
    if width <= _SPARSE * len(codes):  # as keys of one origin: looked up without a search
        table = np.full(width + 1, -1, np.int64)
        table[codes - low] = np.arange(len(codes))
        inside = (wanted >= low) & (wanted < low + width)
        return table[np.where(inside, wanted - low, width)]
    order = np.argsort(codes, kind="stable")
    at = order[np.minimum(np.searchsorted(codes, wanted, sorter=order), len(codes) - 1)]
    return np.where(codes[at] == wanted, at, -1)


def has_repeats(codes: np.ndarray) -> bool:
    """Whether two codes are equal."""
    import numpy as np

    ordered = codes if bool((codes[1:] >= codes[:-1]).all()) else np.sort(codes)
    return bool((ordered[1:] == ordered[:-1]).any())


def repeats_of(codes: np.ndarray) -> np.ndarray:
    """Return how many codes before each are equal to it, int64."""
    import numpy as np

    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    counts = np.diff(np.append(starts, len(ordered)))
    repeats = np.empty(len(codes), np.int64)
    repeats[order] = np.arange(len(codes)) - np.repeat(starts, counts)
    return repeats


def row_codes(table: Reading, origins: dict[str, int]) -> np.ndarray:
    """Return a number for each row that tells its key.

    Args:
        table: The table.
        origins: Ids of origins and their numbers; gets those that are not there yet. Codes of
            tables that were made with the same `origins` are equal where the keys are.

    Returns:
        int64 array of shape ``(len(table),)``; above the lowest `INDEX_BITS` is the number of the
        origin.

    Raises:
        CorruptObjectError: The keys of the rows cannot be read.
    """
    with suppress(IndexError, ValueError, TypeError, MemoryError, TlcError):
        return _made(table._manifest.stack, table.url, origins)
    names, indices = table.row_keys()  # which says what is wrong
    if names.null_count:
        raise CorruptObjectError(f"The keys of the rows of {table.url} are damaged: some are null.")
    return _encoded(names, indices, origins)


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
