"""Detection: which true instances a model keeps missing, epoch after epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlc import constants
from tlc.constants import EPOCH, EXAMPLE_ID
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.scores import Scores
from tlc.errors import MetricsError
from tlc.format.plain import combine, numbers_of, validity_of
from tlc.helpers import AnnotationHelper, AnnotationType
from tlc.metrics.collectors.instance_metrics_collector import IS_FALSE_NEGATIVE
from tlc.metrics.quality.columns import PREDICTED, fitting_column
from tlc.schemas import Float32Schema, Int32Schema
from tlc.table.paths import is_list, lengths_of

if TYPE_CHECKING:
    import pyarrow as pa

    from tlc.dynamics.metrics_parts import AnyTable
    from tlc.run import Run
    from tlc.run.metrics_reader import MetricsPart
    from tlc.table import Table

    Ints = npt.NDArray[np.int64]

_LISTS = (constants.INSTANCES, constants.RLES, constants.BOUNDING_BOX_LIST)


def missed_instances(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = None,
    epoch: str = EPOCH,
    column: str | None = None,
    missed: str = IS_FALSE_NEGATIVE,
) -> Scores:
    """Return in how many epochs each true instance was missed.

    An instance that is never found has a wrong class or place, or is hard; one that is found in
    some epochs only is unstable. This is `forgetting` and correctness of `cartography` for boxes,
    masks or poses, with "matched at the collector's threshold" in place of "predicted right".
    Crowds are never missed.

    Instances are known by their number in the row. Rows that have another number of instances in
    `table` than when metrics were collected are left out as a whole. If instances were moved,
    reordered or exchanged by others, the numbers are about what was there then.

    Args:
        run: The run; its metrics are those of `tlc.metrics.InstanceMetricsCollector`.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first, or a slice of them; None for all.
        epoch: Column, or constant, with the number of the epoch.
        column: The table's column of true instances; None for the first that the predictions fit.
        missed: Metrics column with a boolean for each true instance.

    Returns:
        For each instance, as Arrow lists, null for rows without metrics or left out:
        `times_missed`, int32, and `match_share`, float32, the share of epochs in which it was
        found. For each row, NaN likewise, float32: `never_found`, `sometimes_found` and
        `always_found`, numbers of instances. And `instance_epochs`, int32, the number of epochs.

    Raises:
        ColumnNotFoundError: No metrics have this column, or the table has no such column.
        SchemaError: `column` holds no annotations.
        MetricsError: The epochs cannot be told, see `Epochs`; the metrics column does not hold
            lists of booleans, or the table has no instances.
    """
    found = Epochs(run, table, [missed], split=split, epochs=epochs, epoch=epoch)
    counts = instance_counts(found.table, column or true_column(found.table, found.parts[0]))
    tally = _Tally(counts)
    for _, tables in found.tables():
        tally.add([_flags(read, missed, part) for part, read in tables])
    schemas = {
        "times_missed": Int32Schema(shape=(-1,)),
        "match_share": Float32Schema(shape=(-1,)),
    }
    return Scores(
        found.table, tally.columns(), schemas, description=f"missed instances of {run.name}"
    )


def instance_counts(table: Table, column: str) -> Ints:
    """Return the number of instances in each row, int64 of shape ``(len(table),)``.

    Raises:
        ColumnNotFoundError: There is no such column.
        SchemaError: It holds no annotations.
        MetricsError: Its annotations are no instances.
    """
    if AnnotationHelper.get(table, column).type is AnnotationType.SEMANTIC_SEGMENTATION:
        raise MetricsError(f"Column {column!r} of {table.url} has classes of pixels, no instances.")
    cells = table.column(column)
    name = next(each for each in _LISTS if cells.type.get_field_index(each) >= 0)
    lengths, valid = lengths_of(cells.field(name)), validity_of(cells)
    return lengths if valid is None else np.where(valid, lengths, 0)


def as_lists(values: npt.NDArray[Any], counts: Ints, is_known: npt.NDArray[np.bool_]) -> pa.Array:
    """Return numbers of instances as an Arrow list for each row.

    Args:
        values: One number for each instance of all rows, one after the other.
        counts: Number of instances in each row, shape (rows,).
        is_known: Which rows have a list; null for the others.
    """
    import pyarrow as pa

    offsets = pa.array(np.append(0, counts.cumsum()).astype(np.int32))
    mask = None if is_known.all() else pa.array(~is_known)
    return pa.ListArray.from_arrays(offsets, pa.array(values), mask=mask)


def places_of(rows: Ints, lengths: Ints, counts: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return where the instances of some rows lie among those of all rows.

    Args:
        rows: Row numbers.
        lengths: How many instances each of them has here.
        counts: How many instances each row of the table has.

    Returns:
        The place of each instance, and whether its row has as many instances in the table: if not,
        the place means nothing.
    """
    starts = np.asarray((counts.cumsum() - counts)[rows] - (lengths.cumsum() - lengths), np.int64)
    places = np.repeat(starts, lengths) + np.arange(int(lengths.sum()))
    return places, np.repeat(lengths == counts[rows], lengths)


class _Tally:
    """Counts, for all instances one after the other, in how many epochs each was missed."""

    def __init__(self, counts: Ints) -> None:
        self._counts = counts
        self._missed = np.zeros(counts.sum(), np.int32)
        self._epochs = np.zeros(len(counts), np.int32)
        self._is_other = np.zeros(len(counts), bool)

    def add(self, parts: list[tuple[Ints, Ints, npt.NDArray[np.bool_]]]) -> None:
        """Take in an epoch: rows, the number of instances in each, and whether each is missed."""
        is_missed, is_there = np.zeros(len(self._missed), bool), np.zeros(len(self._counts), bool)
        for rows, lengths, flags in parts:
            self._is_other[rows[lengths != self._counts[rows]]] = True
            places, fits = places_of(rows, lengths, self._counts)
            is_missed[places[fits]] = flags[fits]
            is_there[rows] = True
        self._missed += is_missed
        self._epochs += is_there

    def columns(self) -> dict[str, Any]:
        """Return what was counted."""
        is_known = (self._epochs > 0) & ~self._is_other
        owner = np.repeat(np.arange(len(self._counts)), self._counts)
        epochs = self._epochs[owner]
        with np.errstate(invalid="ignore"):
            share = (1 - self._missed / epochs).astype(np.float32)
        never, always = self._missed == epochs, self._missed == 0
        some = ~never & ~always
        return {
            "times_missed": as_lists(self._missed, self._counts, is_known),
            "match_share": as_lists(share, self._counts, is_known),
            **{
                name: np.where(
                    is_known, np.bincount(owner[which], minlength=len(self._counts)), np.nan
                ).astype(np.float32)
                for name, which in (
                    ("never_found", never),
                    ("sometimes_found", some),
                    ("always_found", always),
                )
            },
            "instance_epochs": np.where(self._is_other, 0, self._epochs).astype(np.int32),
        }


def _flags(
    read: pa.Table, name: str, part: MetricsPart
) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    cells = combine(read.column(name))
    if not is_list(cells.type) or str(cells.type.value_type) != "bool":
        raise MetricsError(
            f"Column {name!r} of {part.metrics.url} holds {cells.type}, not lists of booleans."
        )
    rows = numbers_of(combine(read.column(EXAMPLE_ID)))
    valid = validity_of(cells)
    if valid is not None:
        rows, cells = rows[valid], cells.drop_null()
    return rows, lengths_of(cells), numbers_of(cells.flatten())


def true_column(table: Table, part: MetricsPart) -> str:
    """Return the column of true instances that predictions of a metrics table were held against.

    Raises:
        MetricsError: There is none.
    """
    kinds = [kind for kind, name in PREDICTED.items() if name in part.metrics.columns]
    fitting = fitting_column(table, kinds[0]) if kinds else None
    found = fitting or next(iter(AnnotationHelper.find(table)), None)
    if found is None:
        raise MetricsError(f"{table.url} has no column of annotations.", hint="name another table.")
    return found.name
