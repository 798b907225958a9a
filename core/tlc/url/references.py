"""Where what is stored somewhere may lead whoever reads it."""

from __future__ import annotations

from tlc.errors import CorruptObjectError
from tlc.url.options import Scheme
from tlc.url.text import split
from tlc.url.url import Url

__all__ = ["follow"]

_WEB = (Scheme.HTTP, Scheme.HTTPS)


def follow(reference: str, owner: Url) -> Url:
    """Return the absolute url that an object refers to.

    Files on this machine and in object stores may lie anywhere: a revision needs files of other
    tables, and only a Parquet file that the manifest describes is read. A request to a web server,
    such as one that only this machine can reach, has effects by itself; so it goes only to the
    server that the object came from.

    Args:
        reference: The url, as it is stored.
        owner: Folder of the object.

    Raises:
        CorruptObjectError: It leads to another web server.
    """
    url = Url(reference).to_absolute(owner)
    if url.scheme in _WEB and split(str(url)).root != split(str(owner.to_absolute())).root:
        raise CorruptObjectError(
            f"{owner} refers to {url}, a web server that it did not come from; nothing is read "
            "there.",
            hint="copy the table that it was made from, and make it anew from the copy.",
        )
    return url
