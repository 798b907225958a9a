"""Parts of cells of annotations, as flat arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import INSTANCES, RLES
from tlc.export.annotations import MASKS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from tlc.export.annotations import AnnotationColumn


def part_of(cells: pa.Array, *path: str) -> pa.Array:
    """Return a part of dictionaries; it is missing where one of them is."""
    import pyarrow.compute as pc

    return pc.struct_field(cells, list(path))


def number_of_instances(cells: pa.Array, column: AnnotationColumn) -> list[int]:
    """Return how many instances each cell has."""
    return lengths_of(part_of(cells, RLES if column.kind == MASKS else INSTANCES)).tolist()


def lengths_of(lists: pa.Array) -> npt.NDArray[np.int64]:
    """Return how many items each list has; none if it is missing."""
    import pyarrow.compute as pc

    return pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)


def numbers_of(lists: pa.Array, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return the numbers in nested lists, of all cells, as one array."""
    import pyarrow as pa

    flat = lists
    while pa.types.is_list(flat.type) or pa.types.is_fixed_size_list(flat.type):
        flat = flat.flatten()
    return flat.to_numpy(zero_copy_only=False).reshape(shape)


def per_cell(items: list[Any], lengths: npt.NDArray[np.int64]) -> list[list[Any]]:
    """Return items that follow each other as a list for each cell."""
    ends = np.cumsum(lengths).tolist()
    return [items[start:end] for start, end in zip([0, *ends], ends, strict=False)]
