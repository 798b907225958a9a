"""Annotations of COCO files that say the same as another of their image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tlc.importers.coco_arrays import as_arrow, as_numbers, known, starts_of
from tlc.importers.report import Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.importers.report import Problems

    Array = npt.NDArray[Any]
    Keys = npt.NDArray[np.uint64]

_FACTOR = np.uint64(0x9E37_79B9_7F4A_7C15)
_SHIFT = np.uint64(29)
# Of outlines, so many numbers are looked at; those that are alike in these are compared in full.
_SAMPLES = 4


def note_duplicates(
    batch: pa.Table, shapes: tuple[str, ...], file: str, problems: Problems
) -> None:
    """Note the annotations that have image, category and shape of an earlier one.

    Args:
        batch: Annotations in the order of their images; all of each image.
        shapes: Names of the columns that are their shapes.
        file: What to call the file.
        problems: Gets the notes.
    """
    columns = {name: batch.column(name).combine_chunks() for name in ("row", "label", *shapes)}
    places = _alike(columns, shapes)
    if not places.size:
        return
    cells = [columns[name].take(as_arrow(places)).to_pylist() for name in columns]
    first: dict[str, int] = {}
    found = []
    for place, values in zip(places.tolist(), zip(*cells, strict=True), strict=True):
        earlier = first.setdefault(repr(values), place)
        if earlier != place:
            found.append((place, earlier))

    def problem(number: int) -> Problem:
        place, earlier = found[number]
        return Problem(
            code="DUP_ROW",
            file=file,
            record=_record(batch, place),
            message=f"image, category and shape are those of {_record(batch, earlier)}",
        )

    problems.note_all("DUP_ROW", len(found), problem)


def _record(batch: pa.Table, place: int) -> str:
    number, id_ = (batch.column(name)[place].as_py() for name in ("number", "id"))
    return f"annotations[{number}]" + ("" if id_ is None else f" (id {id_})")


def _alike(columns: dict[str, pa.Array], shapes: tuple[str, ...]) -> Array:
    """Return where annotations stand that may be the same as another, in ascending order."""
    rows, labels = as_numbers(columns["row"]), as_numbers(columns["label"])
    keys = (rows.astype(np.uint64) << np.uint64(32)) | labels.view(np.uint32)
    there = np.zeros(len(keys), np.bool_)
    for name in shapes:
        for values in _essence(columns[name], there):
            keys = _mixed(keys, values)
    drawn = np.flatnonzero(there)
    keys = keys if drawn.size == keys.size else keys[drawn]
    ordered = np.sort(keys)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    if not again.size:
        return again
    return drawn[np.isin(keys, again)]


def _mixed(keys: Keys, values: Keys) -> Keys:
    """Return keys that differ, but for chance, where keys or values did."""
    keys = (keys ^ values) * _FACTOR
    keys ^= keys >> _SHIFT
    return keys


def _essence(cells: pa.Array, there: npt.NDArray[np.bool_]) -> list[Keys]:
    """Return numbers that differ where shapes do, or nearly always; mark the shapes `there` are."""
    if pa.types.is_fixed_size_list(cells.type):
        there |= known(cells)
        size = cells.type.list_size
        numbers = cells.values.slice(cells.offset * size, len(cells) * size)
        return list(as_numbers(numbers).reshape(-1, size).view(np.uint64).T)
    starts, values = _flat(cells)
    lengths = np.diff(starts)
    there |= lengths > 0
    if not values.size:
        return []
    steps = np.arange(_SAMPLES, dtype=np.int64)
    at = starts[:-1, None] + (lengths[:, None] * steps) // _SAMPLES
    samples = values[np.minimum(at, values.size - 1)]
    samples[lengths == 0] = 0
    return [lengths.astype(np.uint64), *samples.astype(np.uint64).T]


def _flat(cells: pa.Array) -> tuple[Array, Array]:
    """Return where the numbers of each cell start, and the numbers of all as bits."""
    if pa.types.is_binary(cells.type):
        offsets = np.frombuffer(cells.buffers()[1], np.int32)
        offsets = offsets[cells.offset : cells.offset + len(cells) + 1].astype(np.int64)
        data = cells.buffers()[2]
        return offsets, np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
    starts = starts_of(cells).astype(np.int64)
    values = cells.flatten()
    if pa.types.is_list(values.type):
        starts, values = starts_of(values).astype(np.int64)[starts], values.flatten()
    return starts, as_numbers(values).view(np.uint32)
