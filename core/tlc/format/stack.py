"""Reading the rows that a stack of layers makes, as many at a time as one likes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tlc.format.dictionaries import plain_cells
from tlc.format.manifest import Concat, Data, FileEntry, Patch, Stack, Take
from tlc.format.nodes import Node, Place, make_nodes
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tlc.schemas import Schema


class StackReader:
    """Columns of the rows that a stack of layers makes.

    Threads may share it. What it keeps is small: footers, patches and selections of rows.

    Args:
        stack: The layers.
        folder: The object's folder, which the paths of the files are relative to.
        types: Arrow types of the columns; cells are cast if they were stored otherwise.
        schemas: Schemas of the columns whose relative urls are to be made absolute.

    Attributes:
        types: Arrow types of the columns.
        row_count: Number of rows.
    """

    def __init__(
        self,
        stack: Stack,
        folder: Url,
        types: Mapping[str, pa.DataType],
        schemas: Mapping[str, Schema],
    ) -> None:
        self.types = types
        self.row_count = stack.row_count
        self._place = Place(folder, types, schemas)
        self._stack = stack

    def identity(self, name: str) -> bytes | None:
        """Return what tells the cells of a column from those of all others.

        None if nothing does: of a file that is not finished no digest is known.
        """
        made_of = _made_of(self._stack, name, self._place.folder)
        return None if made_of is None else repr((name, str(self.types[name]), made_of)).encode()

    @cached_property
    def _top(self) -> Node:
        return make_nodes(self._stack, self._place)

    def bounds(self) -> list[int]:
        """Return where the parts begin that are cheap to read at once, and the number of rows.

        Raises:
            CorruptObjectError: A file is missing or damaged, or the layers contradict each other.
        """
        return self._top.bounds()

    def read(
        self, names: Sequence[str], start: int, stop: int, *, coded: bool = False
    ) -> dict[str, pa.Array]:
        """Return some columns of the rows from `start` to `stop`, without that.

        Args:
            names: The columns.
            start: First row.
            stop: Row after the last.
            coded: Whether texts may be codes of a dictionary, if they lie like that in the files.

        Raises:
            CorruptObjectError: A file is missing or damaged, or no layer has a column.
        """
        columns = self._top.read(list(names), start, stop)
        return columns if coded else {name: plain_cells(c) for name, c in columns.items()}

    def read_column(self, name: str) -> pa.Array:
        """Return all of a column.

        Raises:
            CorruptObjectError: See `read`.
        """
        return self.read([name], 0, self._top.row_count)[name]


def _made_of(stack: Stack, name: str, folder: Url) -> list[Any] | None:
    """Return the layers that make a column, as far as they do, with the urls of their files."""
    found: list[Any] = []
    for layer in reversed(stack.layers):
        kind = type(layer).__name__
        if isinstance(layer, Concat):
            found.append((kind, [_made_of(part, name, folder) for part in layer.inputs]))
            return None if None in found[-1][1] else found
        entries: tuple[FileEntry, ...] = layer.files if isinstance(layer, Data) else (layer.file,)
        if isinstance(layer, Take) or name in _columns_of(layer):
            if not all(entry.digest for entry in entries):
                return None
            found.append((kind, [file_identity(entry, folder) for entry in entries]))
            if isinstance(layer, Data):
                break
    return found


def _columns_of(layer: Data | Patch) -> tuple[str, ...]:
    return layer.columns if isinstance(layer, Data) else (layer.column,)


def file_identity(entry: FileEntry, folder: Url) -> tuple[Any, ...]:
    """Return what is equal for two entries of one file, which has to be finished."""
    # Its place too: whoever makes a table can write any digest into its manifest.
    place = Url(entry.path).to_absolute(folder).to_str()
    return place, entry.digest, entry.footer, entry.length, entry.rows
