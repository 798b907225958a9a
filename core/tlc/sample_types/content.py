"""Files of single cells whose names tell their content, so that damage is noticed.

Most image formats have no checksum of their own. The name of such a file ends with the CRC-32 of
its content, and the name is in the cell: a file that was changed, or put in place of another, does
not fit it.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from tlc.errors import CorruptObjectError
from tlc.url.media import fetched, read_media

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from tlc.url import Url

_PART = re.compile(r":\d+-\d+\Z")
_NAME = re.compile(r"(?:^|[/\\])bulk_data[/\\].*-\d{7,}-([0-9a-f]{8})(?:\.\w+)?$", re.DOTALL)


def name_end(content: bytes, extension: str) -> str:
    """Return the end of the name of a new file with `content`: ``-1a2b3c4d.png``."""
    return f"-{zlib.crc32(content):08x}{extension}"


def read_content(url: Url) -> bytes:
    """Return the content of a file, having compared it with the checksum in its name, if any.

    Raises:
        UrlNotFoundError: There is no file.
        CorruptObjectError: It is damaged, or another file has been put in its place.
    """
    checksum = _checksum(url)
    content = read_media(url, is_fixed=checksum is not None)
    if fault := _fault(content, checksum):
        raise CorruptObjectError(
            f"The file {url} is damaged: {fault}.", hint="restore the file from a copy."
        )
    return content


def fetched_content(urls: Iterable[Url]) -> AbstractContextManager[None]:
    """Fetch remote files at once; until the end of the block `read_content` has them at hand."""
    return fetched(urls, is_fixed=has_checksum)


def damage(url: Url, content: bytes) -> str:
    """Return what is wrong with the content of a file, as far as its name tells, or ``""``."""
    return _fault(content, _checksum(url))


def has_checksum(url: Url) -> bool:
    """Return whether the name of a file tells its content."""
    return _checksum(url) is not None


def without_part(text: str) -> str:
    """Return the url of a whole file, where `text` may refer to a part: ``url:offset-length``."""
    return _PART.sub("", text)


def _checksum(url: Url) -> int | None:
    match = _NAME.search(url.to_str())
    return int(match[1], 16) if match else None


def _fault(content: bytes, checksum: int | None) -> str:
    if checksum is None or zlib.crc32(content) == checksum:
        return ""
    return f"the checksum in its name does not fit its {len(content)} bytes"
