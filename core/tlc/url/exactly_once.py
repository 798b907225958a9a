"""Creating a file in a store exactly once, though answers get lost on the way.

A store creates a file only if there is none. But when its answer is lost, or says that the file
exists after one's own request was sent twice, the writer cannot tell whether it was the one. So
each write carries an id that is stored with the file, and is read back when in doubt. Nothing is
ever deleted, and a request is only sent again while the file is known to be missing: with the same
id, so that it does not matter which of the two lands.
"""

from __future__ import annotations

import random
import time
import uuid
from typing import TYPE_CHECKING, Protocol

from tlc.errors import StorageError, UnsettledWriteError, UrlExistsError, UrlNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tlc.url.url import Url

__all__ = ["WRITE_ID", "PutsIfAbsent", "create_once"]

WRITE_ID = "tlc_write_id"
"""Name of the metadata of a file that holds the id of the write. Azure wants an identifier."""

_ATTEMPTS = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


class PutsIfAbsent(Protocol):
    """What a store must be able to do."""

    def put_if_absent(self, url: Url, content: bytes, write_id: str) -> None:
        """Send one request that writes a file, with an id, if there is none.

        Raises:
            UrlExistsError: The store says that there is one, or that somebody is writing it.
            UnsettledWriteError: There is no clear answer: the file may have been written or not.
            TlcError: The store has refused, and has written nothing.
        """
        ...

    def read_write_id(self, url: Url) -> str | None:
        """Return the id that a file was written with; None if it has none.

        Raises:
            UrlNotFoundError: There is no file.
            StorageError: The store does not answer.
        """
        ...


def create_once(
    store: PutsIfAbsent,
    url: Url,
    content: bytes,
    *,
    sleep: Callable[[float], object] | None = None,
) -> None:
    """Write a file that must not exist.

    Args:
        store: Where.
        url: The file.
        content: Its content.
        sleep: Waits for some seconds before another attempt; `time.sleep` if None.

    Raises:
        UrlExistsError: Somebody else has written it.
        UnsettledWriteError: The store did not say, even after several attempts, whether the file
            was written. Nothing was removed.
    """
    write_id = uuid.uuid4().hex
    doubt: Exception | None = None
    for attempt in range(_ATTEMPTS):
        if attempt:
            (sleep or time.sleep)(_pause(attempt))
        try:
            store.put_if_absent(url, content, write_id)
        except (UrlExistsError, UnsettledWriteError) as error:
            doubt = error
        else:
            return
        holder = _holder(store, url)
        if holder == write_id:
            return
        if holder is not None:
            raise UrlExistsError(f"Something exists already at {url}.") from doubt
    raise UnsettledWriteError(
        f"It is not known whether {url} was written: {getattr(doubt, 'message', doubt)}",
        hint="look whether it is there once the store answers again; nothing was removed.",
    ) from doubt


def _holder(store: PutsIfAbsent, url: Url) -> str | None:
    """Return the write id of a file, ``""`` if it has none; None if none is known to be there."""
    try:
        return store.read_write_id(url) or ""
    except (UrlNotFoundError, StorageError):
        return None


def _pause(attempt: int) -> float:
    # Full jitter: of many writers that met, few meet again.
    return random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))
