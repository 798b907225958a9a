"""COCO run-length encoding of masks, in NumPy: of one mask, and of very many at once.

A mask is read column by column. Its *counts* are the lengths of runs that alternate between outside
and inside, starting with outside; compressed, each becomes a few characters. The result is that of
`pycocotools`, byte for byte.

Functions on many masks take and return flat arrays with offsets, as Arrow has them: mask `i` has
the items from ``offsets[i]`` to ``offsets[i + 1]``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

Ints: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]

_FIRST, _MORE, _BITS, _SIGN = 48, 0x20, 0x1F, 0x10


class CocoRle(TypedDict):
    """A mask as `pycocotools` has it: compressed `counts`, and `size` as ``[height, width]``."""

    counts: bytes
    size: list[int]


# Compression


def compress(counts: Ints, offsets: Ints) -> tuple[Bytes, Ints]:
    """Return the compressed counts of masks.

    Args:
        counts: Run lengths of all masks, one after the other.
        offsets: Where those of each mask start, and the end of the last.

    Returns:
        The characters, and the offsets of those of each mask.
    """
    values = _differences(counts, offsets)
    lengths = _lengths(values)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    characters = np.empty(int(ends[-1]), np.uint8)
    at, left = ends[:-1], lengths
    while len(values):
        more = left > 1
        characters[at] = (values & _BITS) + np.where(more, _MORE + _FIRST, _FIRST)
        values, at, left = values[more] >> 5, at[more] + 1, left[more] - 1
    return characters, ends[offsets]


def _differences(counts: Ints, offsets: Ints) -> Ints:
    """Return counts with each but the first three of a mask less the last but one."""
    values = counts.astype(np.int64, copy=True)
    values[2:] -= counts[:-2]
    heads = (offsets[:-1, None] + np.arange(3)).reshape(-1)
    heads = heads[heads < np.repeat(offsets[1:], 3)]
    values[heads] = counts[heads]
    return values


def _lengths(values: Ints) -> Ints:
    """Return how many characters each number takes: five bits each, the highest being the sign."""
    magnitude = np.where(values < 0, ~values, values)
    lengths = np.ones(len(values), np.int64)
    limit = _SIGN
    while (large := magnitude >= limit).any():
        lengths += large
        limit <<= 5
    return lengths


def decompress(characters: Bytes, offsets: Ints) -> tuple[Ints, Ints]:
    """Return the run lengths of masks. See `compress` for the arguments.

    Raises:
        SchemaError: The characters are no compressed counts.
    """
    data = characters.astype(np.int64) - _FIRST
    last = (data & _MORE) == 0
    ends = np.flatnonzero(last)
    filled = offsets[1:][np.diff(offsets) > 0]
    if (data < 0).any() or (data >= 64).any() or not last[filled - 1].all():
        raise SchemaError(
            "The counts of a mask are damaged: they are no COCO run-length encoding.",
            hint="Give compressed counts, as pycocotools.mask.encode returns them.",
        )
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    digit = np.arange(len(data)) - np.repeat(starts, np.diff(np.append(starts, len(data))))
    if (digit > 7).any():
        raise SchemaError("The counts of a mask are damaged: a run is far too long.")
    values = np.add.reduceat((data & _BITS) << (5 * digit), starts) if len(starts) else starts
    negative = (data[ends] & _SIGN) != 0
    values = np.where(negative, values - (1 << (5 * (digit[ends] + 1))), values)
    places = np.searchsorted(ends, offsets)
    return _summed(values, places), places


def _summed(values: Ints, offsets: Ints) -> Ints:
    """Undo the differences of `compress`: sum up every other number of each mask."""
    counts = values.copy()
    place = np.arange(len(values)) - np.repeat(offsets[:-1], np.diff(offsets))
    for parity in (0, 1):
        chosen = np.flatnonzero(((place & 1) == parity) & (place > 0))
        if not len(chosen):
            continue
        sums = np.cumsum(values[chosen])
        heads = np.flatnonzero(place[chosen] <= 2)
        before = np.repeat(
            sums[heads] - values[chosen[heads]], np.diff(np.append(heads, len(chosen)))
        )
        counts[chosen] = sums - before
    return counts


# Masks


def counts_of_runs(toggles: Ints, owners: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """Return the run lengths of masks that are given by the pixels where they start or stop.

    Args:
        toggles: Pixel numbers, column by column, ascending within each mask; the first is where
            the mask starts.
        owners: Which mask each of them belongs to, ascending.
        sizes: Number of pixels of each mask.

    Returns:
        The run lengths, and the offsets of those of each mask.
    """
    inside = toggles < sizes[owners]
    toggles, owners = toggles[inside], owners[inside]
    amounts = np.bincount(owners, minlength=len(sizes))
    offsets = np.concatenate([[0], np.cumsum(amounts + 1)])
    ends = np.empty(len(toggles) + len(sizes), np.int64)
    ends[np.arange(len(toggles)) + owners] = toggles
    ends[offsets[1:] - 1] = sizes
    counts = np.diff(ends, prepend=0)
    heads = offsets[:-1]
    counts[heads] = ends[heads]
    return counts, offsets


def encode_masks(masks: npt.NDArray[Any]) -> list[bytes]:
    """Return the compressed counts of masks of shape (H, W, N); anything but 0 is inside."""
    height, width, number = masks.shape
    if not number:
        return []
    size = height * width
    inside = np.empty((number, width, height), bool)
    np.not_equal(masks.transpose(2, 1, 0), 0, out=inside)
    flat = inside.reshape(-1)
    changed = np.empty_like(flat)
    np.not_equal(flat[1:], flat[:-1], out=changed[1:])
    if size:
        changed[::size] = flat[::size]
    owners, toggles = np.divmod(np.flatnonzero(changed), max(size, 1))
    return split(*compress(*counts_of_runs(toggles, owners, np.full(number, size))))


def encode_regions(
    regions: Sequence[npt.NDArray[np.bool_]],
    corners: Sequence[tuple[int, int]],
    height: int,
    width: int,
) -> list[bytes]:
    """Return the compressed counts of masks of which only a region each may have pixels.

    Args:
        regions: The mask within each region, bool of shape (h, w).
        corners: x and y of the upper left pixel of each region.
        height: Height of the image.
        width: Width of the image.
    """
    if not regions:
        return []
    found = [_toggles(*each, height) for each in zip(regions, corners, strict=True)]
    owners = np.repeat(np.arange(len(found)), list(map(len, found)))
    sizes = np.full(len(found), height * width)
    return split(*compress(*counts_of_runs(np.concatenate(found), owners, sizes)))


def _toggles(region: npt.NDArray[np.bool_], corner: tuple[int, int], height: int) -> Ints:
    """Return the pixels of an image where the runs of a region start or stop."""
    rows, columns = region.shape
    # Below the region the runs of a column stop, unless those of the next one go on with them.
    inside = np.zeros((columns, rows + (rows < height)), bool)
    inside[:, :rows] = region.T
    flat = np.append(inside.reshape(-1), False)
    changed = np.flatnonzero(np.diff(flat, prepend=False))
    column, row = np.divmod(changed, inside.shape[1] or 1)
    found: Ints = (corner[0] + column) * height + corner[1] + row
    return found


def decode_masks(rles: Sequence[bytes], height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return masks of shape (H, W, N), as uint8 of 0 and 1.

    Raises:
        SchemaError: The counts are damaged, or not those of masks of this size.
    """
    counts, offsets = counts_of(rles)
    check_sizes(counts, offsets, height * width)
    inside = (np.arange(len(counts)) - np.repeat(offsets[:-1], np.diff(offsets))) & 1
    flat = np.repeat(inside.astype(np.uint8), counts)
    return flat.reshape(len(rles), width, height).transpose(2, 1, 0)


def counts_of(rles: Sequence[bytes]) -> tuple[Ints, Ints]:
    """Return the run lengths of compressed masks, and the offsets of those of each.

    Raises:
        SchemaError: The counts are damaged.
    """
    return decompress(*joined(rles))


def check_sizes(counts: Ints, offsets: Ints, size: int) -> None:
    """Refuse run lengths that are not those of masks of `size` pixels.

    Raises:
        SchemaError: One is negative, or those of a mask do not add up.
    """
    sums = np.concatenate([[0], np.cumsum(counts)])[offsets]
    wrong = np.flatnonzero(np.diff(sums) != size)
    if len(wrong):
        number = int(wrong[0])
        raise SchemaError(
            f"The counts of mask {number} are for {sums[number + 1] - sums[number]} pixels, where "
            f"the image has {size}.",
            hint="Correct the height and width, or the counts.",
        )
    if (counts < 0).any():
        raise SchemaError("The counts of a mask are damaged: a run is shorter than nothing.")


def areas(rles: Sequence[bytes]) -> Ints:
    """Return the number of pixels inside of each mask."""
    counts, offsets = counts_of(rles)
    place = np.arange(len(counts)) - np.repeat(offsets[:-1], np.diff(offsets))
    sums = np.concatenate([[0], np.cumsum(np.where(place & 1, counts, 0))])
    return np.diff(sums[offsets])


def bounding_box(rle: bytes, height: int) -> tuple[float, float, float, float]:
    """Return x, y, width and height of the box around a mask, in pixels; zeros if it is empty."""
    counts, _ = counts_of([rle])
    ends = np.cumsum(counts)
    starts, stops = ends[:-1:2], ends[1::2]
    starts = starts[: len(stops)]
    starts, stops = starts[stops > starts], stops[stops > starts] - 1
    if not len(starts):
        return (0.0, 0.0, 0.0, 0.0)
    left, right = starts // height, stops // height
    x_min, x_max = int(left[0]), int(right[-1])
    if (left != right).any():  # such a run has a lowest and a highest pixel of the image
        y_min, y_max = 0, height - 1
    else:
        y_min, y_max = int((starts % height).min()), int((stops % height).max())
    return float(x_min), float(y_min), float(x_max - x_min + 1), float(y_max - y_min + 1)


# Flat arrays and lists


def joined(rles: Sequence[bytes]) -> tuple[Bytes, Ints]:
    """Return texts as one array of characters, and the offsets of each."""
    offsets = np.concatenate([[0], np.cumsum([len(rle) for rle in rles], dtype=np.int64)])
    return np.frombuffer(b"".join(rles), np.uint8), offsets.astype(np.int64)


def split(characters: Bytes, offsets: Ints) -> list[bytes]:
    """Return each text of an array of characters."""
    data, ends = characters.tobytes(), offsets.tolist()
    return [data[a:b] for a, b in pairwise(ends)]
