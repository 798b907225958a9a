"""The epochs of a run, one after the other, as arrays with one number for each row of a table."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.constants import EPOCH
from tlc.dynamics.metrics_parts import find_parts, piece_of
from tlc.errors import ColumnError, MetricsError, OptionError
from tlc.run.reducing import span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tlc.dynamics.metrics_parts import AnyTable as AnyTable
    from tlc.dynamics.metrics_parts import Piece
    from tlc.run import Run
    from tlc.run.metrics_reader import MetricsPart

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Epoch:
    """What was stored in one epoch.

    Attributes:
        number: Which epoch.
        values: Column to floats of shape ``(len(table),)``, or ``(len(table), d)`` of vectors; NaN
            for rows that were not collected, and where nothing is stored.
    """

    number: float
    values: Mapping[str, npt.NDArray[Any]]


class Epochs:
    """The epochs of a run in rising order, read one by one when they are iterated.

    Of a row that was collected several times in one epoch the last time counts, in the order in
    which the metrics tables were added. Metrics tables without a number of the epoch are an epoch
    each, counted from 0.

    Args:
        run: The run.
        table: The table whose rows are meant; metrics about another revision, split or join of the
            same rows count too. None for the one table that the metrics are about.
        columns: Metrics columns. Metrics tables that lack one are left out.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first; or a slice of them; None for all.
        epoch: Metrics column, or constant, with the number of the epoch.
        vectors: Whether the columns hold lists of numbers, all of one length, instead of numbers.

    Attributes:
        table: The table.
        numbers: Numbers of the epochs.

    Raises:
        ColumnNotFoundError: No metrics have all those columns.
        MetricsError: There is no epoch; the metrics are about several tables, or about no row of
            `table`; or only some have an epoch.
        ObjectNotFoundError: The table that the metrics are about is no longer there.
        OptionError: `epochs` is a number below 1, or neither a number nor a slice.
    """

    def __init__(
        self,
        run: Run,
        table: AnyTable | None,
        columns: Sequence[str],
        *,
        split: str | None = None,
        epochs: int | slice | None = None,
        epoch: str = EPOCH,
        vectors: bool = False,
    ) -> None:
        chosen = _chosen(epochs)
        self.table, self._parts = find_parts(run, table, columns, split)
        self._columns, self._vectors = columns, vectors
        self._schedule = _schedule(self._parts, epoch)
        self.numbers = sorted(self._schedule)[chosen]
        if not self._schedule:
            raise self._unreadable()
        if not self.numbers:
            raise MetricsError(
                f"There are no such epochs in {run.url}: {epochs}.",
                hint=f"it has {len(self._schedule)}.",
            )

    @property
    def parts(self) -> list[MetricsPart]:
        """The metrics tables that hold these epochs, in the order in which they were added."""
        held = {part for number in self.numbers for part, _ in self._schedule[number]}
        return [part for part in self._parts if part in held]

    def __iter__(self) -> Iterator[Epoch]:
        """Yield what was stored in each epoch; epochs of which nothing can be read are left out.

        Raises:
            MetricsError: A column does not hold numbers, or nothing can be read at all.
            ColumnError: A column does not hold vectors of one length.
        """
        for number, tables in self.tables():
            pieces = [
                piece_of(read, self._columns, part, vectors=self._vectors) for part, read in tables
            ]
            yield Epoch(number, {name: self._dense(pieces, name) for name in self._columns})

    def tables(self) -> Iterator[tuple[float, list[tuple[MetricsPart, pa.Table]]]]:
        """Yield the number of each epoch, and what its metrics tables hold of it.

        Those are Arrow tables with ``example_id``, a row number of `table`, and the columns.

        Raises:
            MetricsError: Nothing can be read at all.
        """
        return self._tables(self.numbers)

    def _tables(
        self, numbers: Sequence[float]
    ) -> Iterator[tuple[float, list[tuple[MetricsPart, pa.Table]]]]:
        kept, is_empty = _Kept(), True
        for number in numbers:
            tables = [
                (part, read)
                for part, order in self._schedule[number]
                if (read := kept.read(part, order, number)) is not None
            ]
            if tables:
                is_empty = False
                yield number, tables
        if is_empty:
            raise self._unreadable()

    def _unreadable(self) -> MetricsError:
        return MetricsError(
            f"No metrics about rows of {self.table.url} can be read.",
            hint="a warning names each that is damaged; others are about rows it lacks.",
        )

    def _dense(self, pieces: Sequence[Piece], name: str) -> npt.NDArray[Any]:
        count = len(self.table)
        found = [(rows, span(rows), values[name]) for rows, values in pieces]
        # Vectors that are all missing have no length.
        shapes = {values.shape[1:] for *_, values in found} - {(0,)} or {(0,)}
        if len(shapes) > 1:
            raise ColumnError(f"The vectors in column {name!r} differ in length.")
        if len(found) == 1 and found[0][1] == slice(0, count):
            return found[0][2]
        shape = shapes.pop()
        kind = np.result_type(*(values.dtype for *_, values in found))
        dense = np.full((count, *shape), np.nan, kind)
        for rows, where, values in found:
            known = values if values.shape[1:] == shape else np.nan
            dense[rows if where is None else where] = known
        return dense


@dataclass(frozen=True, eq=False)
class _Order:
    """Where each epoch lies in a metrics table that holds several."""

    order: npt.NDArray[np.int64] | None
    starts: Mapping[float, slice]


class _Kept:
    """Reads metrics tables; what holds several epochs stays in memory until the next such one."""

    def __init__(self) -> None:
        self._kept: tuple[MetricsPart, pa.Table | None] | None = None

    def read(self, part: MetricsPart, order: _Order | None, number: float) -> pa.Table | None:
        if order is None:
            return part.read()
        if self._kept is None or self._kept[0] is not part:
            self._kept = part, part.read()
        whole, where = self._kept[1], order.starts[number]
        if whole is None:
            return None
        if order.order is not None:
            return whole.take(order.order[where])
        return whole.slice(where.start, where.stop - where.start)


def _schedule(
    parts: Sequence[MetricsPart], epoch: str
) -> dict[float, list[tuple[MetricsPart, _Order | None]]]:
    """Return epoch to the metrics tables that hold it, in the order they were added."""
    found: dict[float, list[tuple[MetricsPart, _Order | None]]] = {}
    numbered = [epoch in part.info.constants or epoch in part.metrics.columns for part in parts]
    if any(numbered) and not all(numbered):
        raise MetricsError(
            f"{parts[numbered.index(False)].metrics.url} has no {epoch!r}, but "
            f"{parts[numbered.index(True)].metrics.url} has.",
            hint="choose some of them with split=, or name another column with epoch=.",
        )
    for place, part in enumerate(parts):
        if not numbered[place]:
            found[float(place)] = [(part, None)]
            continue
        for number, order in _numbers(part, epoch):
            found.setdefault(number, []).append((part, order))
    return found


def _numbers(part: MetricsPart, epoch: str) -> list[tuple[float, _Order | None]]:
    """Return the epochs in a metrics table, and where they lie if there are several."""
    constant = part.info.constants.get(epoch)
    if constant is not None:
        if type(constant) not in (int, float) or constant != constant:
            raise MetricsError(f"{epoch!r} of {part.metrics.url} is {constant!r}, not a number.")
        return [(float(constant), None)]
    stored = part.numbers(epoch)
    numbers = np.concatenate([np.empty(0), *(values for _, values in stored)])
    if np.isnan(numbers).any() or (len(numbers) and part.metrics.column(epoch).null_count):
        raise MetricsError(f"Some rows of {part.metrics.url} have no {epoch!r}.")
    if not len(numbers):
        return []
    if (numbers == numbers[0]).all():
        return [(float(numbers[0]), None)]
    order = None
    if not (numbers[1:] >= numbers[:-1]).all():
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
    starts = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    ends = [*starts[1:].tolist(), len(numbers)]
    slices = {
        float(numbers[start]): slice(start, end)
        for start, end in zip(starts.tolist(), ends, strict=True)
    }
    return [(number, _Order(order, slices)) for number in slices]


def _chosen(epochs: int | slice | None) -> slice:
    if epochs is None or isinstance(epochs, slice):
        return epochs or slice(None)
    try:
        count = index(epochs)
    except TypeError:
        count = 0
    if count < 1:
        raise OptionError(
            f"epochs={epochs!r} is not possible.",
            hint="give how many epochs, from the first, 1 or more; or a slice of them.",
        )
    return slice(count)
