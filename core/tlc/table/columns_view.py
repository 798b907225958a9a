"""A table read a batch at a time, as columns: the fast way to feed a loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.errors import RowIndexTypeError
from tlc.table.view import MapStyle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tlc.table.table import Table
    from tlc.url import Url

__all__ = ["ColumnBatch", "ColumnsView", "collate_columns"]


class ColumnBatch(dict[str, Any]):
    """Columns of some rows, by name: NumPy arrays of numbers, lists of all else."""

    def __missing__(self, key: object) -> Any:
        """Say what to do when a loader takes this for a list of samples.

        Raises:
            RowIndexTypeError: `key` is an integer (a TypeError).
            KeyError: There is no such column.
        """
        if isinstance(key, int):
            raise RowIndexTypeError(
                "A batch of columns is no list of samples.",
                hint="give the loader collate_fn=tlc.collate_columns.",
            )
        raise KeyError(key)


class ColumnsView(MapStyle):
    """A table that gives whole batches, as columns, instead of one dictionary per row.

    It is a dataset for a ``DataLoader`` with ``collate_fn=tlc.collate_columns``. The table is
    unchanged. What a batch holds is told by `Table.get_batch`.

    Args:
        source: The table.
        columns: Names of the columns; None for those that samples have.
        transform: Gets the columns of a batch and returns what the model takes; None for the
            columns. It must be picklable if worker processes read the view.

    Raises:
        ColumnNotFoundError: There is no such column.
        TypeError: `transform` cannot be called.
    """

    def __init__(
        self,
        source: Table,
        columns: Sequence[str] | None = None,
        transform: Callable[[ColumnBatch], Any] | None = None,
    ) -> None:
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable, not {transform!r}.")
        source.get_batch([], columns)
        self.source = source
        self.columns = None if columns is None else list(columns)
        self.transform = transform

    @property
    def url(self) -> Url:
        """Url of the table."""
        return self.source.url

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int | Sequence[int]) -> Any:
        """Return a batch: that of several rows, or that of one row."""
        indices: Any = [index] if _is_integer(index) else index
        return self.__getitems__(indices)

    def __getitems__(self, indices: Sequence[int]) -> Any:
        """Return the batch of some rows; what a ``DataLoader`` calls."""
        batch = self.source.get_batch(indices, self.columns)
        return batch if self.transform is None else self.transform(batch)

    def __repr__(self) -> str:
        names = "" if self.columns is None else f", columns={self.columns!r}"
        return f"ColumnsView({self.source.url}{names})"


def collate_columns(batch: Any) -> Any:
    """Return a batch with its arrays as torch tensors, which share their memory.

    The ``collate_fn`` of a ``DataLoader`` over a `ColumnsView`. Arrays keep their type: a column of
    float32 becomes a tensor of float32. Lists stay lists.

    Args:
        batch: An array, or a dict or tuple with arrays in it.

    Raises:
        MissingExtraError: Torch is not installed.
    """
    if isinstance(batch, Mapping):
        return {name: collate_columns(part) for name, part in batch.items()}
    if isinstance(batch, tuple):
        return tuple(map(collate_columns, batch))
    if hasattr(batch, "__array_interface__"):
        torch = require("torch", extra="torch", purpose="to make tensors of columns")
        return torch.as_tensor(batch)
    return batch


def _is_integer(index: Any) -> bool:
    return hasattr(index, "__index__") and getattr(index, "shape", ()) == ()
