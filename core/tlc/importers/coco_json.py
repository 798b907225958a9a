"""COCO annotation files, decoded to flat arrays: no Python object is kept per box.

Most of the time of a usual loader goes to building objects that nobody asks for, and to the garbage
collector that walks over them again and again. So the file is decoded with types, what they do not
name (polygons, most of all) is passed over, and the collector rests meanwhile.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from tlc.errors import AnnotationFileError
from tlc.importers.identifiers import duplicate, positions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

_NO_ID = -(1 << 63)
_MARK = b"\xef\xbb\xbf"
_AROUND = 30
_NAMED = 5


class _Image(msgspec.Struct, gc=False):
    id: int
    file_name: str
    width: float | None = None
    height: float | None = None


class _Category(msgspec.Struct, gc=False):
    id: int
    name: str
    supercategory: str | None = None


class _Annotation(msgspec.Struct, gc=False):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    id: int = _NO_ID
    area: float | None = None
    iscrowd: int | bool = 0


class _File(msgspec.Struct, gc=False):
    images: list[_Image]
    annotations: list[Any]
    categories: list[_Category]


@dataclass(frozen=True)
class CocoAnnotations:
    """What a COCO annotation file says: images in its order, and the annotations of each in theirs.

    The annotations of image `i` are those from `offsets[i]` to `offsets[i + 1]`.

    Attributes:
        image_ids: Shape `(images,)`; all different.
        file_names: As they are written, one per image.
        widths: Pixels, NaN where the file does not say, shape `(images,)`.
        heights: Likewise.
        offsets: Shape `(images + 1,)`, int32.
        annotation_ids: Shape `(annotations,)`; all different. None if the file has none.
        category_ids: As they are written, shape `(annotations,)`.
        boxes: x and y of the upper left corner, width, height, in pixels, shape `(annotations, 4)`.
        areas: Square pixels, NaN where the file does not say, shape `(annotations,)`.
        crowd: Whether it is about a group of things, shape `(annotations,)`.
        categories: Id to name, in the order of the file.
        supercategories: Id to the name of what the category belongs to, where the file says so.
        raw: Name of a member of annotations to its JSON text in each of them, empty where it is not
            there, for the members that were asked for. They hold on to the bytes of the file.
    """

    image_ids: Integers
    file_names: list[str]
    widths: Floats
    heights: Floats
    offsets: npt.NDArray[np.int32]
    annotation_ids: Integers | None
    category_ids: Integers
    boxes: Floats
    areas: Floats
    crowd: npt.NDArray[np.bool_]
    categories: dict[int, str]
    supercategories: dict[int, str]
    raw: dict[str, list[msgspec.Raw]]


def decode_coco(data: bytes, file: str, *, raw: Sequence[str] = ()) -> CocoAnnotations:
    """Decode a COCO annotation file.

    Args:
        data: Its content: UTF-8 JSON.
        file: What to call it in errors.
        raw: Members of annotations to return as JSON text, such as ``"segmentation"``.

    Raises:
        AnnotationFileError: It is not JSON; a record lacks a member or has one of a wrong type; two
            images, annotations or categories have one id; an annotation names an image or a
            category that is not there. The message tells file, record and member.
    """
    with _collector_off():
        decoded = _decode(data.removeprefix(_MARK), file, tuple(raw))
        del data  # a caller that does not hold it either saves that memory from here on
        return _annotations(decoded, file, raw)


def _annotations(decoded: _File, file: str, raw: Sequence[str]) -> CocoAnnotations:
    images, records, categories = decoded.images, decoded.annotations, decoded.categories
    image_ids = _ids(images, "images", file)
    category_ids = _references(
        records, "category_id", _ids(categories, "categories", file), "category", file
    )
    rows = _references(records, "image_id", image_ids, "image", file, positions_only=True)
    ids = _annotation_ids(records, file)
    boxes = np.fromiter(
        chain.from_iterable(map(attrgetter("bbox"), records)), np.float64, 4 * len(records)
    ).reshape(-1, 4)
    areas = _floats(records, "area")
    crowd = _crowd(records, file)
    order = _grouped(rows)
    offsets = np.zeros(len(images) + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=len(images)), out=offsets[1:])
    return CocoAnnotations(
        image_ids=image_ids,
        file_names=[image.file_name for image in images],
        widths=_floats(images, "width"),
        heights=_floats(images, "height"),
        offsets=offsets,
        annotation_ids=ids if ids is None else ids[order],
        category_ids=category_ids[order],
        boxes=boxes[order],
        areas=areas[order],
        crowd=crowd[order],
        categories={each.id: each.name for each in categories},
        supercategories={c.id: c.supercategory for c in categories if c.supercategory is not None},
        raw={name: [getattr(records[i], name) for i in order.tolist()] for name in raw},
    )


@contextmanager
def _collector_off() -> Iterator[None]:
    """Let the garbage collector rest: what is decoded holds no circles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@lru_cache(maxsize=8)
def _decoder(raw: tuple[str, ...]) -> msgspec.json.Decoder[_File]:
    """Return a decoder of files whose annotations keep the members `raw` as text."""
    fields = [(name, msgspec.Raw, msgspec.Raw()) for name in raw]
    record = msgspec.defstruct("Annotation", fields, bases=(_Annotation,), gc=False)
    annotations: Any = list[record]  # type: ignore[valid-type]
    whole = msgspec.defstruct("File", [("annotations", annotations)], bases=(_File,), gc=False)
    return cast("msgspec.json.Decoder[_File]", msgspec.json.Decoder(whole))


def _decode(data: bytes, file: str, raw: tuple[str, ...]) -> _File:
    try:
        return _decoder(raw).decode(data)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        where = f"{path.strip('.`')}: " if path else ""
        raise AnnotationFileError(
            f"{file}: {where}{reason}.",
            hint='a COCO file is an object with the lists "images", "annotations" and '
            '"categories"; see https://cocodataset.org/#format-data.',
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnnotationFileError(
            f"{file}: it is not valid JSON: {error}{_near(data, str(error))}.",
            hint="annotations are UTF-8 JSON, where NaN and Infinity do not exist.",
        ) from error


def _near(data: bytes, reason: str) -> str:
    """Return the text around the byte that the decoder names."""
    _, found, number = reason.partition("(byte ")
    if not found:
        return ""
    at = int(number.rstrip(")"))
    text = data[max(0, at - _AROUND) : at + _AROUND].decode("utf-8", "replace")
    return f", near {text!r}"


def _ids(records: Sequence[Any], name: str, file: str) -> Integers:
    """Return the ids of records, which must all differ."""
    return _different(_integers(records, "id", name, file), name, file)


def _different(ids: Integers, name: str, file: str) -> Integers:
    pair = duplicate(ids)
    if pair is not None:
        first, second = pair
        raise AnnotationFileError(
            f"{file}: {name}[{first}] and {name}[{second}] have the same id {ids[first]}.",
            hint="give each record an id of its own: nobody can tell what refers to which.",
        )
    return ids


def _annotation_ids(records: Sequence[Any], file: str) -> Integers | None:
    ids = _integers(records, "id", "annotations", file)
    missing = ids == _NO_ID
    if missing.all():
        return None
    if missing.any():
        raise AnnotationFileError(
            f"{file}: annotations[{np.argmax(missing)}] has no id, but others have.",
            hint="give all annotations an id, or none.",
        )
    return _different(ids, "annotations", file)


def _floats(records: Sequence[Any], member: str) -> Floats:
    """Return a member of all records, NaN for None."""
    values = map(attrgetter(member), records)
    try:
        return np.fromiter(values, np.float64, len(records))
    except TypeError:
        return np.array([getattr(record, member) for record in records], np.float64)


def _integers(records: Sequence[Any], member: str, name: str, file: str) -> Integers:
    try:
        return np.fromiter(map(attrgetter(member), records), np.int64, len(records))
    except OverflowError:
        for number, record in enumerate(records):
            value = getattr(record, member)
            if not _NO_ID <= value < 1 << 63:
                raise AnnotationFileError(
                    f"{file}: {name}[{number}].{member}: {value} needs more than 64 bits."
                ) from None
        raise


def _references(
    records: Sequence[Any],
    member: str,
    known: Integers,
    kind: str,
    file: str,
    *,
    positions_only: bool = False,
) -> Integers:
    """Return what annotations refer to, as ids or as positions in `known`."""
    ids = _integers(records, member, "annotations", file)
    found = positions(ids, known)
    dangling = np.flatnonzero(found < 0)
    if dangling.size:
        listed = ", ".join(f"annotations[{i}] names {ids[i]}" for i in dangling[:_NAMED])
        more = f", and {dangling.size - _NAMED} more" if dangling.size > _NAMED else ""
        raise AnnotationFileError(
            f"{file}: {member}: there is no {kind} with that id: {listed}{more}.",
            hint=f"add the {kind} to the file, or take the annotations out.",
        )
    return found if positions_only else ids


def _crowd(records: Sequence[Any], file: str) -> npt.NDArray[np.bool_]:
    flags = _integers(records, "iscrowd", "annotations", file)
    wrong = np.flatnonzero((flags != 0) & (flags != 1))
    if wrong.size:
        raise AnnotationFileError(
            f"{file}: annotations[{wrong[0]}].iscrowd: it is {flags[wrong[0]]}, not 0 or 1."
        )
    return flags == 1


def _grouped(rows: Integers) -> Integers:
    """Return the order that brings equal rows together and else changes nothing."""
    # Row and position in one number: NumPy sorts numbers many times faster than it finds an order.
    keys = (rows << 32) | np.arange(rows.size)
    keys.sort()
    return keys & 0xFFFFFFFF
