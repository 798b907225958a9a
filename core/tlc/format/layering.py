"""The layers of a revision in the making: those of its parent, and what edits add to them.

An edit costs what it changes, but reading must not get slower with every revision. So new cells are
written together with those of the revisions before, as long as these are not many more: of one
column's patches each is several times as long as the next, and so they are few. Selections of rows
become one, and layers that no column needs any more are left out.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tlc.errors import TlcError
from tlc.format import parquet
from tlc.format.layers import read_column, read_patch, read_rows
from tlc.format.manifest import Concat, Data, FileEntry, Layer, Patch, Stack, Take
from tlc.format.patching import numbers_as_cells, patched
from tlc.format.plain import numbers_of
from tlc.format.relative import relativize
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.schemas import Schema
    from tlc.url import Url

# Both chosen so that 100 edits of 1,000 of a million rows take 2 MB, and leave 4 patches at most.
_RATIO = 3
_FILE_BYTES = 3000  # what a file costs beside the cells in it, in bytes of cells


class _Changes(NamedTuple):
    rows: np.ndarray
    cells: pa.Array


@dataclass(frozen=True)
class _Kept:
    """A `Take` that is not written yet."""

    rows: np.ndarray


class Layering:
    """Layers that edits are added to; writes their files into the folder of the new revision.

    Args:
        stack: Layers of the parent, with paths relative to `folder`.
        schemas: Schemas of the columns, by name, as they are at the time of each call.
        folder: Folder of the new revision.
        writer: Start of the names of its files.
    """

    def __init__(
        self, stack: Stack, schemas: Mapping[str, Schema], folder: Url, writer: str
    ) -> None:
        self.row_count = stack.row_count
        self._layers: list[Layer | _Kept] = list(stack.layers)
        self._changes: dict[str, list[_Changes]] = {}  # above all layers, by column, oldest first
        self._schemas = schemas
        self._folder = folder
        self._writer = writer
        self._paths: list[str] = []

    def set_values(self, column: str, rows: np.ndarray, cells: pa.Array) -> None:
        """Put ``cells[k]`` into row ``rows[k]`` of a column; the last of equal rows counts."""
        self._changes.setdefault(column, []).append(_Changes(rows, cells))

    def set_column(self, name: str, cells: pa.Array) -> None:
        """Put all cells of a column, in place of those of that name if there are any."""
        self._changes.pop(name, None)
        self._layers.append(self._whole(name, cells))

    def drop_column(self, name: str) -> None:
        """Forget what was to be written of a column that is in the schema no more."""
        self._changes.pop(name, None)

    def keep_rows(self, rows: np.ndarray) -> None:
        """Keep only these rows, in this order; one that is named twice becomes two."""
        self.row_count = len(rows)
        for column, parts in self._changes.items():
            self._changes[column] = [_moved(part, rows) for part in parts]
        self._layers = _needed(self._layers, self._schemas)
        while (below := _selection_at_the_top(self._layers)) is not None:
            kept, patches = self._layers[below], self._layers[below + 1 :]
            for patch in reversed(patches):
                assert isinstance(patch, Patch)
                moved = _moved(self._changes_of(patch), rows)
                self._changes.setdefault(patch.column, []).insert(0, moved)
            del self._layers[below:]
            rows = self._rows_of(kept)[rows]
        self._layers.append(_Kept(rows))

    def read(self, name: str) -> pa.Array:
        """Return a column as the edits have left it."""
        schema = self._schemas[name]
        type_ = arrow_type(schema)
        stack = Stack(self.row_count, self._written())
        cells = read_column(stack, name, self._folder, type_, schema=schema)
        for rows, values in self._changes.get(name, ()):
            cells = patched(cells, _as_cells(rows), values)
        return cells

    def finish(self) -> Stack:
        """Write what is not written yet, and return the layers."""
        for column, parts in self._changes.items():
            changes = self._merged(column, _latest(parts))
            if len(changes.rows) == self.row_count and self.row_count:
                self._layers.append(self._whole(column, changes.cells))
            elif len(changes.rows):
                self._layers.append(self._patch(column, changes))
        self._changes = {}
        self._layers = self._joined(_needed(self._layers, self._schemas))
        return Stack(self.row_count, self._written())

    def discard(self) -> None:
        """Delete the files that were written; what cannot be deleted is left for `tlc gc`."""
        for path in self._paths:
            with suppress(TlcError, OSError):
                (self._folder / path).delete()

    def _joined(self, layers: Sequence[Layer | _Kept]) -> list[Layer | _Kept]:
        """Return layers with selections of rows made one that have come to lie on each other."""
        joined: list[Layer | _Kept] = []
        for layer in layers:
            if joined and isinstance(layer, Take | _Kept) and isinstance(joined[-1], Take | _Kept):
                joined[-1] = _Kept(self._rows_of(joined[-1])[self._rows_of(layer)])
            else:
                joined.append(layer)
        return joined

    def _merged(self, column: str, changes: _Changes) -> _Changes:
        """Return `changes` with those of patches that are not much longer; these are dropped."""
        parts, count = [changes], len(changes.rows)
        for patch in _top_patches(self._layers, column):
            length, rows = patch.file.length, max(1, patch.file.rows)
            if not count or length + _FILE_BYTES > _RATIO * (count * length / rows + _FILE_BYTES):
                break
            parts.insert(0, self._changes_of(patch))
            count += patch.file.rows
            self._layers = [layer for layer in self._layers if layer is not patch]
        return _latest(parts)

    def _changes_of(self, patch: Patch) -> _Changes:
        schema = self._schemas[patch.column]
        rows, cells = read_patch(patch, self._folder, schema)
        return _Changes(numbers_of(rows), cells.cast(arrow_type(schema)))

    def _rows_of(self, layer: Layer | _Kept) -> np.ndarray:
        if isinstance(layer, _Kept):
            return layer.rows
        assert isinstance(layer, Take)
        return numbers_of(read_rows(layer, self._folder))

    def _written(self) -> tuple[Layer, ...]:
        self._layers = [
            Take(self._write({"row": _as_cells(layer.rows)})) if isinstance(layer, _Kept) else layer
            for layer in self._layers
        ]
        return tuple(layer for layer in self._layers if not isinstance(layer, _Kept))

    def _patch(self, column: str, changes: _Changes) -> Patch:
        cells = relativize(changes.cells, self._folder, self._schemas[column])
        return Patch(column, self._write({"row": _as_cells(changes.rows), "value": cells}))

    def _whole(self, name: str, cells: pa.Array) -> Data:
        cells = relativize(cells, self._folder, self._schemas[name])
        return Data((name,), (self._write({name: cells}),), origin="")

    def _write(self, columns: dict[str, pa.Array]) -> FileEntry:
        import pyarrow as pa

        path = f"edits/{self._writer}-{uuid.uuid4().hex[:8]}.parquet"
        self._paths.append(path)
        return parquet.write(self._folder, path, pa.table(columns))


def _latest(parts: Sequence[_Changes]) -> _Changes:
    """Return changes as one, rows ascending; of equal rows the last counts."""
    import numpy as np
    import pyarrow as pa

    rows, cells = parts[0]
    if len(parts) > 1:
        rows = np.concatenate([part.rows for part in parts])
        cells = pa.concat_arrays([part.cells for part in parts])
    if (rows[1:] > rows[:-1]).all():
        return _Changes(rows, cells)
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    is_last = np.append(ascending[1:] != ascending[:-1], np.ones(min(1, len(rows)), bool))
    return _Changes(ascending[is_last], cells.take(_as_cells(order[is_last])))


def _as_cells(rows: np.ndarray) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    return numbers_as_cells(np.ascontiguousarray(rows, np.int64), pa.int64())


def _moved(changes: _Changes, kept: np.ndarray) -> _Changes:
    """Return what is left of changes if only some rows are kept, with the numbers they get."""
    import numpy as np

    rows, cells = _latest([changes])
    if not len(rows):
        return changes
    at = np.minimum(np.searchsorted(rows, kept), len(rows) - 1)
    left = np.flatnonzero(rows[at] == kept)
    return _Changes(left, cells.take(_as_cells(at[left])))


def _needed(layers: Sequence[Layer | _Kept], columns: Mapping[str, Schema]) -> list[Layer | _Kept]:
    """Return the layers that the columns are read from; the lowest has the keys of the rows."""
    missing = set(columns)
    kept: list[Layer | _Kept] = []
    for number in range(len(layers) - 1, -1, -1):
        layer = layers[number]
        if isinstance(layer, Patch) and layer.column not in missing:
            continue
        if isinstance(layer, Data):
            if number and missing.isdisjoint(layer.columns):
                continue
            missing.difference_update(layer.columns)
        kept.append(layer)
    return kept[::-1]


def _selection_at_the_top(layers: Sequence[Layer | _Kept]) -> int | None:
    """Return the place of a selection of rows that nothing but patches lies above, if any."""
    for number in range(len(layers) - 1, -1, -1):
        layer = layers[number]
        if isinstance(layer, Take | _Kept):
            return number
        if not isinstance(layer, Patch):
            return None
    return None


def _top_patches(layers: Sequence[Layer | _Kept], column: str) -> list[Patch]:
    """Return the patches of a column that lie above all else that makes it, newest first."""
    found: list[Patch] = []
    for layer in reversed(layers):
        if isinstance(layer, Take | _Kept | Concat):
            break
        if isinstance(layer, Data) and column in layer.columns:
            break
        if isinstance(layer, Patch) and layer.column == column:
            found.append(layer)
    return found
