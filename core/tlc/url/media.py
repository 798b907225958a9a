"""Reading files that samples are made of: from the disk, or from a store by way of a local cache.

A batch of samples fetches its remote files at once. Files of this machine are read as ever.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tlc.configuration import Configuration
from tlc.errors import TlcError
from tlc.url.at_hand import AT_HAND, content_at_hand
from tlc.url.content_cache import ContentCache
from tlc.url.registry import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tlc.url.url import Url

__all__ = ["fetched", "read_media"]


def read_media(url: Url, *, is_fixed: bool = False) -> bytes:
    """Return the content of a file.

    A remote file is taken from the local cache if it has not changed since.

    Args:
        url: The file.
        is_fixed: Whether the content at this url can never change, so that nobody need be asked.

    Raises:
        UrlNotFoundError: There is no such file.
    """
    text = url.to_str()
    if text.startswith("/"):
        return url.read_bytes()
    found = content_at_hand(text)
    return _read(url, is_fixed=is_fixed) if found is None else found


@contextmanager
def fetched(urls: Iterable[Url], is_fixed: Callable[[Url], bool]) -> Iterator[None]:
    """Fetch remote files at once; until the end of the block `read_media` and `Url` give them.

    What goes wrong with a file is raised when it is read.

    Args:
        urls: The files; those on this machine are left out.
        is_fixed: Says of a url whether its content can never change.
    """
    from tlc.url.parallel import in_parallel  # late: threads are needed for remote files only

    remote = list(dict.fromkeys(url for url in urls if not url.to_str().startswith("/")))
    contents = in_parallel(partial(_read_or_error, is_fixed=is_fixed), remote)
    before = AT_HAND.get() or {}
    token = AT_HAND.set({**before, **dict(zip(map(str, remote), contents, strict=True))})
    try:
        yield
    finally:
        AT_HAND.reset(token)


def _read_or_error(url: Url, is_fixed: Callable[[Url], bool]) -> bytes | TlcError:
    try:
        return _read(url, is_fixed=is_fixed(url))
    except TlcError as error:
        return error


def _read(url: Url, *, is_fixed: bool) -> bytes:
    adapter, place = UrlAdapterRegistry.resolve(url)
    cache = _cache()
    if cache is None or not adapter.is_remote():
        return adapter.read_binary_content_from_url(place)
    known = cache.find(place.to_str())
    if known and is_fixed:
        return known.content
    content, tag = adapter.read_if_changed(place, known.tag if known else None)
    if content is None:
        assert known is not None
        return known.content
    if tag:
        cache.keep(place.to_str(), tag, content)
    return content


def _cache() -> ContentCache | None:
    configuration = Configuration.instance()
    limit = configuration.media_cache_size
    return _cache_in(configuration.cache_folder, limit) if limit else None


@lru_cache(maxsize=8)
def _cache_in(folder: str, limit: int) -> ContentCache:
    return ContentCache(Path(folder, "media-1"), limit)
