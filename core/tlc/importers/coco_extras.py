"""Members of records of COCO files that only some files have: one column for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tlc.importers.coco_arrays import EXTRA, JSON, converted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    import numpy.typing as npt

    from tlc.importers.spill import Spill


def extra_columns(batch: pa.RecordBatch, kinds: Mapping[str, pa.DataType]) -> dict[str, pa.Array]:
    """Return the columns of all extra members, each of the type that it has everywhere."""
    there = set(batch.schema.names)
    found = {}
    for member, kind in kinds.items():
        name = f"{EXTRA}{member}"
        cells = converted(batch[name] if name in there else pa.nulls(batch.num_rows), kind)
        found[name] = cells.cast(pa.string()) if cells.type == JSON else cells
    return found


class ImageExtras:
    """Extra members of images, to be taken in their order.

    Args:
        spill: Batches of images.
        kinds: Type of each member.
        kept: Which images become rows.
    """

    def __init__(
        self, spill: Spill, kinds: Mapping[str, pa.DataType], kept: npt.NDArray[np.bool_]
    ) -> None:
        self._kinds, self._kept = kinds, kept
        self._batches = self._all(spill)
        self._waiting: list[pa.RecordBatch] = []

    def take(self, count: int) -> dict[str, pa.Array]:
        """Return the members of so many images that come next."""
        if not self._kinds or not count:
            return {}
        held = sum(batch.num_rows for batch in self._waiting)
        while held < count:
            self._waiting.append(next(self._batches))
            held += self._waiting[-1].num_rows
        table = pa.Table.from_batches(self._waiting)
        self._waiting = table.slice(count).to_batches()
        taken = table.slice(0, count)
        return {name: taken.column(f"{EXTRA}{name}").combine_chunks() for name in self._kinds}

    def _all(self, spill: Spill) -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in spill.taken():
            kept = self._kept[start : start + batch.num_rows]
            start += batch.num_rows
            whole = pa.RecordBatch.from_pydict(extra_columns(batch, self._kinds))
            yield whole if kept.all() else whole.filter(pa.array(kept))
