"""`Url`: where bytes live."""

from __future__ import annotations

import importlib
import itertools
import os
import posixpath
from typing import TYPE_CHECKING, Any

from tlc.errors import AliasError, UnsupportedOperationError
from tlc.url import text as texts
from tlc.url.at_hand import content_at_hand
from tlc.url.expansion import AliasTable, expand
from tlc.url.registry import UrlAdapterRegistry

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Url"]


class Url:
    """A place: a local path, a url with a scheme, or either after an alias ``<NAME>``.

    Immutable and hashable; two are equal if their text is. A local path is kept as it is and every
    character of it belongs to the name of the file; ``file://`` urls become local paths. Asking for
    parts expands no alias: call `to_absolute` first. Reading and writing does so by itself.

    Args:
        url: Text, path or url.
    """

    __slots__ = ("_text",)

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self._text: str = url._text if isinstance(url, Url) else texts.normalise(os.fspath(url))

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Url({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Url) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[type[Url], tuple[str]]:
        return Url, (self._text,)

    def __fspath__(self) -> str:
        return os.fspath(self.to_local_path())

    def __truediv__(self, part: str | os.PathLike[str]) -> Url:
        other = part._text if isinstance(part, Url) else os.fspath(part)
        return Url(texts.join(self._text, other))

    def to_str(self) -> str:
        """Return the text."""
        return self._text

    @property
    def scheme(self) -> str:
        """The scheme, ``"file"`` for a path; equal to the member of `Scheme` if there is one."""
        return texts.scheme_of(self._text)

    @property
    def path(self) -> str:
        """The text without scheme and query: ``/a`` of ``x:///a?q``, ``host/a`` of ``x://host/a``."""
        root, path, _ = texts.split(self._text)
        if texts.is_local(self._text):
            return root + path
        host = root.partition("://")[2]
        return texts.normalise(path[1:]) if not host and texts.is_drive(path[1:]) else host + path

    @property
    def query(self) -> str:
        """What follows the first ``?``, as it is; always empty for a local path."""
        return texts.split(self._text).query

    @property
    def parts(self) -> tuple[str, ...]:
        """The root, if it has one, and the names of the path."""
        root, path, _ = texts.split(self._text)
        if texts.is_local(self._text) and path.startswith("/"):
            root += "/"
        return (*([root] if root else []), *filter(None, path.split("/")))

    @property
    def name(self) -> str:
        """The last name of the path; empty for a root."""
        return posixpath.basename(texts.split(self._text).path.rstrip("/"))

    @property
    def parent(self) -> Url:
        """The folder that this is in; a root is its own parent."""
        root, path, _ = texts.split(self._text)
        folder = posixpath.dirname(path.rstrip("/"))
        if root or folder:
            return Url(f"{root}{folder}")
        if path.startswith("/"):
            return self
        return Url(f"{path}/.." if texts.has_alias(path) else ".")

    @property
    def is_absolute(self) -> bool:
        """Whether it means the same wherever it is read: not relative to a folder."""
        return texts.is_absolute(self._text)

    def to_absolute(self, owner: str | os.PathLike[str] | None = None) -> Url:
        """Return the url with aliases expanded and ``.`` and ``..`` resolved.

        An alias that is not known stays.

        Args:
            owner: Folder that a relative url starts from, such as the url of a table; the working
                directory if not given.

        Raises:
            AliasError: Aliases refer to each other in a circle.
        """
        text = self._text
        if text.startswith("/") and "/." not in text and "//" not in text:
            return self  # most urls, tens of thousands of them at a time
        text = expand(text)
        if not texts.is_absolute(text):
            base = Url(os.getcwd()) if owner is None else Url(owner).to_absolute()
            text = texts.join(base._text, text)
        return Url(text if texts.has_alias(text) else texts.tidy(text))

    def to_relative(self, owner: str | os.PathLike[str] | None = None) -> Url:
        """Return the url in the form to store.

        Without an owner: the longest start of it that has an alias is replaced by the alias, and a
        relative url becomes absolute, so that the result can be used from anywhere. With an owner:
        the way from there to here. What has no such form stays absolute: a url of another scheme or
        host than the owner, or whose adapter does not want it, or that has no adapter. A url that
        starts with an alias stays as it is.

        Args:
            owner: Folder to start from, such as the url of a table.

        Raises:
            AliasError: Aliases refer to each other in a circle, or that of the owner is not known.
        """
        if texts.has_alias(self._text):
            return self
        absolute = self.to_absolute()
        adapter = UrlAdapterRegistry.find(absolute.scheme)
        if adapter is None or not adapter.supports_relativization():
            return absolute
        if owner is None:
            return absolute.apply_aliases()
        base = Url(owner).expand_aliases(allow_unexpanded=False).to_absolute()
        way = texts.relative(absolute._text, base._text)
        return absolute if way is None else Url(way)

    def apply_aliases(self) -> Url:
        """Replace the longest start of an absolute url that has an alias by the alias.

        For many urls at once take one `tlc.url.expansion.AliasTable`.

        Raises:
            AliasError: Aliases refer to each other in a circle.
        """
        if not self.is_absolute or texts.has_alias(self._text):
            return self
        absolute = self.to_absolute()._text
        applied = AliasTable().apply(absolute)
        return self if applied == absolute else Url(applied)

    def expand_aliases(self, allow_unexpanded: bool = True) -> Url:
        """Replace the alias at the start by what it stands for.

        Args:
            allow_unexpanded: Whether an alias that is not known may stay.

        Raises:
            AliasError: The alias is not known and must not stay, or aliases form a circle.
        """
        if not self._text.startswith("<"):
            return self
        expanded = expand(self._text)
        if texts.has_alias(expanded) and not allow_unexpanded:
            token = expanded.partition(">")[0]
            raise AliasError(
                f"The alias {token}> of {self._text} is not known.",
                hint=f"Set TLC_ALIAS_{token[1:]}, or call tlc.register_url_alias.",
            )
        return Url(expanded)

    def to_local_path(self) -> Path:
        """Return the absolute path of a file that the operating system can open.

        Raises:
            UnsupportedOperationError: The url is not on this machine.
        """
        adapter, url = UrlAdapterRegistry.resolve(self)
        path = adapter.local_path(url)
        if path is None:
            raise UnsupportedOperationError(
                f"{self} is not a file on this machine.",
                hint="Read it with Url.read_bytes, or copy it to a local path.",
            )
        return path

    def exists(self) -> bool:
        """Return whether there is a file or folder."""
        return UrlAdapterRegistry.exists(self)

    def read_bytes(self) -> bytes:
        """Return the content of the file.

        Raises:
            UrlNotFoundError: There is none.
        """
        if not self._text.startswith("/") and (content := content_at_hand(self._text)) is not None:
            return content
        return UrlAdapterRegistry.read_binary_content_from_url(self)

    def read(self) -> str:
        """Return the content of the file, which is UTF-8 text.

        Raises:
            UrlNotFoundError: There is none.
        """
        return self.read_bytes().decode()

    def write_bytes(self, content: bytes) -> Url:
        """Write the file or replace it: others see the old content or the new, never a part.

        Returns:
            Where the content landed.

        Raises:
            UnsupportedOperationError: The adapter of the url cannot write.
        """
        return UrlAdapterRegistry.write_binary_content_to_url(self, content)

    def delete(self) -> None:
        """Delete the file.

        Raises:
            UrlNotFoundError: There is none.
            UnsupportedOperationError: It is a folder; see `UrlAdapterRegistry.delete_tree`.
        """
        UrlAdapterRegistry.delete_url(self)

    def create_sibling(self, name: str) -> Url:
        """Return the url of that name in the same folder."""
        return self.parent / name

    def create_unique(self) -> Url:
        """Return this url if it is free, else the first free of ``name_0000``, ``name_0001`` ...

        A suffix stays at the end: ``a.json``, ``a_0000.json``. Another process may take the url
        before you do; `UrlAdapterRegistry.create_binary_content_at_url` finds out.
        """
        if not self.exists():
            return self
        stem, suffix = posixpath.splitext(self.name)
        if UrlAdapterRegistry.is_dir(self):
            stem, suffix = self.name, ""
        numbered = (self.create_sibling(f"{stem}_{n:04d}{suffix}") for n in itertools.count())
        return next(url for url in numbered if not url.exists())

    @property
    def object(self) -> Any:
        """The table or run at the url.

        Raises:
            ObjectNotFoundError: There is none.
        """
        # The one place that looks up to a higher layer, and only when it is asked to.
        return importlib.import_module("tlc.objects").open_object(self)
