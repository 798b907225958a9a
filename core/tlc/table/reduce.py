"""A row for each group of rows, with means or the like of what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from tlc.errors import ColumnError, ColumnNotFoundError, OptionError
from tlc.format.names import check_column_name
from tlc.format.patching import numbers_as_cells
from tlc.format.plain import is_numeric, numbers_of, validity_of
from tlc.schemas import Int64Schema, Schema
from tlc.schemas.values import VALUE_TYPES, NumericValue
from tlc.table.arrow_arrays import as_booleans, as_numbers
from tlc.table.derived import derive
from tlc.table.paths import codes_of, groups_by, paths_of, split_path
from tlc.table.reading import Reading
from tlc.table.roll_up import Groups, groups_of
from tlc.table.written_out import NewRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.table.placement import NamedPlacement
    from tlc.url import Url

    Column = tuple[Schema, pa.Array]

T = TypeVar("T", bound=Reading)

WAYS = ("mean", "min", "max", "sum", "first")


def reduce(
    table: T,
    by: str | Sequence[str],
    how: str | Mapping[str, str],
    columns: Sequence[str] | None,
    count: str | None,
    placement: NamedPlacement,
) -> T:
    """Write a table with a row for each group; see `Table.reduce`."""
    keys = paths_of(by)
    ways = _ways(table, keys, columns, how)
    if count is not None and check_column_name(count) in ways:
        raise ColumnError(f"There is a column {count!r} already.", hint="choose another name.")
    operation = {"type": "reduce", "by": keys, "how": ways, "count": count}

    def make(folder: Url, identity: str) -> NewRows:
        groups = groups_of(groups_by(table, keys))
        made = {name: _reduced(table, name, way, groups) for name, way in ways.items()}
        if count is not None:
            made[count] = Int64Schema(), _numbers(groups.sizes)
        return NewRows(made, len(groups.sizes), folder, identity)

    return derive(table, placement.get("table_name"), operation, make, placement)


def _ways(
    table: Reading,
    keys: Sequence[str],
    columns: Sequence[str] | None,
    how: str | Mapping[str, str],
) -> dict[str, str]:
    """Return how each column is reduced; those of the keys are as in the first row.

    Raises:
        OptionError: There is no such way.
        ColumnNotFoundError: There is no such column.
    """
    if not keys:
        raise ColumnError(
            "There is nothing to group by.", hint="by= names columns that are equal in a group."
        )
    fixed = [split_path(table._schema, path)[0] for path in keys]
    names = table.columns if columns is None else [*dict.fromkeys([*fixed, *columns])]
    given, usual = (how, "mean") if isinstance(how, Mapping) else ({}, how)
    for name in (*names, *given):
        if name not in names or name not in table._schema.values:
            raise ColumnNotFoundError(
                f"There is no column {name!r} to reduce.",
                hint=f"there are {', '.join(map(repr, table.columns))}.",
            )
    unknown = {*given.values(), usual} - set(WAYS)
    if unknown:
        raise OptionError(
            f"Columns are not reduced by {min(unknown)!r}.",
            hint=f"it is one of {', '.join(map(repr, WAYS))}.",
        )
    return {name: "first" if name in fixed else given.get(name, usual) for name in names}


def _reduced(table: Reading, name: str, way: str, groups: Groups) -> Column:
    import pyarrow as pa

    schema, cells = table._schema.values[name], table.column(name)
    has_classes = bool(getattr(schema.value, "map", None))
    if way == "first":
        return schema, cells.take(_numbers(groups.firsts))
    if is_numeric(cells.type) and not has_classes:
        return _of_numbers(schema, cells, way, groups)
    if way != "mean":
        raise ColumnError(
            f"There is no {way} of column {name!r}: it holds {cells.type}.",
            hint="how= may name a way for each column; 'first' fits all.",
        )
    if pa.types.is_fixed_size_list(cells.type) and _is_plain(cells):
        return _of_arrays(schema, cells, groups)
    if pa.types.is_nested(cells.type):
        return schema, cells.take(_numbers(groups.firsts))
    return schema, cells.take(_most_frequent(cells, groups))


def _of_numbers(schema: Schema, cells: pa.Array, way: str, groups: Groups) -> Column:
    """Return the mean, least, greatest or sum of numbers; missing where all of a group are."""
    import numpy as np

    values, valid = numbers_of(cells), validity_of(cells)
    rows, sizes = groups.order, groups.sizes
    if valid is not None:
        group = np.repeat(np.arange(len(sizes)), sizes)
        rows = rows[valid[rows]]
        sizes = np.bincount(group[valid[groups.order]], minlength=len(sizes))
    is_there = sizes > 0
    starts = (sizes.cumsum() - sizes)[is_there]
    wide = _wide(values.dtype, way)
    found = np.zeros(len(sizes), wide)
    if len(starts):
        function = {"min": np.minimum, "max": np.maximum}.get(way, np.add)
        found[is_there] = function.reduceat(values[rows].astype(wide), starts)
    if way == "mean":
        found[is_there] /= sizes[is_there]
    if way in ("min", "max") or (way == "mean" and values.dtype.kind == "f"):
        return schema, as_numbers(found, is_there).cast(cells.type)
    return _of_type(schema, str(found.dtype)), as_numbers(found, is_there)


def _wide(kind: np.dtype, way: str) -> np.dtype:
    """Return the type to calculate in."""
    import numpy as np

    if kind.kind == "f" or way == "mean":
        return np.dtype(np.float64)
    if way == "sum":
        return np.dtype(np.uint64 if kind.kind == "u" else np.int64)
    return np.dtype(np.uint8) if kind.kind == "b" else kind


def _of_type(schema: Schema, name: str) -> Schema:
    """Return the schema of numbers of another type that are made of a column's."""
    value = VALUE_TYPES[name]()
    if isinstance(value, NumericValue) and isinstance(schema.value, NumericValue):
        value.unit = schema.value.unit
    return Schema(
        schema.display_name,
        schema.description,
        value=value,
        default_visible=schema.default_visible,
    )


def _is_plain(cells: pa.Array) -> bool:
    """Whether arrays hold numbers, and no number in them is missing."""
    return is_numeric(cells.type.value_type) and not cells.flatten().null_count


def _of_arrays(schema: Schema, cells: pa.Array, groups: Groups) -> Column:
    """Return the mean of arrays of one shape, number by number; missing arrays do not count."""
    import numpy as np
    import pyarrow as pa

    length = cells.type.list_size
    valid = validity_of(cells)
    is_there = np.ones(len(cells), bool) if valid is None else valid
    places = is_there.cumsum() - 1  # of each array among those that are there
    rows = groups.order[is_there[groups.order]]
    group = np.repeat(np.arange(len(groups.sizes)), groups.sizes)[is_there[groups.order]]
    sizes = np.bincount(group, minlength=len(groups.sizes))
    arrays = numbers_of(cells.flatten()).reshape(-1, length)[places[rows]].astype(np.float64)
    has_some = sizes > 0
    means = np.zeros((len(sizes), length))
    if len(rows):
        means[has_some] = np.add.reduceat(arrays, (sizes.cumsum() - sizes)[has_some])
        means[has_some] /= sizes[has_some, None]
    made = pa.FixedSizeListArray.from_arrays(
        numbers_as_cells(means.reshape(-1), pa.float64()),
        length,
        mask=None if has_some.all() else as_booleans(~has_some),
    )
    if pa.types.is_floating(cells.type.value_type):
        return schema, made.cast(cells.type)
    changed = _of_type(schema, "float64")
    changed.shape = schema.shape
    return changed, made


def _most_frequent(cells: pa.Array, groups: Groups) -> pa.Array:
    """Return the row of the most frequent value of each group, the first if there are several.

    Missing values do not count; the row is missing where all are.
    """
    import numpy as np

    codes, different = codes_of(cells)
    group = np.repeat(np.arange(len(groups.sizes)), groups.sizes)
    rows = groups.order
    valid = validity_of(cells)
    if valid is not None:
        is_there = valid[rows]
        group, rows = group[is_there], rows[is_there]
    pairs = group * max(1, different) + codes[rows]
    by_pair = np.argsort(pairs, kind="stable")
    pairs = pairs[by_pair]
    starts = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)])
    counts = np.diff(np.append(starts, len(pairs)))
    firsts, of = rows[by_pair[starts]], group[by_pair[starts]]
    best = np.lexsort((firsts, -counts, of))
    places = np.flatnonzero(np.append(True, of[best][1:] != of[best][:-1])[: len(best)])
    found = np.zeros(len(groups.sizes), np.int64)
    is_there = np.zeros(len(groups.sizes), bool)
    chosen = best[places]
    found[of[chosen]], is_there[of[chosen]] = firsts[chosen], True
    return as_numbers(found, is_there)


def _numbers(rows: np.ndarray) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    return numbers_as_cells(rows.astype(np.int64), pa.int64())
