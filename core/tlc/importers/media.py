"""Content of images, sounds and the like that has no file of its own yet."""

from __future__ import annotations

import re

from tlc.sample_types import EncodedSample

_EXTENSIONS = (
    (rb"\x89PNG\r\n\x1a\n", ".png"),
    (rb"\xff\xd8\xff", ".jpg"),
    (rb"GIF8[79]a", ".gif"),
    (rb"BM.{4}\x00\x00\x00\x00", ".bmp"),
    (rb"II\*\x00|MM\x00\*", ".tif"),
    (rb"RIFF.{4}WEBP", ".webp"),
    (rb"RIFF.{4}WAVE", ".wav"),
    (rb"RIFF.{4}AVI ", ".avi"),
    (rb"fLaC", ".flac"),
    (rb"OggS", ".ogg"),
    (rb"ID3|\xff[\xf2\xf3\xfb]", ".mp3"),
    (rb".{4}ftypavif", ".avif"),
    (rb".{4}ftyphei[cx]", ".heic"),
    (rb".{4}ftypqt", ".mov"),
    (rb".{4}ftyp", ".mp4"),
    (rb"\x1a\x45\xdf\xa3", ".webm"),
    (rb"%PDF-", ".pdf"),
)
_KNOWN = re.compile(b"|".join(b"(%s)" % pattern for pattern, _ in _EXTENSIONS), re.DOTALL)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}(\.gz)?$")


def encoded(content: bytes, name: str = "") -> EncodedSample:
    """Return content as a cell that is written to a file as it is.

    Args:
        content: The content. Its first bytes decide how the name of the file ends.
        name: What the file was called, which decides where the first bytes tell nothing.
    """
    found = _KNOWN.match(content)
    if found is not None and found.lastindex is not None:
        return EncodedSample(content, _EXTENSIONS[found.lastindex - 1][1])
    suffix = _SUFFIX.search(name)
    return EncodedSample(content, suffix[0].lower() if suffix else ".bin")
