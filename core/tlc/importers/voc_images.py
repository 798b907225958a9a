"""The images that annotation files of Pascal VOC are about."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tlc.errors import ImageReadError
from tlc.importers.folders import IMAGE_SUFFIXES, find_files
from tlc.importers.image_headers import image_size
from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.voc_xml import as_number
from tlc.importers.yolo_images import shown

if TYPE_CHECKING:
    from collections.abc import Mapping


class VocImage(NamedTuple):
    """An image: its path, and its width and height in pixels."""

    path: str
    size: tuple[int, int]


class VocImages:
    """Finds images in a folder, and reports what is odd about them.

    Args:
        folder: Absolute path.
        problems: Gets images that are not there (``IMG_MISSING``), that cannot be read
            (``IMG_UNREADABLE``), whose names are no text (``NAME_NOT_TEXT``), or that two files are
            about (``DUP_ID``), and notes: of images that were found in another way than by
            ``filename`` (``PATH_MATCHED``), that are of another size than their file says
            (``SIZE_MISMATCH``), and that no file is about (``IMG_UNLISTED``).
    """

    def __init__(self, folder: str, problems: Problems) -> None:
        self._folder = folder
        self._problems = problems
        self._owners: dict[str, str] = {}

    def find(self, file: str, values: Mapping[str, str]) -> VocImage | None:
        """Return the image that an annotation file is about.

        Args:
            file: The annotation file.
            values: Its ``filename``, ``width`` and ``height``, as far as it has them.
        """
        name = values.get("filename", "")
        path, literal = self._path(name, file)
        if path is None:
            what = f"there is no image {shortened(repr(name))} in {shown(self._folder)}"
            self._add("IMG_MISSING", file, what)
            return None
        if path in self._owners:
            self._add("DUP_ID", file, f"it is about the image of {self._owners[path]}", name)
            return None
        self._owners[path] = file
        if not _is_text(path):
            self._add("NAME_NOT_TEXT", file, "the name of the image is no UTF-8 text")
            return None
        try:
            actual = image_size(path)
        except (ImageReadError, OSError) as error:
            self._add("IMG_UNREADABLE", file, str(error).rstrip("."))
            return None
        if not literal:
            self._note("PATH_MATCHED", file, f"there is no such image; {path} is taken", name)
        return VocImage(path, self._size(file, values, actual))

    def note_unlisted(self) -> None:
        """Report the images that no annotation file is about."""
        for path in find_files(self._folder, IMAGE_SUFFIXES):
            if path not in self._owners:
                self._note("IMG_UNLISTED", shown(path), "no annotation file is about the image")

    def _path(self, name: str, file: str) -> tuple[str | None, bool]:
        """Return where an image is, and whether it is named as it should be."""
        forward = name.replace("\\", "/")
        for way in (name, forward, forward.rpartition("/")[2]):
            path = os.path.normpath(os.path.join(self._folder, way))
            if way and "\0" not in way and os.path.isfile(path):
                return path, way == name
        stems = [os.path.splitext(os.path.basename(each))[0] for each in (forward, file)]
        found = [path for stem in stems if stem for path in self._by_stem.get(stem, [])]
        return (found[0], False) if len(set(found)) == 1 else (None, False)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in find_files(self._folder, IMAGE_SUFFIXES):
            found.setdefault(os.path.splitext(os.path.basename(path))[0], []).append(path)
        return found

    def _size(
        self, file: str, values: Mapping[str, str], actual: tuple[int, int]
    ) -> tuple[int, int]:
        """Return the size that boxes refer to: what the file says, if it says something."""
        width, height = (_pixels(values.get(name, "")) for name in ("width", "height"))
        if not width or not height:
            if "width" in values or "height" in values:
                message = f"the size is missing or none; that of the image is {actual}"
                self._note("SIZE_MISMATCH", file, message)
            return actual
        if (width, height) != actual:
            turned = " as it is stored, before it is turned" if (height, width) == actual else ""
            message = f"the size is {(width, height)}{turned}; that of the image is {actual}"
            self._note("SIZE_MISMATCH", file, message)
        return width, height

    def _add(self, code: str, file: str, message: str, value: str = "") -> None:
        self._problems.add(_problem(code, file, message, value))

    def _note(self, code: str, file: str, message: str, value: str = "") -> None:
        self._problems.note(_problem(code, file, message, value))


def _problem(code: str, file: str, message: str, value: str) -> Problem:
    return Problem(code=code, file=file, record="", value=shortened(value), message=message)


def _pixels(text: str) -> int:
    """Return a number of pixels; 0 if it is none."""
    number = as_number(text) or 0
    return int(number) if 0 < number < 1 << 31 and number == int(number) else 0


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
