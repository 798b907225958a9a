"""Images with a label map each: masks in files, or arrays one after the other."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from tlc._pillow import open_image
from tlc.errors import ColumnError, ColumnLengthError, ImageReadError
from tlc.importers.image_headers import image_errors, image_size
from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.source import Source
from tlc.importers.yolo_images import image_urls, shown
from tlc.schemas import ImageSchema, arrow_type
from tlc.schemas.value_maps import make_value_map
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.schemas import Schema
    from tlc.schemas.value_maps import Classes

_BATCH = 256
_SINGLE_CHANNEL = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L", "I;16N")
_HINT = "a mask has one channel, with the number of a class in each pixel."


class _Wrong(Exception):  # noqa: N818 - it never leaves this module
    """A row cannot be made."""

    def __init__(self, code: str, message: str, value: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.value = value


class _Row(NamedTuple):
    url: str
    cell: dict[str, Any]


def from_semantic_segmentation(
    images: Sequence[Any],
    masks: Sequence[Any],
    classes: Classes,
    *,
    background: int | None,
    void: int | None,
    on_error: str,
) -> Source:
    """Read a label map for each image; images are not opened, but for their headers.

    Args:
        images: Paths or urls.
        masks: For each image the path of an image with one channel, or an array of shape (H, W);
            each is asked for when its turn has come.
        classes: Ids and names.
        background: Id of pixels that belong to no class; None if there are none.
        void: Id of pixels that are not to be looked at; None if there are none.
        on_error: ``"raise"`` or ``"skip"``.

    Raises:
        ColumnError: Images and masks are no sequences, or not of one length.
    """
    for name, values in (("images", images), ("masks", masks)):
        if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
            raise ColumnError(f"{name} is {type(values).__name__}, not a list.")
    if len(images) != len(masks):
        raise ColumnLengthError(
            f"There are {len(images)} images and {len(masks)} masks.",
            hint="give one mask for each image.",
        )
    return _Masked(images, masks, classes, background, void, on_error).source()


class _Masked:
    def __init__(
        self,
        images: Sequence[Any],
        masks: Sequence[Any],
        classes: Classes,
        background: int | None,
        void: int | None,
        on_error: str,
    ) -> None:
        from tlc.schemas import SemanticSegmentationRleSchema

        self._images = images
        self._masks = masks
        self._background = background
        self._on_error = on_error
        self._problems = Problems(on_error)
        self._rows = 0
        ids = {int(key) for key in make_value_map(classes)}
        ids |= {each for each in (background, void) if each is not None}
        self._known = np.array(sorted(ids), np.int64)
        mask = SemanticSegmentationRleSchema(classes=classes, background=background, void=void)
        self._schema: dict[str, Schema] = {"image": ImageSchema(), "mask": mask}

    def source(self) -> Source:
        return Source(
            "semantic_segmentation", self._batches, self._schema, self._fingerprint(), self._report
        )

    def _report(self) -> ImportReport:
        return self._problems.report(self._rows)

    def _batches(self) -> Iterator[Batch]:
        # Batches may be asked for again: for comparing, and then for writing.
        self._problems, self._rows = Problems(self._on_error), 0
        type_ = arrow_type(self._schema["mask"])
        for start in range(0, max(1, len(self._images)), _BATCH):
            stop = min(start + _BATCH, len(self._images))
            rows = [row for number in range(start, stop) if (row := self._row(number))]
            self._rows += len(rows)
            yield {
                "image": image_urls([row.url for row in rows]),
                "mask": pa.array([row.cell for row in rows], type_),
            }
        self._problems.check()

    def _row(self, number: int) -> _Row | None:
        image = Url(self._images[number]).to_absolute().to_str()
        mask = self._masks[number]
        try:
            labels = _label_map(mask)
            self._check_classes(labels)
            is_turned = _is_turned(image, labels)
        except _Wrong as error:
            self._problems.add(self._problem(number, mask, error))
            return None
        if is_turned:
            message = "the mask has the size of the image turned by a right angle"
            self._problems.note(self._problem(number, mask, _Wrong("SIZE_MISMATCH", message)))
        return _Row(image, self._cell(labels))

    def _problem(self, number: int, mask: Any, wrong: _Wrong) -> Problem:
        file = mask if _is_path(mask) else self._images[number]
        return Problem(
            code=wrong.code,
            file=shown(os.fspath(file)),
            record=f"row {number}",
            value=shortened(wrong.value),
            message=str(wrong),
            hint=_HINT if wrong.code == "MASK_FORMAT" else "",
        )

    def _cell(self, labels: Any) -> dict[str, Any]:
        from tlc.data_types.semantic_segmentation import encode_label_map

        found, rles = encode_label_map(labels, self._background)
        height, width = labels.shape
        return {
            "image_height": height,
            "image_width": width,
            "rles": rles,
            "instance_properties": {"label": found},
        }

    def _check_classes(self, labels: Any) -> None:
        present = np.unique(labels)
        unknown = present[~np.isin(present, self._known)]
        if len(unknown):
            listed = ", ".join(map(str, unknown[:10].tolist()))
            message = f"a mask has {len(unknown)} classes that are none of the categories"
            raise _Wrong("DANGLING_REF", message, listed)

    def _fingerprint(self) -> dict[str, Any]:
        """Return what tells masks in files from others; nothing for arrays, which are compared."""
        if not len(self._masks) or not all(map(_is_path, self._masks)):
            return {}
        digest = hashlib.sha256()
        for image, mask in zip(self._images, self._masks, strict=True):
            data = _content(mask)
            digest.update(f"{image}\n{mask}\n{len(data)}\n".encode("utf-8", "surrogateescape"))
            digest.update(data)
        known = {"background": self._background, "classes": self._known.tolist()}
        return {"images": len(self._images), "digest": digest.hexdigest(), **known}


def _is_path(mask: Any) -> bool:
    return isinstance(mask, str | os.PathLike)


def _content(mask: Any) -> bytes:
    """Return the content of a file; nothing if it cannot be read, of which a problem tells."""
    try:
        return Url(mask).read_bytes()
    except OSError:
        return b""


def _label_map(mask: Any) -> Any:
    """Return a mask as int32 of shape (H, W)."""
    array = _pixels(mask) if _is_path(mask) else np.asarray(mask)
    if array.ndim != 2 or array.dtype.kind not in "biu":
        raise _Wrong("MASK_FORMAT", f"a mask is an array of {array.dtype} of shape {array.shape}")
    if array.size and (int(array.max()) >= 1 << 31 or int(array.min()) < -(1 << 31)):
        raise _Wrong("MASK_FORMAT", "a mask has numbers of more than 32 bits")
    return array.astype(np.int32)


def _pixels(mask: Any) -> Any:

    try:
        data = Url(mask).read_bytes()
    except FileNotFoundError:
        raise _Wrong("MASK_MISSING", "there is no mask") from None
    except OSError as error:
        raise _Wrong("MASK_UNREADABLE", f"the mask cannot be read: {error}") from error
    try:
        with open_image(io.BytesIO(data)) as image:
            if image.mode not in _SINGLE_CHANNEL:
                raise _Wrong("MASK_FORMAT", f"a mask is an image of mode {image.mode}")
            return np.asarray(image)
    except image_errors() as error:
        raise _Wrong("MASK_UNREADABLE", f"the mask cannot be read: {error}") from error


def _is_turned(image: str, labels: Any) -> bool:
    """Whether a mask has the size of its image turned by a right angle; another is an error."""
    if "://" in image:
        return False  # an image elsewhere is not fetched
    try:
        image.encode()
        size = image_size(image)
    except UnicodeEncodeError:
        raise _Wrong("NAME_NOT_TEXT", "the name of the image is no UTF-8 text") from None
    except FileNotFoundError:
        raise _Wrong("IMG_MISSING", f"there is no image {image!r}") from None
    except (ImageReadError, OSError) as error:
        raise _Wrong("IMG_UNREADABLE", str(error).rstrip(".")) from error
    height, width = labels.shape
    if size not in ((width, height), (height, width)):
        message = f"the mask has {width} x {height} pixels, the image {size[0]} x {size[1]}"
        raise _Wrong("SIZE_MISMATCH", message)
    return size != (width, height)
