"""Pillow as it is, whatever other packages make of it."""

from __future__ import annotations

from typing import Any

from tlc._optional import loaded


def open_image(source: Any) -> Any:
    """Open an image with Pillow.

    Ultralytics replaces `PIL.Image.open` by a function that installs, or misses, a further package
    at each file that is no image; it keeps the first one.

    Args:
        source: A path, or a binary file.

    Raises:
        OSError: It cannot be read, or is no image: ``PIL.UnidentifiedImageError``.
    """
    from PIL import Image  # late: most programs need it not

    patches = loaded("ultralytics.utils.patches")
    return getattr(patches, "_image_open", Image.open)(source)
