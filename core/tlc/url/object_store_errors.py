"""What the errors of `obstore` mean to `tlc`."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tlc.errors import (
    StorageError,
    StoragePermissionError,
    TlcError,
    UnsettledWriteError,
    UnsupportedOperationError,
    UrlExistsError,
    UrlNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.url.url import Url

__all__ = ["errors_of", "not_found", "writing_errors_of"]

_STATUS = re.compile(r"status code: (\d{3})")
_MAY_HAVE_LANDED = {408, 409, 412, 425, 429}
_LONGEST = 300


@contextmanager
def errors_of(url: Url) -> Iterator[None]:
    """Raise errors of `tlc`, which name the url, for those of `obstore`."""
    try:
        yield
    except FileNotFoundError as error:
        raise not_found(url) from error
    except BaseException as error:
        # By the names of their classes: `obstore` need not be loaded to know them.
        if (meaning := _meaning(error, url)) is not None:
            raise meaning from error
        raise


@contextmanager
def writing_errors_of(url: Url) -> Iterator[None]:
    """Do as `errors_of`; `UnsettledWriteError` if a file may have been written in spite of it."""
    try:
        with errors_of(url):
            yield
    except UrlNotFoundError as error:
        raise UrlNotFoundError(
            f"{url} cannot be written: its bucket or container does not exist.",
            hint="make it with the tools of the store; tlc makes none.",
        ) from error
    except StorageError as error:
        if isinstance(error, StoragePermissionError) or _is_refusal(error.message):
            raise
        raise UnsettledWriteError(error.message) from error


def not_found(url: Url) -> UrlNotFoundError:
    """Return the error that says that nothing is there."""
    return UrlNotFoundError(f"Nothing exists at {url}.")


def _meaning(error: BaseException, url: Url) -> TlcError | None:
    kinds = [kind.__name__ for kind in type(error).__mro__]
    if "BaseError" not in kinds:
        return None
    if "AlreadyExistsError" in kinds:
        return UrlExistsError(f"Something exists already at {url}.")
    if "PermissionDeniedError" in kinds or "UnauthenticatedError" in kinds:
        return StoragePermissionError(
            f"The store refuses access to {url}: {_words(error)}",
            hint="docs/stores.md says where credentials are looked for.",
        )
    if "NotSupportedError" in kinds:
        return UnsupportedOperationError(f"The store of {url} cannot do this: {_words(error)}")
    if _status(str(error)) == 404:  # a bucket, when it is listed
        return not_found(url)
    return StorageError(
        f"The store of {url} does not answer as it should: {_words(error)}",
        hint="docs/stores.md says where credentials and endpoints are looked for.",
    )


def _is_refusal(message: str) -> bool:
    status = _status(message)
    return status is not None and 400 <= status < 500 and status not in _MAY_HAVE_LANDED


def _status(message: str) -> int | None:
    found = _STATUS.search(message)
    return int(found[1]) if found else None


def _words(error: BaseException) -> str:
    # A query may hold a signature, and what follows repeats it all in the words of Rust.
    text = str(error).partition("Debug source")[0]
    text = re.sub(r"\?\S+", "", " ".join(text.split()))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
