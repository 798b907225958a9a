"""Some rows of a table, or all of them in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tlc.errors import ColumnError, ExpressionError, OptionError
from tlc.format.manifest import digest
from tlc.format.plain import is_numeric, numbers_of, validity_of
from tlc.table.conditions import rows_where
from tlc.table.derived import derive, selected
from tlc.table.draft import check_unique, positions
from tlc.table.paths import cells_at, paths_of
from tlc.table.reading import Reading

if TYPE_CHECKING:
    import numpy as np

    from tlc.table.placement import NamedPlacement

T = TypeVar("T", bound=Reading)


class Cells(Mapping[str, Any]):
    """What a condition that is a function gets: the cells of all rows, by dotted path.

    Numbers and booleans are NumPy arrays, of floats with NaN where some are missing; anything else
    is an Arrow array. A column is read when it is asked for.
    """

    def __init__(self, table: Reading) -> None:
        self._table = table

    def __getitem__(self, path: str) -> Any:
        cells = cells_at(self._table, path)
        if not is_numeric(cells.type):
            return cells
        import numpy as np

        values, valid = numbers_of(cells), validity_of(cells)
        return values if valid is None else np.where(valid, values.astype(np.float64), np.nan)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.columns)

    def __len__(self) -> int:
        return len(self._table.columns)


Condition = str | Callable[[Cells], Any]


def keep(table: T, indices: Sequence[int] | np.ndarray, placement: NamedPlacement) -> T:
    """Write a table with these rows of `table`; see `Table.keep`."""
    rows = positions(indices, len(table))
    check_unique(rows)
    operation = {"type": "keep", "digest": _digest(rows), "rows": len(rows)}
    name = placement.get("table_name")
    return derive(table, name, operation, selected(table, rows), placement)


def filter_rows(table: T, condition: Condition, placement: NamedPlacement) -> T:
    """Write a table with the rows of `table` that meet a condition; see `Table.filter`."""
    if isinstance(condition, str):
        rows = rows_where(table, condition)
        operation: dict[str, Any] = {"type": "filter", "condition": condition}
    elif callable(condition):
        rows = _as_mask(condition(Cells(table)), len(table)).nonzero()[0]
        operation = {"type": "filter", "digest": _digest(rows)}
    else:
        raise ExpressionError(
            f"{condition!r} is no condition.",
            hint="give a text as in \"label == 'cat'\", or a function; keep takes row numbers.",
        )
    operation["rows"] = len(rows)
    name = placement.get("table_name")
    return derive(table, name, operation, selected(table, rows), placement)


def sort(
    table: T,
    by: str | Sequence[str],
    descending: bool | Sequence[bool],
    placement: NamedPlacement,
) -> T:
    """Write a table with the rows of `table` in another order; see `Table.sort`."""
    paths = paths_of(by)
    flags = [descending] * len(paths) if isinstance(descending, bool) else list(descending)
    if not paths or len(flags) != len(paths):
        raise OptionError(
            f"{len(paths)} columns cannot be sorted with descending={descending!r}.",
            hint="name at least one column, and give one flag for all or one for each.",
        )
    operation = {"type": "sort", "by": paths, "descending": flags}
    rows, name = _order(table, paths, flags), placement.get("table_name")
    return derive(table, name, operation, selected(table, rows), placement)


def _order(table: Reading, paths: Sequence[str], descending: Sequence[bool]) -> np.ndarray:
    """Return the numbers of the rows in order: equal ones stay as they are, missing ones last."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[str, pa.Array] = {}
    keys: list[tuple[str, str]] = []
    for path, flag in zip(paths, descending, strict=True):
        cells = cells_at(table, path)
        if pa.types.is_nested(cells.type):
            raise ColumnError(
                f"Rows cannot be sorted by {path!r}: it holds {cells.type}.",
                hint="give the path of numbers or texts, one per row.",
            )
        keys.append((str(len(keys)), "descending" if flag else "ascending"))
        columns[keys[-1][0]] = cells
    order = pc.sort_indices(pa.table(columns), sort_keys=keys)
    return numbers_of(order).astype(np.int64)


def _as_mask(found: Any, count: int) -> np.ndarray:
    """Return what a function found as one boolean per row."""
    import numpy as np

    mask = np.asarray(found)
    if mask.shape != (count,) or mask.dtype != bool:
        raise ExpressionError(
            f"The condition returned {mask.dtype} values of shape {mask.shape}.",
            hint=f"return one boolean for each of the {count} rows.",
        )
    return mask


def _digest(rows: np.ndarray) -> str:
    return digest(memoryview(rows.astype("<i8").tobytes()))
