"""Claiming a name and publishing a manifest under it: the step that makes an object exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.errors import (
    CorruptObjectError,
    ObjectExistsError,
    ObjectKindError,
    OptionError,
    UrlExistsError,
)
from tlc.format.layout import place_of
from tlc.format.listing import folder_names
from tlc.format.manifest import (
    MANIFEST,
    Head,
    RunManifest,
    TableManifest,
    decode_part,
    encode,
)
from tlc.format.names import check_case
from tlc.format.rebase import rebase_manifest
from tlc.url import IfExistsOption, Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator


def object_exists(folder: Url) -> bool:
    """Whether an object was published at `folder`."""
    return (folder / MANIFEST).exists()


def numbered(folder: Url) -> Iterator[Url]:
    """Yield `folder`, then its name with ``_0000``, ``_0001`` ..."""
    yield folder
    parent, name = folder.parent, folder.name
    for number in range(10_000):
        yield parent / f"{name}_{number:04d}"


def claim(folder: Url, if_exists: str, what: str) -> Url:
    """Return the url under which an object may be written.

    Args:
        folder: Where the caller wants it.
        if_exists: ``"rename"`` gives the first free numbered name; ``"overwrite"`` and ``"reuse"``
            give `folder`; ``"raise"`` gives `folder` if it is free.
        what: ``"table"`` or ``"run"``, for messages.

    Raises:
        ObjectExistsError: It exists, and `if_exists` is ``"raise"``.
        ObjectKindError: Something else than a `what` would be overwritten.
        NameNotAllowedError: Its name, or that of its dataset or project, differs from a sibling's
            only by case.
        OptionError: `if_exists` is none of the four.
    """
    option = check_option(if_exists)
    _check_cases(folder, what)
    if option is IfExistsOption.RENAME:
        return next(url for url in numbered(folder) if not object_exists(url))
    if option is IfExistsOption.RAISE and object_exists(folder):
        raise exists_error(folder, what)
    if option is IfExistsOption.OVERWRITE and object_exists(folder):
        _check_kind(folder, what)
    return folder


def check_option(if_exists: str, *, without: str = "") -> IfExistsOption:
    """Return the option of that name.

    Args:
        if_exists: What a caller gave.
        without: An option that makes no sense there.

    Raises:
        OptionError: There is none.
    """
    options = [option for option in IfExistsOption if option != without]
    if if_exists not in options:
        raise OptionError(
            f"if_exists={if_exists!r} is not possible here.",
            hint=f"it is one of {', '.join(repr(option.value) for option in options)}.",
        )
    return IfExistsOption(if_exists)


def _check_kind(folder: Url, what: str) -> None:
    """Refuse to overwrite an object of another kind; a damaged one may be overwritten."""
    try:
        kind = decode_part((folder / MANIFEST).read_bytes(), Head, folder).kind
    except CorruptObjectError:
        return
    if kind != what:
        raise ObjectKindError(
            f"{folder} is a {kind}, and is not overwritten by a {what}.", hint="choose another url."
        )


def _check_cases(folder: Url, what: str) -> None:
    place = place_of(folder)
    check_case(folder.name, folder_names(folder.parent), what)
    above = folder.parent.parent
    if place.dataset:
        check_case(above.name, folder_names(above.parent), "dataset")
        above = above.parent.parent
    if place.project:
        check_case(above.name, folder_names(above.parent), "project")


def publish_table(folder: Url, manifest: TableManifest, if_exists: str) -> Url:
    """Write the manifest of a table where `claim` said, and return where it is in the end.

    Of several writers racing for one name exactly one wins. With ``"rename"`` the others go on to
    the next free name; the manifest there refers to the files where they were written.

    Raises:
        ObjectExistsError: Somebody else was faster, and `if_exists` is ``"raise"`` or ``"reuse"``.
    """
    option = check_option(if_exists)
    if option is IfExistsOption.OVERWRITE:
        (folder / MANIFEST).write_bytes(encode(manifest))
        return folder
    candidates = numbered(folder) if option is IfExistsOption.RENAME else [folder]
    for url in candidates:
        if create(url, rebase_manifest(manifest, folder, url)):
            return url
    raise exists_error(folder, "table")


def create(folder: Url, manifest: TableManifest | RunManifest) -> bool:
    """Write a manifest if there is none; return whether this call did."""
    try:
        UrlAdapterRegistry.create_binary_content_at_url(folder / MANIFEST, encode(manifest))
    except UrlExistsError:
        return False
    return True


def exists_error(folder: Url, what: str) -> ObjectExistsError:
    """Return the error that says that something is there already."""
    return ObjectExistsError(
        f"A {what} exists already at {folder}.",
        hint='pass if_exists="rename", "overwrite" or "reuse", or choose another name.',
    )
