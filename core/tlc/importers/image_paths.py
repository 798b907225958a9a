"""Which file an annotation file means, where names come from other machines and programs."""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tlc.importers.folders import IMAGE_SUFFIXES
from tlc.url.text import is_absolute, normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DOTS = re.compile(r"/(\.{0,2})/")
_DRIVE = re.compile(r"^[A-Za-z]:")
_WEB = re.compile(r"^(<[A-Z]|[A-Za-z][A-Za-z0-9+.-]+://)")


class ImagePaths:
    """Finds the files of image names below a folder, each folder being listed once.

    Args:
        folder: Absolute path.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder.rstrip("/")
        self._listed: dict[str, dict[str, bool]] = {}
        """The names in each folder, and whether somebody asked for them."""

    def find(self, name: str) -> tuple[str, str] | None:
        """Return the path of an image, and what had to be done to its name to find it.

        Returns:
            None if there is no such file; "" in second place if the name is as it should be.
        """
        found = self._as_it_is(name)
        if found is not None:
            return found, ""
        for rule, attempt in _ATTEMPTS.items():
            for each in attempt(name):
                if each and each != name and (found := self._as_it_is(each)):
                    return found, rule
        return None

    def find_plain(self, names: list[str]) -> list[str | None]:
        """Return the paths of those images that lie in the folder itself, by just that name.

        That is all of them in most data sets, and a tenth of the time of `find`.
        """
        there, start = self._names(""), self._place("")
        found = [f"{start}{name}" if name in there else None for name in names]
        there.update(dict.fromkeys(there.keys() & set(names), True))
        return found

    def path(self, name: str) -> str:
        """Return where an image would be by its name, whether it is there or not."""
        plain = name if is_absolute(name) and not _DRIVE.match(name) else name.replace("\\", "/")
        return normalise(plain) if is_absolute(plain) else f"{self._folder}/{plain}"

    def unlisted(self) -> list[str]:
        """Return the images that nobody asked for, in folders of images that somebody did."""
        return [
            f"{self._place(place)}{name}"
            for place, names in self._listed.items()
            if any(names.values())
            for name in sorted(name for name, is_used in names.items() if not is_used)
            if name.lower().endswith(IMAGE_SUFFIXES)
        ]

    def _as_it_is(self, name: str) -> str | None:
        last = name.rpartition("/")[2]
        place = name[: len(name) - len(last)]
        names = self._names(place)
        if last not in names:
            return None
        names[last] = True
        path = f"{self._place(place)}{last}"
        return os.path.normpath(path) if _DOTS.search(path) else path

    def _place(self, place: str) -> str:
        return place if place.startswith("/") else f"{self._folder}/{place}"

    def _names(self, place: str) -> dict[str, bool]:
        names = self._listed.get(place)
        if names is None:
            names = self._listed[place] = _files(self._place(place))
        return names


def is_elsewhere(name: str) -> bool:
    """Whether an image name is a url, so that no folder is looked into."""
    return bool(_WEB.match(name)) and not name.startswith("file:")


def _files(folder: str) -> dict[str, bool]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: False for entry in entries if entry.is_file()}
    except (OSError, ValueError):
        return {}


def _as_file_url(name: str) -> Iterator[str]:
    if name.startswith("file://"):
        yield name.removeprefix("file://")


def _with_slashes(name: str) -> Iterator[str]:
    if "\\" in name:
        yield _DRIVE.sub("", name).replace("\\", "/").lstrip("/")


def _unescaped(name: str) -> Iterator[str]:
    if "%" in name:
        yield unquote(name)


def _other_form(name: str) -> Iterator[str]:
    if not name.isascii():
        yield unicodedata.normalize("NFC", name)
        yield unicodedata.normalize("NFD", name)


def _shorter(name: str) -> Iterator[str]:
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".", "..")]
    for start in range(len(parts)):
        yield "/".join(parts[start:])


_ATTEMPTS: dict[str, Callable[[str], Iterator[str]]] = {
    "its scheme was left out": _as_file_url,
    "its backslashes were taken for slashes": _with_slashes,
    "its percent signs were taken for those of urls": _unescaped,
    "its letters were composed otherwise": _other_form,
    "its first folders were left out": _shorter,
}
