"""Finding the rows of one table in another by their stable keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from tlc.table.reading import Reading

# A key is the number of its origin table and, below that, its index there.
_INDEX_BITS = 40


def row_numbers(source: Reading, target: Reading) -> np.ndarray:
    """Return for each row of `source` the row of `target` with the same key, else -1.

    Returns:
        int64 array of shape ``(len(source),)``. If a key occurs twice in `target`, as after joining
        a table with itself, the first row counts.
    """
    import numpy as np

    origins: dict[str, int] = {}
    wanted, there = _codes(source, origins), _codes(target, origins)
    if len(there) == 0:
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(there, kind="stable")
    at = np.minimum(np.searchsorted(there, wanted, sorter=order), len(there) - 1)
    found = order[at]
    return np.where(there[found] == wanted, found, -1)


def _codes(table: Reading, origins: dict[str, int]) -> np.ndarray:
    import numpy as np

    names, indices = table.row_keys()
    encoded = names.dictionary_encode()
    numbers = [origins.setdefault(name, len(origins)) for name in encoded.dictionary.to_pylist()]
    if not numbers:
        return np.empty(0, np.int64)
    codes = np.asarray(numbers, np.int64)[encoded.indices.to_numpy()]
    return (codes << _INDEX_BITS) + indices
