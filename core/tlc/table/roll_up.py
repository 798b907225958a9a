"""A row for each group of rows, with lists of what they hold: the inverse of unrolling."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tlc.errors import ColumnError
from tlc.format.patching import numbers_as_cells
from tlc.format.plain import validity_of
from tlc.schemas.arrow import arrow_type
from tlc.schemas.shapes import VARIABLE
from tlc.table.derived import derive, edited
from tlc.table.paths import codes_of, compact, groups_by, paths_of, split_path
from tlc.table.reading import Reading
from tlc.table.unroll import MARK, Names, part_of
from tlc.table.written_out import NewRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.schemas import Schema
    from tlc.table.draft import Draft
    from tlc.table.paths import Codes
    from tlc.table.placement import NamedPlacement
    from tlc.url import Url

T = TypeVar("T", bound=Reading)


class Groups(NamedTuple):
    """Rows in groups, and the groups in the order in which they begin.

    Attributes:
        order: Row numbers, those of one group together and ascending.
        sizes: How many rows each group has.
        firsts: The first row of each group.
    """

    order: np.ndarray
    sizes: np.ndarray
    firsts: np.ndarray


def groups_of(codes: Codes) -> Groups:
    """Return groups of rows with equal codes."""
    import numpy as np

    numbers = codes.codes
    is_sorted = (numbers[1:] >= numbers[:-1]).all()
    order = np.arange(len(numbers)) if is_sorted else np.argsort(numbers, kind="stable")
    sizes = np.bincount(numbers, minlength=codes.different)
    return Groups(order, sizes, order[sizes.cumsum() - sizes])


def roll_up(
    table: T,
    by: str | Sequence[str] | None,
    columns: str | Sequence[str] | None,
    placement: NamedPlacement,
) -> T:
    """Write a table with a row for each group; see `Table.roll_up`."""
    paths = paths_of(by)
    rolled = _rolled(table, None if columns is None else paths_of(columns))
    if not rolled:
        raise ColumnError(
            "Nothing was named to be rolled up, and nothing here was unrolled.",
            hint="columns= names what becomes lists.",
        )
    operation = {
        "type": "roll_up",
        "by": paths,
        "columns": [".".join((name, *names)) for name, parts in rolled.items() for names in parts],
    }
    work = _RollingUp(table, rolled, _number_columns(table, rolled))
    make = partial(work.new_rows, paths) if paths else edited(table, work.edit)
    return derive(table, placement.get("table_name"), operation, make, placement)


class _RollingUp(NamedTuple):
    """What is rolled up: parts of columns, whose elements some other columns number."""

    table: Reading
    rolled: dict[str, list[Names]]
    numbers: list[str]

    def edit(self, draft: Draft) -> None:
        """Make one row, in place, of those that come from one."""
        groups = groups_of(_by_origin(self.table, self.numbers))
        made = self._columns(groups)
        draft.select(groups.firsts)
        for name, (schema, cells) in made.items():
            draft.put_column(name, schema, cells)
        for name in self.numbers:
            draft.drop_column(name)

    def new_rows(self, paths: Sequence[str], folder: Url, identity: str) -> NewRows:
        """Make one row, a new one, of those that are equal at some paths."""
        groups = groups_of(groups_by(self.table, paths))
        firsts, made = _rows(groups.firsts), self._columns(groups)
        columns = {
            name: made.get(name) or (schema, self.table.column(name).take(firsts))
            for name, schema in self.table._schema.values.items()
            if name not in self.numbers
        }
        return NewRows(columns, len(groups.firsts), folder, identity)

    def _columns(self, groups: Groups) -> dict[str, tuple[Schema, pa.Array]]:
        lists = _lists(self.table, self.numbers, groups)
        made: dict[str, tuple[Schema, pa.Array]] = {}
        for name, parts in self.rolled.items():
            schema = _schema(self.table._schema.values[name], parts, (), lists)
            cells = _cells(self.table.column(name), parts, (), groups, lists)
            made[name] = schema, cells.cast(arrow_type(schema))
        return made


def _by_origin(table: Reading, numbers: Sequence[str]) -> Codes:
    """Return which rows come from the same one, before its lists were unrolled.

    Raises:
        ColumnError: A row is there twice, as after joining a table with itself.
    """
    import numpy as np

    origins, indices = table.row_keys()
    keys = codes_of(origins)
    codes = compact(keys.codes * (int(indices.max(initial=0)) + 1) + indices)
    others = [n for n in _all_number_columns(table) if n not in numbers]
    codes = _pairs(codes, groups_by(table, others)) if others else codes
    elements = codes.codes
    for name in numbers:
        more = groups_by(table, [name])
        elements = elements * more.different + more.codes
    elements = np.sort(elements)  # `np.unique` takes twenty times as long
    if numbers and (elements[1:] == elements[:-1]).any():
        raise ColumnError(
            f"{table.url} has some elements of one row twice.", hint="say which rows belong by=."
        )
    return codes


def _pairs(codes: Codes, more: Codes) -> Codes:
    return compact(codes.codes * max(1, more.different) + more.codes)


def _rolled(table: Reading, paths: Sequence[str] | None) -> dict[str, list[Names]]:
    """Return the parts that become lists, by column; the marked ones where none are named."""
    found: dict[str, list[Names]] = {}
    for path in table.columns if paths is None else paths:
        name, *names = split_path(table._schema, path)
        schema = table._schema.values[name]
        part = schema.find(".".join(names))
        marked = [(*names, *below) for below in _marked(part)]
        if marked or paths is not None:
            found.setdefault(name, []).extend(marked or [tuple(names)])
    return found


def _marked(schema: Schema) -> Iterator[Names]:
    """Yield the ways to the parts of a column that were lists before they were unrolled."""
    mark = schema.metadata.get(MARK)
    if isinstance(mark, dict) and "length" in mark:
        yield ()
    elif isinstance(mark, dict):
        for name, part in schema.values.items():
            yield from ((name, *below) for below in _marked(part))


def _all_number_columns(table: Reading) -> dict[str, str]:
    """Return the columns that number elements, and the paths that were unrolled."""
    marks = {name: schema.metadata.get(MARK) for name, schema in table._schema.values.items()}
    return {name: mark for name, mark in marks.items() if isinstance(mark, str)}


def _number_columns(table: Reading, rolled: dict[str, list[Names]]) -> list[str]:
    """Return the columns that number the elements of what is rolled up: of each path the last."""
    paths = [".".join((name, *names)) for name, parts in rolled.items() for names in parts]
    last = {mark: name for name, mark in _all_number_columns(table).items()}
    return [
        name
        for mark, name in last.items()
        if any(path == mark or path.startswith(f"{mark}.") for path in paths)
    ]


def _lists(table: Reading, numbers: Sequence[str], groups: Groups) -> Groups:
    """Return groups without the rows that stand for a list without elements."""
    import numpy as np

    for name in numbers:
        valid = validity_of(table.column(name))
        if valid is not None:
            group = np.repeat(np.arange(len(groups.sizes)), groups.sizes)
            is_there = valid[groups.order]
            sizes = np.bincount(group[is_there], minlength=len(groups.sizes))
            groups = Groups(groups.order[is_there], sizes, groups.firsts)
    return groups


def _cells(
    cells: pa.Array, parts: Sequence[Names], above: Names, groups: Groups, lists: Groups
) -> pa.Array:
    """Return the cells of a column: lists of the elements, and what else the first row has."""
    import numpy as np
    import pyarrow as pa

    if above in parts:
        offsets = np.append(0, lists.sizes.cumsum()).astype(np.int32)
        elements = cells.take(_rows(lists.order))
        return pa.ListArray.from_arrays(numbers_as_cells(offsets, pa.int32()), elements)
    if not any(names[: len(above)] == above for names in parts):
        return cells.take(_rows(groups.firsts))
    mask = cells.is_null().take(_rows(groups.firsts)) if cells.null_count else None
    names = [part.name for part in cells.type]
    made = [_cells(part_of(cells, [name]), parts, (*above, name), groups, lists) for name in names]
    return pa.StructArray.from_arrays(made, names, mask=mask)


def _schema(schema: Schema, parts: Sequence[Names], above: Names, lists: Groups) -> Schema:
    """Return the schema of a column with lists in it; what was unrolled is as it was before."""
    if not any(names[: len(above)] == above for names in parts):
        return schema
    changed = copy.copy(schema)
    mark = changed.metadata.pop(MARK, {})
    if "before" in mark:
        changed.metadata[MARK] = mark["before"]
    changed.sample_type = mark.get("sample_type", "")
    if above in parts:
        length = mark.get("length", VARIABLE)
        is_fixed = bool((lists.sizes == length).all())
        changed.shape = (length if is_fixed else VARIABLE, *schema.shape)
    else:
        changed.values = {
            name: _schema(part, parts, (*above, name), lists)
            for name, part in schema.values.items()
        }
    return changed


def _rows(rows: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return numbers_as_cells(rows, pa.int64())
