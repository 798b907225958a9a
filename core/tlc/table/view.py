"""A table seen through a transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch.utils.data import Dataset

    from tlc.table.rows import Finish
    from tlc.table.table import Table
    from tlc.url import Url

    # Type checkers take tables and views for torch datasets; at run time they need no torch.
    MapStyle = Dataset[Any]
else:
    MapStyle = object


class MapDataset(Protocol):
    """What a training loop needs of a dataset: a length, and a sample for each index."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def __getitem__(self, index: int) -> Any:
        """Return one sample."""
        ...


class TableView(MapStyle):
    """A table whose samples go through a function when they are read.

    It is a map-style dataset: hand it to a ``DataLoader``, to `tlc.collect_metrics` or to a
    trainer. The table is unchanged; a view has no schema and is not stored. Use a top-level
    function as `transform` when the view goes to worker processes, so that it can be pickled.

    Args:
        source: A table, or another view.
        transform: Gets the sample and returns what the model takes. What it raises carries a note
            of the row.

    Raises:
        TypeError: `transform` cannot be called.
    """

    def __init__(self, source: Table | TableView, transform: Callable[[Any], Any]) -> None:
        if not callable(transform):
            raise TypeError(f"transform must be callable, not {transform!r}.")
        self._source = source
        self.transform = transform

    @property
    def source(self) -> Table:
        """The table at the end of the chain of views."""
        return self._source.source if isinstance(self._source, TableView) else self._source

    @property
    def url(self) -> Url:
        """Url of the table at the end of the chain of views."""
        return self.source.url

    def with_transform(self, transform: Callable[[Any], Any]) -> TableView:
        """Return a view of this view: `transform` is applied after this view's own."""
        return TableView(self, transform)

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Any:
        return self._transformed(self._source[index], index)

    def __getitems__(self, indices: Sequence[int], finish: Finish | None = None) -> list[Any]:
        """Return several samples; what a ``DataLoader`` calls for a batch.

        Each sample is transformed as soon as it is read, so a batch of images never holds them in
        two forms at once.

        Args:
            indices: Rows.
            finish: Gets each sample and its row number; what it makes of them is returned instead.
        """
        if finish is None:
            return self._source.__getitems__(indices, self._transformed)

        def transformed(sample: Any, index: int) -> Any:
            return finish(self._transformed(sample, index), index)

        return self._source.__getitems__(indices, transformed)

    def _transformed(self, sample: Any, index: int) -> Any:
        try:
            return self.transform(sample)
        except BaseException as error:
            error.add_note(f"The transform failed at row {index} of {self.url}.")
            raise

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        name = getattr(self.transform, "__name__", repr(self.transform))
        source = self._source.url if self._source is self.source else repr(self._source)
        return f"TableView({source}, transform={name})"
