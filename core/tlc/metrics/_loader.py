"""Batches of a table in row order, with the row numbers they came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc._optional import loaded, require
from tlc.errors import MetricsError, WeightError
from tlc.metrics._origin import Origin
from tlc.metrics._pickling import check_picklable

if TYPE_CHECKING:
    from tlc.format.ranks import Ranks

__all__ = ["DEFAULT_BATCH_SIZE", "RowPlan", "batches", "rows_to_collect"]

DEFAULT_BATCH_SIZE = 32

REFUSED = {
    "dataset": "the table is the dataset",
    "shuffle": "metrics must line up with the rows of the table, which are read in order",
    "sampler": "metrics must line up with the rows of the table, which are read in order",
    "batch_sampler": "metrics must line up with the rows of the table, which are read in order",
    "drop_last": "the last rows of the table would get no metrics",
}
"""Arguments of a ``DataLoader`` that must stay unset, and why."""


class RowPlan:
    """The rows of a table to visit, in order, cut into batches when they are asked for.

    It is the batch sampler of the loader. Without `chosen` it keeps nothing, however long the
    table.

    Args:
        count: Number of rows of the table.
        chosen: Numbers of the rows to visit; None for all.
        start: Number of the first row, where none are chosen.
    """

    def __init__(
        self, count: int, chosen: np.ndarray[Any, Any] | None = None, start: int = 0
    ) -> None:
        self.chosen = chosen
        self.count = count if chosen is None else len(chosen)
        self.size = DEFAULT_BATCH_SIZE
        self._start = start

    def share(self, ranks: Ranks) -> RowPlan:
        """Return the block of the rows that is a rank's."""
        start, stop = ranks.block(self.count)
        chosen = None if self.chosen is None else self.chosen[start:stop]
        return RowPlan(stop - start, chosen, self._start + start)

    def batches(self) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the row numbers of each batch."""
        for start in range(0, self.count, self.size):
            stop = min(start + self.size, self.count)
            if self.chosen is None:
                yield np.arange(self._start + start, self._start + stop)
            else:
                yield self.chosen[start:stop]

    def __iter__(self) -> Iterator[list[int]]:
        return (rows.tolist() for rows in self.batches())

    def __len__(self) -> int:
        return -(-self.count // self.size)


def rows_to_collect(table: Sized, *, exclude_zero_weights: bool) -> RowPlan:
    """Return which samples to visit; of a torch ``Subset``, numbered within it.

    Raises:
        WeightError: Rows of weight zero are to be left out, but the table has no weights.
    """
    if not exclude_zero_weights:
        return RowPlan(len(table))
    origin = Origin.of(table)
    column = getattr(origin.table, "weights_column_name", None)
    if column is None:
        raise WeightError(
            "Rows of weight zero cannot be left out: the table has no weight column.",
            hint="pass exclude_zero_weights=False, or add a column with SampleWeightSchema.",
        )
    weights = origin.table.get_column_as_pyarrow_array(column).to_numpy(zero_copy_only=False)
    if origin.rows is not None:
        weights = weights[origin.rows]
    return RowPlan(len(table), np.flatnonzero(weights != 0))


def batches(
    table: Any, plan: RowPlan, arguments: Mapping[str, Any]
) -> Iterator[tuple[np.ndarray[Any, Any], Any]]:
    """Return row numbers and batch, for all rows of the plan in their order.

    What can be known to fail fails at once, before the first batch is asked for.

    Args:
        table: A map-style dataset.
        plan: The rows.
        arguments: Arguments of ``torch.utils.data.DataLoader``; the batch size is 32 unless it is
            given.

    Raises:
        MetricsError: An argument would break the order of the rows, or samples cannot be batched.
        NotPicklableError: Something must travel to worker processes and cannot.
    """
    data = require("torch.utils.data", extra="torch", purpose="to load batches")
    loader_arguments, plan.size = _checked(arguments)
    if loader_arguments.get("num_workers"):
        check_picklable(table, loader_arguments)
    loader = data.DataLoader(table, batch_sampler=plan, **loader_arguments)
    return _paired(plan, loader)


def _paired(plan: RowPlan, loader: Iterable[Any]) -> Iterator[tuple[np.ndarray[Any, Any], Any]]:
    for rows, batch in zip(plan.batches(), loader, strict=True):
        if isinstance(batch, _Unbatchable):
            raise MetricsError(batch.message, hint=batch.hint)
        yield rows, batch


def _checked(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    for name, reason in REFUSED.items():
        if (value := arguments.get(name)) is not None and value is not False:
            raise MetricsError(
                f"dataloader_args={{{name!r}: ...}} is not possible here: {reason}.",
                hint=f"leave {name!r} out.",
            )
    if arguments.get("in_order", True) is False:
        raise MetricsError(
            "dataloader_args={'in_order': False} is not possible here: rows are read in order.",
            hint="leave 'in_order' out.",
        )
    size = arguments.get("batch_size", DEFAULT_BATCH_SIZE)
    if not isinstance(size, int) or size < 1:
        raise MetricsError(f"The batch_size is {size!r}.", hint="give a positive integer.")
    kept = {k: v for k, v in arguments.items() if k not in REFUSED and k != "batch_size"}
    if kept.get("collate_fn") is None:
        kept["collate_fn"] = collate
    return kept, size


@dataclass(frozen=True)
class _Unbatchable:
    """Says why samples could not be batched.

    It is returned in place of a batch: an error raised in a worker would reach the caller as the
    text of a traceback.
    """

    message: str
    hint: str


def collate(samples: list[Any]) -> Any:
    """Return the samples as one batch, as torch does by default, or say why that cannot be."""
    data = require("torch.utils.data", extra="torch", purpose="to load batches")
    try:
        return data.default_collate(samples)
    except (TypeError, RuntimeError, ValueError, KeyError):
        reason = _why_not(samples)
        if reason is None:
            raise
        return reason


def _why_not(samples: list[Any]) -> _Unbatchable | None:
    for name, values in _parts(samples):
        images = loaded("PIL.Image")
        if images is not None and isinstance(values[0], images.Image):
            return _Unbatchable(
                f"{name} is a PIL image, which torch cannot put in a batch.",
                "make tensors first: collect from table.with_transform(to_tensors).",
            )
        if not _batchable(values[0]):
            return _Unbatchable(
                f"{name} is of type {type(values[0]).__name__!r}, which torch cannot batch.",
                "make a tensor of it, or leave it out, in table.with_transform(...), or give"
                " dataloader_args={'collate_fn': ...}.",
            )
        if len({_size(value) for value in values}) > 1:
            return _Unbatchable(
                f"{name} differs in size from sample to sample, so torch cannot put it in a batch.",
                "make the sizes equal, or leave it out, in table.with_transform(...), or give"
                " dataloader_args={'collate_fn': ...}.",
            )
    return None


def _parts(samples: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield what is to be batched together, with a name for it."""
    first = samples[0]
    if isinstance(first, Mapping):
        for key in first:
            yield f"Column {key!r} of the samples", [s[key] for s in samples if key in s]
    elif isinstance(first, (tuple, list)):
        for i, _ in enumerate(first):
            yield f"Part {i} of the samples", [s[i] for s in samples if i < len(s)]
    else:
        yield "Each sample", samples


def _batchable(value: Any) -> bool:
    torch = loaded("torch")
    kinds = (int, float, str, bytes, Mapping, tuple, list, np.ndarray, np.generic)
    return isinstance(value, kinds) or (torch is not None and isinstance(value, torch.Tensor))


def _size(value: Any) -> Any:
    if isinstance(value, (list, tuple, Mapping)):
        return len(value)
    return tuple(getattr(value, "shape", ()))
