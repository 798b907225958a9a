"""Which images a YOLO data set has, and where their label files are."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tlc.errors import UrlNotFoundError
from tlc.importers.folders import IMAGE_SUFFIXES, find_files, read_file
from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.text_file import MARK, SAVE_AS_UTF8, check_start
from tlc.url.expansion import AliasTable
from tlc.url.refusals import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

_DEEPEST = 16
_NO_LABELS = frozenset(("classes.txt",))


@dataclass
class Listed:
    """Images in the order of their rows.

    Attributes:
        images: Absolute paths; not all need exist.
        origins: For images that a file lists: that file and the line.
        repaired: Lines that named an image in another way than by a path from here, and the image.
    """

    images: list[str] = field(default_factory=list)
    origins: dict[int, tuple[str, int]] = field(default_factory=dict)
    repaired: list[tuple[str, int, str, str]] = field(default_factory=list)


def list_images(places: Sequence[str], roots: Sequence[str] = ()) -> Listed:
    """Return the images in folders, in text files that list them, and single ones.

    Args:
        places: Absolute paths, each of a folder, a text file with one image per line, or an image.
        roots: Further folders that relative paths in text files may start from.

    Raises:
        UrlNotFoundError: A place does not exist, or no image is found at all.
    """
    listed = Listed()
    for place in places:
        if os.path.isdir(place):
            listed.images += find_files(place, IMAGE_SUFFIXES)
        elif not os.path.exists(place):
            raise UrlNotFoundError(
                f"There is no folder or file {shown(place)}.",
                hint="give a folder of images, a text file that lists them, or their paths.",
            )
        elif place.lower().endswith(".txt"):
            _read_list(place, roots, listed)
        else:
            listed.images.append(place)
    if not listed.images:
        raise UrlNotFoundError(
            f"There is no image in {', '.join(map(shown, places)) or 'an empty list'}.",
            hint=f"files ending in {', '.join(IMAGE_SUFFIXES)} count.",
        )
    return listed


def label_file(image: str) -> str:
    """Return where the labels of an image are.

    The last folder of its path that is named ``images``, in letters of any size, is replaced by
    ``labels``; without one they are beside the image. Where the folder is named ``Images`` or
    ``IMAGES``, ``Labels`` or ``LABELS`` is taken if that exists.
    """
    folder, _, name = image.rpartition("/")
    stem = os.path.splitext(name)[0]
    parts = folder.split("/")
    for at in range(len(parts) - 1, -1, -1):
        if parts[at].lower() == "images":
            rest = "/".join([*parts[at + 1 :], f"{stem}.txt"])
            start = "/".join(parts[:at])
            return f"{start}/{_labels_folder(start, parts[at])}/{rest}"
    return f"{folder}/{stem}.txt"


def _labels_folder(start: str, images: str) -> str:
    if images == "images":
        return "labels"
    alike = "LABELS" if images.isupper() else "Labels"
    return alike if os.path.isdir(f"{start}/{alike}") else "labels"


def check_listed(listed: Listed, labels: Sequence[str], problems: Problems) -> list[bool]:
    """Report what is odd about a list of images, and return which of them to keep.

    Args:
        listed: The images.
        labels: Their label files.
        problems: Gets images that are listed twice (``DUP_ID``) or whose names are no text
            (``NAME_NOT_TEXT``), and notes: of names that were found in another way
            (``PATH_MATCHED``), of images that share a label file (``LABEL_SHARED``) and of label
            files without an image (``IMG_UNLISTED``).
    """
    keep: list[bool] = []
    seen: set[str] = set()
    for number, image in enumerate(listed.images):
        keep.append(_is_usable(listed, number, image, seen, problems))
    for file, line, text, image in listed.repaired:
        message = f"there is no such file; {shown(image)} is taken"
        problems.note(_problem("PATH_MATCHED", file, f"line {line}", text, message))
    pairs = dict.fromkeys(zip(labels, listed.images, strict=True))
    for label, count in Counter(label for label, _ in pairs).items():
        if count > 1 and os.path.exists(label):
            message = f"{count} images have these labels"
            problems.note(_problem("LABEL_SHARED", shown(label), "", "", message))
    for label in _unlisted(listed, labels):
        message = "there is no image for these labels"
        problems.note(_problem("IMG_UNLISTED", shown(label), "", "", message))
    return keep


def _is_usable(listed: Listed, number: int, image: str, seen: set[str], problems: Problems) -> bool:
    file, record = origin(listed, number)
    if image in seen:
        problems.add(_problem("DUP_ID", file, record, shown(image), "the image is listed twice"))
        return False
    seen.add(image)
    try:
        image.encode()
    except UnicodeEncodeError:
        hint = "rename the file."
        message = "the name of the file is no UTF-8 text"
        problems.add(_problem("NAME_NOT_TEXT", file, record, "", message, hint))
        return False
    return True


def origin(listed: Listed, number: int) -> tuple[str, str]:
    """Return the file and record that a problem with an image belongs to."""
    if number in listed.origins:
        file, line = listed.origins[number]
        return shown(file), f"line {line}"
    return shown(listed.images[number]), ""


def image_urls(paths: Sequence[str]) -> pa.Array:
    """Return paths of images as urls, with aliases where there are some for them."""
    import pyarrow as pa

    aliases = AliasTable()
    return pa.array([aliases.apply(path) for path in paths] if aliases else paths, pa.string())


def shown(path: str) -> str:
    """Return a path as a text that can be stored, with what is no text escaped."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _problem(
    code: str, file: str, record: str, value: str, message: str, hint: str = ""
) -> Problem:
    return Problem(
        code=code, file=file, record=record, value=shortened(value), message=message, hint=hint
    )


def _unlisted(listed: Listed, labels: Sequence[str]) -> Iterator[str]:
    """Return label files that belong to no image, in folders that hold nothing but labels."""
    if listed.origins:
        return
    known = set(labels)
    images = {os.path.dirname(image) for image in listed.images}
    for folder in sorted({os.path.dirname(label) for label in labels} - images):
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                path = f"{folder}/{name}"
                if name.endswith(".txt") and name not in _NO_LABELS and path not in known:
                    yield path


def _read_list(place: str, roots: Sequence[str], listed: Listed) -> None:
    try:
        data = read_file(place)
    except OSError as error:
        raise storage_error(error, shown(place)) from error
    check_start(data, shown(place), None, SAVE_AS_UTF8)
    data = data.removeprefix(MARK)
    bases = [os.path.dirname(place), *roots, os.getcwd()]
    for number, line in enumerate(data.splitlines(), 1):
        text = os.fsdecode(line)
        if not text.strip():
            continue
        image, literal = _find(text, bases)
        listed.origins[len(listed.images)] = (place, number)
        if not literal:
            listed.repaired.append((place, number, shown(text), image))
        listed.images.append(image)


def _find(text: str, bases: Sequence[str]) -> tuple[str, bool]:
    """Return the image that a line of a list means, and whether it is named as it should be."""
    first = os.path.normpath(os.path.join(bases[0], text.strip()))
    if "\0" in text:
        return first.replace("\0", "\\0"), True
    for name in (text, text.strip()):
        for base in bases:
            if os.path.exists(path := os.path.normpath(os.path.join(base, name))):
                return path, True
    for name in _readings(text.strip()):
        for base in bases:
            if os.path.exists(path := os.path.normpath(os.path.join(base, name))):
                return path, False
    return first, True


def _readings(text: str) -> Iterator[str]:
    """Return what a path may be here that was written on another system or machine."""
    forward = text.replace("\\", "/")
    for way in dict.fromkeys((forward, unquote(forward))):
        for form in ("NFC", "NFD"):
            yield unicodedata.normalize(form, way)
        parts = way.split("/")
        for start in range(max(1, len(parts) - _DEEPEST), len(parts)):
            yield "/".join(parts[start:])
