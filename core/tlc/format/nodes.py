"""What the layers of a stack become when they are read.

A node reads some columns of a range of its rows, and asks the node below for what it does not have
itself. Nothing is read before a range is asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tlc.errors import CorruptObjectError
from tlc.format.dictionaries import concatenated, is_coded_text, plain_cells
from tlc.format.manifest import Concat, Data, FileEntry, Layer, Patch, Stack, Take
from tlc.format.parquet import ROWS_PER_GROUP, data_file
from tlc.format.patching import patch_fresh, taken
from tlc.format.plain import numbers_of
from tlc.format.relative import holds_urls, resolve
from tlc.format.unknown import as_text, holds_unknown
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.schemas import Schema

Columns = dict[str, Any]
"""Arrow arrays by the name of their column."""


@dataclass(frozen=True)
class Place:
    """Where the files of a stack are, and what their cells are to become.

    Attributes:
        folder: The object's folder, which the paths of the files are relative to.
        types: Arrow types of the columns.
        schemas: Schemas of the columns whose relative urls are to be made absolute.
    """

    folder: Url
    types: Mapping[str, pa.DataType]
    schemas: Mapping[str, Schema]

    def damaged(self, reason: str) -> CorruptObjectError:
        """Return the error that says what is wrong with the layers."""
        return CorruptObjectError(f"The layers of {self.folder} are damaged: {reason}.")

    def fitted(self, name: str, cells: pa.Array, entry: FileEntry) -> pa.Array:
        """Return cells of a file as the column has them: urls absolute, of the right type."""
        import pyarrow as pa

        schema, type_ = self.schemas.get(name), self.types[name]
        has_urls = schema is not None and holds_urls(schema)
        if is_coded_text(cells) and str(type_) == "string" and not has_urls:
            return cells
        cells = plain_cells(cells)
        if schema is not None:
            cells = resolve(cells, Url(entry.path).to_absolute(self.folder).parent.parent, schema)
        if cells.type == type_:
            return cells
        try:
            if schema is not None and holds_unknown(schema):
                return as_text(cells, type_)
            return cells.cast(type_)
        except pa.ArrowException as error:
            reason = f"cells of {name!r} in {entry.path} are no {type_}: {error}"
            raise self.damaged(reason) from error

    def read_all(self, entry: FileEntry, names: list[str]) -> list[Columns]:
        """Return the columns of each row group of a file."""
        return data_file(self.folder, entry).read_groups(None, names)

    def row_numbers(self, parts: list[pa.Array], entry: FileEntry, count: int) -> np.ndarray:
        """Return the cells of a file as row numbers, which must be those of `count` rows."""
        import numpy as np

        if any(part.null_count or str(part.type) != "int64" for part in parts):
            raise self.damaged(f"{entry.path} does not hold row numbers")
        numbers = [numbers_of(part) for part in parts] or [np.empty(0, np.int64)]
        rows = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
        if len(rows) and (rows.min() < 0 or rows.max() >= count):
            raise self.damaged(f"{entry.path} names rows that are not there")
        return rows


class Node(ABC):
    """A layer and all below it.

    Attributes:
        row_count: Number of rows.
    """

    row_count: int

    @abstractmethod
    def bounds(self) -> list[int]:
        """Return where the parts begin that are cheap to read at once, and the number of rows."""

    @abstractmethod
    def read(self, names: list[str], start: int, stop: int) -> Columns:
        """Return some columns of the rows from `start` to `stop`, without that."""


def make_nodes(stack: Stack, place: Place) -> Node:
    """Return the node of the highest layer.

    Raises:
        CorruptObjectError: The layers contradict each other.
    """
    node: Node | None = None
    for number, layer in enumerate(stack.layers):
        if isinstance(layer, Patch):
            if number and isinstance(stack.layers[number - 1], Patch):
                continue  # belongs to the node of the patch before it
            patches = list(_run_of_patches(stack.layers, number))
            node = _PatchNode(patches, _required(node, place), place)
        elif isinstance(layer, Data):
            node = _DataNode(layer, node, place)
        elif isinstance(layer, Take):
            node = _TakeNode(layer.file, _required(node, place), place)
        else:
            node = _ConcatNode(layer, place)
    made = node.row_count if node else 0
    if made != stack.row_count:
        raise place.damaged(f"they make {made} rows instead of {stack.row_count}")
    return node or _ConcatNode(Concat(()), place)


def _run_of_patches(layers: Sequence[Layer], start: int) -> Iterator[Patch]:
    for layer in layers[start:]:
        if not isinstance(layer, Patch):
            return
        yield layer


def _required(node: Node | None, place: Place) -> Node:
    if node is None:
        raise place.damaged("the lowest one changes rows that are not there")
    return node


class _DataNode(Node):
    """Files one below the other; columns that they do not have come from below."""

    def __init__(self, layer: Data, below: Node | None, place: Place) -> None:
        self._columns = frozenset(layer.columns)
        self._entries = layer.files
        self._files = [data_file(place.folder, entry) for entry in layer.files]
        self._below = below
        self._place = place
        self._last: tuple[Any, Columns] = (None, {})
        self.row_count = sum(entry.rows for entry in layer.files)
        if any(entry.rows < 0 for entry in layer.files):
            raise place.damaged("a file has less than no rows")
        if below is not None and below.row_count != self.row_count:
            raise place.damaged(f"one has {self.row_count} rows, one {below.row_count}")

    def bounds(self) -> list[int]:
        if self._below is not None:
            return self._below.bounds()
        bounds = [0]
        for number, entry in enumerate(self._entries):
            # A file of few rows is read whole: its footer can wait until then.
            small = entry.rows <= ROWS_PER_GROUP
            for rows in [entry.rows] if small else self._group_rows(number):
                bounds.append(bounds[-1] + rows)
        return sorted(set(bounds))

    def read(self, names: list[str], start: int, stop: int) -> Columns:
        own = [name for name in names if name in self._columns]
        others = [name for name in names if name not in self._columns]
        columns = self._own(own, start, stop) if own else {}
        if others and self._below is None:
            raise CorruptObjectError(
                f"No layer of {self._place.folder} holds the column {others[0]!r}."
            )
        return columns | (self._below.read(others, start, stop) if others and self._below else {})

    def _own(self, names: list[str], start: int, stop: int) -> Columns:
        parts: dict[str, list[pa.Array]] = {name: [] for name in names}
        first = 0
        for number, entry in enumerate(self._entries):
            if first < stop and start < first + entry.rows:
                self._add(parts, number, start - first, stop - first)
            first += entry.rows
        return {name: _joined(cells, self._place.types[name]) for name, cells in parts.items()}

    def _add(self, parts: dict[str, list[pa.Array]], number: int, start: int, stop: int) -> None:
        """Add some rows of a file; the groups of which all are wanted are read at once."""
        names, first, wanted = list(parts), 0, []
        for group, rows in enumerate(self._group_rows(number)):
            low, high = max(start - first, 0), min(stop - first, rows)
            if low < high:
                wanted.append((group, low, high, high - low == rows))
            first += rows
        whole = [group for group, _, _, is_whole in wanted if is_whole]
        decoded = self._decoded(number, whole, names) if whole else {}
        for group, low, high, is_whole in wanted:
            columns = decoded[group] if is_whole else self._kept(number, group, names)
            for name, cells in parts.items():
                cells.append(columns[name].slice(low, high - low))

    def _kept(self, number: int, group: int, names: list[str]) -> Columns:
        """Return a row group of which a part is wanted; the rest may be next."""
        key = number, group, tuple(names)
        kept, columns = self._last
        if kept != key:
            columns = self._decoded(number, [group], names)[group]
            self._last = key, columns
        return columns

    def _decoded(self, number: int, groups: list[int], names: list[str]) -> dict[int, Columns]:
        entry, file = self._entries[number], self._files[number]
        return {
            group: {name: self._place.fitted(name, cells, entry) for name, cells in found.items()}
            for group, found in zip(groups, file.read_groups(groups, names), strict=True)
        }

    def _group_rows(self, number: int) -> list[int]:
        rows, entry = self._files[number].group_rows(), self._entries[number]
        if sum(rows) != entry.rows or min(rows, default=0) < 0:
            raise self._place.damaged(f"{entry.path} has not {entry.rows} rows")
        return rows


class _PatchNode(Node):
    """New values of some cells."""

    def __init__(self, patches: Sequence[Patch], below: Node, place: Place) -> None:
        self._patches: dict[str, list[FileEntry]] = {}
        for patch in patches:
            self._patches.setdefault(patch.column, []).append(patch.file)
        self._read: dict[str, list[tuple[np.ndarray, pa.Array]]] = {}
        self._below = below
        self._place = place
        self.row_count = below.row_count

    def bounds(self) -> list[int]:
        return self._below.bounds()

    def read(self, names: list[str], start: int, stop: int) -> Columns:
        columns = self._below.read(names, start, stop)
        for name in names:
            if name in self._patches:
                columns[name] = self._changed(name, columns[name], start, stop)
        return columns

    def _changed(self, name: str, cells: pa.Array, start: int, stop: int) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        parts = []
        for rows, values in self._changes(name):
            low, high = np.searchsorted(rows, [start, stop]).tolist()
            if low < high:
                parts.append((rows[low:high] - start, values.slice(low, high - low)))
        if not parts:
            return cells
        rows, values = parts[0]
        if len(parts) > 1:  # of equal rows the last will count: there is no need to sort them
            rows = np.concatenate([part[0] for part in parts])
            values = pa.concat_arrays([part[1] for part in parts])
        # A group that is decoded once may come here twice: then it gets the same values again.
        return patch_fresh(plain_cells(cells), rows, values)

    def _changes(self, name: str) -> list[tuple[np.ndarray, pa.Array]]:
        """Return for each patch of a column the changed rows, ascending, and their values."""
        import numpy as np

        if name not in self._read:
            parts = []
            for entry in self._patches[name]:
                rows, values = self._file(name, entry)
                if not (rows[1:] > rows[:-1]).all():
                    order = np.argsort(rows, kind="stable")
                    rows, values = rows[order], taken(values, order)
                parts.append((rows, values))
            self._read[name] = parts
        return self._read[name]

    def _file(self, name: str, entry: FileEntry) -> tuple[np.ndarray, pa.Array]:
        parts = self._place.read_all(entry, ["row", "value"])
        rows = self._place.row_numbers([part["row"] for part in parts], entry, self.row_count)
        values = [self._place.fitted(name, part["value"], entry) for part in parts]
        return rows, plain_cells(_joined(values, self._place.types[name]))


class _TakeNode(Node):
    """Some of the rows below, in an order of their own."""

    def __init__(self, entry: FileEntry, below: Node, place: Place) -> None:
        self._entry = entry
        self._below = below
        self._place = place
        self.row_count = entry.rows

    @cached_property
    def _rows(self) -> np.ndarray:
        parts = [part["row"] for part in self._place.read_all(self._entry, ["row"])]
        return self._place.row_numbers(parts, self._entry, self._below.row_count)

    @cached_property
    def _ascending(self) -> bool:
        return bool((self._rows[1:] > self._rows[:-1]).all())

    @cached_property
    def _in_order(self) -> bool:
        return self._ascending or bool((self._rows[1:] >= self._rows[:-1]).all())

    def bounds(self) -> list[int]:
        import numpy as np

        if not self._in_order:  # any part would need all that is below
            return sorted({0, self.row_count})
        return sorted(set(np.searchsorted(self._rows, self._below.bounds()).tolist()))

    def read(self, names: list[str], start: int, stop: int) -> Columns:
        rows = self._rows[start:stop]
        if len(rows) == 0:
            return self._below.read(names, 0, 0)
        first, last = int(rows.min()), int(rows.max())
        columns = self._below.read(names, first, last + 1)
        if self._ascending and last - first == len(rows) - 1:
            return columns
        return {name: taken(cells, rows - first) for name, cells in columns.items()}


class _ConcatNode(Node):
    """Stacks one below the other."""

    def __init__(self, layer: Concat, place: Place) -> None:
        self._parts = [make_nodes(part, place) for part in layer.inputs]
        self._place = place
        self.row_count = sum(part.row_count for part in self._parts)

    def bounds(self) -> list[int]:
        bounds = {0}
        for first, part in self._placed():
            bounds |= {first + bound for bound in part.bounds()}
        return sorted(bounds)

    def read(self, names: list[str], start: int, stop: int) -> Columns:
        found = [
            part.read(names, max(start - first, 0), min(stop - first, part.row_count))
            for first, part in self._placed()
            if first < stop and start < first + part.row_count
        ]
        types = self._place.types
        return {name: _joined([each[name] for each in found], types[name]) for name in names}

    def _placed(self) -> Iterator[tuple[int, Node]]:
        first = 0
        for part in self._parts:
            yield first, part
            first += part.row_count


def _joined(parts: list[pa.Array], type_: pa.DataType) -> pa.Array:
    import pyarrow as pa

    return concatenated(parts) if parts else pa.array([], type_)
