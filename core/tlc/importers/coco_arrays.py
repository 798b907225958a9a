"""Decoded records of a COCO file as Arrow arrays: no Python object is kept per record."""

from __future__ import annotations

import json
import re
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tlc.data_types.rle import compress
from tlc.importers.annotation_arrays import flags, lists
from tlc.importers.coco_records import Rle

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

EXTRA = "extra:"
"""What the names of columns start with that hold other members of records."""

JSON = pa.large_string()
"""Type of members that have no simple type in common: their JSON text."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_SIMPLE = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
_NO_BOX = (np.nan,) * 4


def image_batch(
    numbers: Sequence[int], records: Sequence[Any], extras: Sequence[str]
) -> pa.RecordBatch:
    """Return images: ``number``, ``id``, ``file_name``, ``width``, ``height`` and extras."""
    columns = {
        "number": as_arrow(np.array(numbers, np.int64)),
        "id": _integers(records, "id"),
        "file_name": _texts([record.file_name for record in records]),
        "width": as_arrow(_floats(records, "width")),
        "height": as_arrow(_floats(records, "height")),
    }
    return pa.RecordBatch.from_pydict(columns | _extras(records, extras))


def annotation_batch(
    numbers: Sequence[int], records: Sequence[Any], extras: Sequence[str]
) -> pa.RecordBatch:
    """Return annotations: what all have, what their task needs, and extras."""
    columns = {
        "number": as_arrow(np.array(numbers, np.int64)),
        "image_id": _integers(records, "image_id"),
        "category_id": _integers(records, "category_id"),
        "id": _integers(records, "id"),
        "area": as_arrow(_floats(records, "area")),
        "iscrowd": flags(np.fromiter(map(attrgetter("iscrowd"), records), np.bool_, len(records))),
    }
    if not records:
        return pa.RecordBatch.from_pydict(columns | _extras(records, extras))
    if isinstance(records[0].bbox, tuple | None):
        columns["bbox"] = _boxes([record.bbox for record in records])
    if isinstance(records[0].keypoints, list | None):
        columns["keypoints"] = _lists([record.keypoints or () for record in records])
    if isinstance(records[0].segmentation, list | Rle | None):
        columns |= _masks([record.segmentation for record in records])
    return pa.RecordBatch.from_pydict(columns | _extras(records, extras))


def as_arrow(values: Array, known: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return numbers as they are, null where they are not known."""
    # pa.array would do, but imports pandas wherever that is installed.
    bits = None if known is None or known.all() else flags(known).buffers()[1]
    values = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [bits, pa.py_buffer(values)])


def as_numbers(cells: pa.Array) -> Array:
    """Return the numbers of an array without nulls, or of the items of fixed-size lists."""
    if pa.types.is_fixed_size_list(cells.type):
        return as_numbers(cells.flatten()).reshape(-1, cells.type.list_size)
    if pa.types.is_boolean(cells.type) and len(cells):
        bits = np.frombuffer(cells.buffers()[1], np.uint8)
        unpacked = np.unpackbits(bits, bitorder="little", count=cells.offset + len(cells))
        return unpacked[cells.offset :].astype(np.bool_)
    kind: Any = np.dtype(cells.type.to_pandas_dtype())
    if not len(cells):
        return np.empty(0, kind)
    return np.frombuffer(cells.buffers()[1], kind)[cells.offset : cells.offset + len(cells)]


def known(cells: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which cells are not null."""
    return as_numbers(cells.is_valid())


def starts_of(lists: pa.Array) -> Array:
    """Return where each list starts among the items of all, which `flatten` gives, and the end."""
    if not len(lists):
        return np.zeros(1, np.int32)
    offsets = np.frombuffer(lists.buffers()[1], np.int32)
    offsets = offsets[lists.offset : lists.offset + len(lists) + 1]
    return offsets - offsets[0]


def offsets_of(lengths: Array) -> npt.NDArray[np.int64]:
    """Return where lists of these lengths start, and the last ends."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ends


def unified(kinds: Sequence[pa.DataType]) -> pa.DataType:
    """Return the type that cells of several types are stored as."""
    found = {kind for kind in kinds if kind != pa.null()}
    if not found:
        return pa.string()
    if len(found) == 1:
        return found.pop()
    return pa.float64() if found == {pa.int64(), pa.float64()} else JSON


def converted(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return an extra member of some records as `unified` has it for all of them."""
    if cells.type == kind:
        return cells
    if kind == JSON and cells.type != pa.null():
        return pa.array([None if v is None else _text(v) for v in cells.to_pylist()], JSON)
    return cells.cast(kind)


def _integers(records: Sequence[Any], member: str) -> pa.Array:
    try:
        return as_arrow(np.fromiter(map(attrgetter(member), records), np.int64, len(records)))
    except TypeError:  # some have none
        values = list(map(attrgetter(member), records))
        there = np.array([value is not None for value in values], np.bool_)
        return as_arrow(np.array([value or 0 for value in values], np.int64), there)


def _floats(records: Sequence[Any], member: str) -> Array:
    """Return a member of all records, NaN for None."""
    try:
        return np.fromiter(map(attrgetter(member), records), np.float64, len(records))
    except TypeError:
        return np.array([getattr(record, member) for record in records], np.float64)


def _boxes(boxes: list[Any]) -> pa.Array:
    try:
        flat = np.fromiter(chain.from_iterable(boxes), np.float64, 4 * len(boxes))
    except TypeError:
        filled = [_NO_BOX if box is None else box for box in boxes]
        flat = np.fromiter(chain.from_iterable(filled), np.float64, 4 * len(boxes))
    return pa.FixedSizeListArray.from_arrays(as_arrow(flat), 4)


def _lists(values: list[Any]) -> pa.Array:
    """Return lists of numbers, as float32; what is too large for that becomes infinite."""
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    numbers = np.fromiter(chain.from_iterable(values), np.float64, int(lengths.sum()))
    with np.errstate(over="ignore"):
        return lists(as_arrow(numbers.astype(np.float32)), offsets_of(lengths))


def _masks(segmentations: list[Any]) -> dict[str, pa.Array]:
    """Return ``polygons``; and ``counts`` and ``size``, null where there are polygons."""
    polygons = [each if type(each) is list else () for each in segmentations]
    parts = _lists(list(chain.from_iterable(polygons)))
    offsets = offsets_of(np.fromiter(map(len, polygons), np.int64, len(polygons)))
    runs = [each if type(each) is Rle else None for each in segmentations]
    sizes = np.array([each.size if each else (0, 0) for each in runs], np.int64).reshape(-1, 2)
    return {
        "polygons": lists(parts, offsets),
        "counts": pa.array(_counts(runs), pa.binary()),
        "size": pa.FixedSizeListArray.from_arrays(as_arrow(sizes.ravel()), 2),
    }


def _counts(runs: list[Rle | None]) -> list[bytes | None]:
    """Return compressed counts; empty for those that are none at all."""
    found = [each.counts.encode() if each and type(each.counts) is str else None for each in runs]
    listed = [n for n, each in enumerate(runs) if each and type(each.counts) is not str]
    plain: list[Any] = [runs[number].counts for number in listed]  # type: ignore[union-attr]
    offsets = offsets_of(np.fromiter(map(len, plain), np.int64, len(plain)))
    numbers = np.fromiter(chain.from_iterable(plain), np.int64, int(offsets[-1]))
    # Counts that differ by more than 31 bits are those of no image; the sum shows it.
    characters, ends = compress(np.clip(numbers, -(1 << 31), 1 << 31), offsets)
    data, places = characters.tobytes(), ends.tolist()
    for place, number in enumerate(listed):
        found[number] = data[places[place] : places[place + 1]]
    return found


def _texts(values: list[str]) -> pa.Array:
    """Return texts; halves of characters, which are no text, are written as their numbers."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([v.encode("utf-8", "backslashreplace").decode() for v in values])


def _extras(records: Sequence[Any], names: Sequence[str]) -> dict[str, pa.Array]:
    return {
        f"{EXTRA}{name}": _extra([getattr(record, f"extra_{n}", None) for record in records])
        for n, name in enumerate(names)
    }


def _extra(values: list[Any]) -> pa.Array:
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int, float}:
        kinds = {float} if all(_is_exact(value) for value in values) else kinds
    if not kinds:
        return pa.nulls(len(values))
    if len(kinds) == 1 and (kind := _SIMPLE.get(kinds.pop())) is not None:
        try:
            return pa.array(values, kind)
        except (pa.ArrowException, OverflowError, UnicodeEncodeError):
            pass  # more than 64 bits, or half a character
    return pa.array([None if value is None else _text(value) for value in values], JSON)


def _is_exact(value: Any) -> bool:
    return not isinstance(value, int) or abs(value) <= 1 << 53


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if _SURROGATE.search(text) is None else json.dumps(value)
