"""Readers of cells in sample form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tlc.errors import CellError, ImageReadError, TlcError
from tlc.format.plain import validity_of
from tlc.sample_types.arrays import NumpyArraySampleType, TorchTensorSampleType
from tlc.sample_types.base import LateSampleType
from tlc.sample_types.plain import UrlSampleType
from tlc.table.cells import CellReader, starts_of_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.sample_types import SampleType
    from tlc.url import Url


class Place(NamedTuple):
    """Where cells are, for messages.

    Attributes:
        url: The table.
        column: Name of the column.
        first: Number of the row of the first cell.
    """

    url: Url
    column: str
    first: int


def sample_reader(
    cells: CellReader, array: pa.Array, sample_type: SampleType, place: Place
) -> CellReader:
    """Return a reader of the samples that `sample_type` makes of the cells of `array`."""
    if sample_type.is_identity or _is_as_stored(array, sample_type):
        return cells
    if isinstance(sample_type, LateSampleType):
        return _LateSamples(cells, array, sample_type, place)
    as_arrays = type(sample_type) in (NumpyArraySampleType, TorchTensorSampleType)
    if as_arrays and array.null_count == 0 and len(array) and cells.array(0) is not None:
        return _ArraySamples(cells, sample_type)
    return (_NumberSamples if as_arrays else _Samples)(cells, sample_type, place)


def _is_as_stored(array: pa.Array, sample_type: SampleType) -> bool:
    """Whether the cells are local paths, which are the same in samples."""
    if type(sample_type) is not UrlSampleType:
        return False
    starts = starts_of_texts(array)
    return bool((starts == ord("/")).all())


class _Samples(CellReader):
    """Samples that are made one by one; errors name the row."""

    def __init__(self, cells: CellReader, sample_type: SampleType, place: Place) -> None:
        read, from_row = cells.one, sample_type.from_row

        def one(row: int) -> Any:
            cell = read(row)
            try:
                return None if cell is None else from_row(cell)
            except (TlcError, OSError, ValueError, TypeError) as error:
                raise _unreadable(place, row, error) from error

        self.one = one


class _LateSamples(CellReader):
    """Samples that are decoded when somebody looks at them; errors come then, and name the row."""

    def __init__(
        self, cells: CellReader, array: pa.Array, sample_type: LateSampleType, place: Place
    ) -> None:
        whole = cells.of_valid()

        def read(row: int) -> Any:
            try:
                return whole.decoded(row)
            except (TlcError, OSError, ValueError, TypeError) as error:
                raise _unreadable(place, row, error) from error

        def part(path: Sequence[str]) -> Callable[[int], Any] | None:
            reader = whole.part(path)
            return None if reader is None else reader.decoder()

        late = sample_type.late(read, part)
        valid = validity_of(array)
        if valid is None:
            self.one = late
        else:
            is_valid = valid.data
            self.one = lambda row: late(row) if is_valid[row] else None


class _NumberSamples(_Samples):
    """Arrays and tensors."""

    def __init__(self, cells: CellReader, sample_type: SampleType, place: Place) -> None:
        super().__init__(cells, sample_type, place)
        self._cells = cells

    def arrays(self, rows: np.ndarray) -> np.ndarray | None:
        return self._cells.arrays(rows)


class _ArraySamples(CellReader):
    """Arrays and tensors that are made without a detour by lists; none is missing."""

    def __init__(self, cells: CellReader, sample_type: SampleType) -> None:
        self._cells = cells
        array, from_row = cells.array, sample_type.from_row
        self.one = lambda row: from_row(array(row))

    def arrays(self, rows: np.ndarray) -> np.ndarray | None:
        return self._cells.arrays(rows)


def _unreadable(place: Place, row: int, error: Exception) -> TlcError:
    reason = getattr(error, "message", str(error))
    row += place.first
    where = f"Row {row}, column {place.column!r} of {place.url}: {reason}"
    hint = getattr(error, "hint", "") or "correct the file, or delete the row in a new revision."
    if isinstance(error, ImageReadError):
        return ImageReadError(where, hint=hint)
    return CellError(where, column=place.column, row=row, hint=hint)
