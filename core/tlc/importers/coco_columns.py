"""Columns of a table, one row per image, from decoded COCO annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tlc.errors import AnnotationFileError
from tlc.url.expansion import AliasTable
from tlc.url.text import is_absolute, normalise

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.importers.coco_json import CocoAnnotations

_MAY_BE_ABSOLUTE = r"^([/<\\]|[A-Za-z][A-Za-z0-9+.-]*:)"


def coco_columns(coco: CocoAnnotations, folder: str) -> dict[str, pa.Array]:
    """Return columns that share the memory of `coco`.

    Args:
        coco: What `decode_coco` has returned.
        folder: Absolute url of the folder that file names begin at, unless they are absolute.

    Returns:
        ``image`` (url), ``image_id``, ``width`` and ``height`` (null where the file does not say);
        and lists with an item per annotation of the image: ``boxes`` (x, y, width, height),
        ``category_id``, ``annotation_id`` (if the file has them), ``area`` (null likewise) and
        ``iscrowd``.

    Raises:
        AnnotationFileError: The width or height of an image is no whole number above zero.
    """
    boxes = _array(coco.boxes.reshape(-1), pa.float64())
    lists = {
        "boxes": pa.FixedSizeListArray.from_arrays(boxes, 4),
        "category_id": _array(coco.category_ids, pa.int64()),
        "area": _optional(coco.areas, pa.float64()),
        "iscrowd": _flags(coco.crowd),
    }
    if coco.annotation_ids is not None:
        lists["annotation_id"] = _array(coco.annotation_ids, pa.int64())
    offsets = _array(coco.offsets, pa.int32())
    return {
        "image": _urls(coco.file_names, folder),
        "image_id": _array(coco.image_ids, pa.int64()),
        "width": _pixels(coco, coco.widths, "width"),
        "height": _pixels(coco, coco.heights, "height"),
        **{name: pa.ListArray.from_arrays(offsets, values) for name, values in lists.items()},
    }


def _urls(names: list[str], folder: str) -> pa.Array:
    start = folder.removesuffix("/")
    urls = pa.array(names, pa.string())
    if pc.any(pc.match_substring_regex(urls, _MAY_BE_ABSOLUTE)).as_py():
        whole = [normalise(n) if is_absolute(n) else f"{start}/{n}" for n in names]
        urls = pa.array(whole, pa.string())
    else:
        urls = pc.binary_join_element_wise(start, urls, "/")
    aliases = AliasTable()
    return pa.array(map(aliases.apply, urls.to_pylist()), pa.string()) if aliases else urls


def _pixels(coco: CocoAnnotations, values: npt.NDArray[np.float64], name: str) -> pa.Array:
    known = ~np.isnan(values)
    wrong = known & ~((values > 0) & (values < 1 << 31) & (np.floor(values) == values))
    if wrong.any():
        image = int(np.argmax(wrong))
        raise AnnotationFileError(
            f"images[{image}] (id {coco.image_ids[image]}).{name}: it is {values[image]:g}.",
            hint="it is a number of pixels.",
        )
    return _optional(np.where(known, values, 0).astype(np.int32), pa.int32(), known)


def _optional(
    values: npt.NDArray[Any], type_: pa.DataType, known: npt.NDArray[np.bool_] | None = None
) -> pa.Array:
    """Return numbers with nulls where they are not known: by default, where they are NaN."""
    known = ~np.isnan(values) if known is None else known
    cells = _array(values, type_)
    return cells if known.all() else pc.if_else(_flags(known), cells, pa.scalar(None, type_))


def _array(values: npt.NDArray[Any], type_: pa.DataType) -> pa.Array:
    # pa.array would do, but imports pandas wherever that is installed.
    return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(values)])


def _flags(values: npt.NDArray[np.bool_]) -> pa.Array:
    bits = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])
