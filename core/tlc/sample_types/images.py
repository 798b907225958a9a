"""PIL images, with one file each."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tlc._pillow import open_image
from tlc.errors import ImageReadError, SchemaError
from tlc.sample_types.base import ExternalizationContext, ExternalSampleType
from tlc.sample_types.content import read_content
from tlc.sample_types.recognize import is_file_image, is_image
from tlc.sample_types.registry import register_sample_type
from tlc.sample_types.row_urls import to_row_url

if TYPE_CHECKING:
    from PIL.Image import Image

    from tlc.sample_types.row_urls import UrlLike
    from tlc.url import Url

_URL = "_tlc_url"
"""Attribute of images read from a table: the row form they came from, or the url."""

_ORIENTATION = 0x0112
"""EXIF's number for how an image is to be turned."""

_TURNED = range(2, 9)


class PilImageSampleType(ExternalSampleType):
    """PIL images, encoded by PIL where they have no file yet.

    An image that was opened from a file, or read from a table, is referenced and not written again,
    whatever the format of its file. Methods such as `convert`, `resize` and `copy` return images
    without a file, which are written. What changes the image itself, such as `thumbnail` or
    `paste`, is not noticed: do it to a copy.

    What is read is upright: turned as the EXIF orientation of its file says.
    """

    takes = "a PIL image such as Image.fromarray(array), a path or a url"

    format: ClassVar[str]
    """What PIL calls the format."""

    options: ClassVar[dict[str, Any]] = {}
    """Arguments of `PIL.Image.Image.save`."""

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a PIL image, an encoded one, or a reference not in row form."""
        return is_image(value) or self.is_prepared(value)

    def externalize(self, sample: Any, context: ExternalizationContext) -> str:
        """Return the url of the file of an image, which is written if it has none.

        Raises:
            SchemaError: The format cannot hold images of this mode or size.
        """
        return _file_of(sample) or super().externalize(sample, context)

    def save(self, sample: Image, url: Url) -> None:
        """Write an image.

        Raises:
            SchemaError: The format cannot hold images of this mode or size.
        """
        url.write_bytes(self.encode(sample))

    def encode(self, sample: Image) -> bytes:
        """Return an image as the content of its file.

        Raises:
            SchemaError: The format cannot hold images of this mode or size.
        """
        buffer = io.BytesIO()
        try:
            sample.save(buffer, self.format, **self.options)
        except (OSError, ValueError, KeyError) as error:
            raise SchemaError(
                f"An image of mode {sample.mode} and size {sample.size} cannot be written as "
                f"{self.format}: {error}.",
                hint="Convert the image, as with image.convert('RGB'), or use another sample type.",
            ) from error
        return buffer.getvalue()

    def load(self, url: Url) -> Image:
        """Return the image at `url`, with its pixels loaded and its file closed.

        Raises:
            ImageReadError: There is no image there, or a damaged one.
        """
        image: Any = read_image(url)
        image.filename = url.to_str()
        setattr(image, _URL, url)
        return image

    def from_row(self, row: UrlLike | None) -> Image | None:
        """Return the image that `row` is the url of; None for None.

        Raises:
            ImageReadError: There is no image there, or a damaged one.
        """
        image: Any = super().from_row(row)
        if image is not None:
            setattr(image, _URL, str(row))
        return image


@register_sample_type("pil_png")
class PilPngSampleType(PilImageSampleType):
    """PIL images, written as PNG where they have no file yet: without loss."""

    format = "PNG"
    file_extension = ".png"


@register_sample_type("pil_jpeg")
class PilJpegSampleType(PilImageSampleType):
    """PIL images, written as JPEG of quality 95 where they have no file yet: with some loss."""

    format = "JPEG"
    file_extension = ".jpg"
    options: ClassVar[dict[str, Any]] = {"quality": 95}


@register_sample_type("pil_webp")
class PilWebpSampleType(PilImageSampleType):
    """PIL images, written as lossless WebP where they have no file yet; read as RGB or RGBA.

    WebP leaves out an alpha channel that is opaque everywhere: such an RGBA image is read as RGB.
    """

    format = "WEBP"
    file_extension = ".webp"
    options: ClassVar[dict[str, Any]] = {"lossless": True, "exact": True}


JpegImageSampleType = PilJpegSampleType


def _file_of(image: Any) -> str | None:
    """Return the url of the file that holds exactly `image`; None if it must be written."""
    if getattr(image, "tell", int)() != 0:  # a later frame of an animation
        return None
    if (url := getattr(image, _URL, None)) is not None:
        return to_row_url(url)  # here, as to look for an alias takes long
    if is_file_image(image) and image.filename and os.path.isfile(image.filename):
        return to_row_url(Path(os.fsdecode(image.filename)))
    return None


def read_image(url: Url, *, upright: bool = True) -> Image:
    """Return the image at `url` with its pixels loaded.

    Args:
        url: Its file.
        upright: Whether to turn it as its EXIF orientation says.

    Raises:
        ImageReadError: There is no image there, or a damaged one.
    """
    from PIL import Image, UnidentifiedImageError

    data = b""
    try:
        data = read_content(url)
        image = open_image(io.BytesIO(data))
        image.load()
        return _turned(image) if upright else image
    except UnidentifiedImageError as error:
        what = "is no image that Pillow knows" if data else "is empty"
        raise _unreadable(url, f"its file {what}") from error
    # What PIL's decoders are known to raise for damaged files.
    except (
        *(OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError),
        *(OverflowError, struct.error, Image.DecompressionBombError),
    ) as error:
        raise _unreadable(url, getattr(error, "message", str(error))) from error


def _turned(image: Image) -> Image:
    """Return an image turned as its EXIF data say; broken ones never stand in the way of pixels."""
    try:
        if image.getexif().get(_ORIENTATION) not in _TURNED:
            return image
        from PIL import ImageOps  # late: few images are turned

        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - whatever Pillow makes of damaged EXIF data
        return image


def _unreadable(url: Url, reason: str) -> ImageReadError:
    return ImageReadError(
        f"The image {url.to_str()!r} cannot be read: {reason}.",
        hint="Repair or replace the file. With ImageSchema(sample_type='url') samples hold the "
        "url, and the file is not opened.",
    )
