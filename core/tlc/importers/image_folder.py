"""Folders of images, one sub-folder per class."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnError, UrlNotFoundError
from tlc.importers.source import Batch, Source
from tlc.schemas import CategoricalLabelSchema, ImageSchema, MapElement
from tlc.url import Url
from tlc.url.expansion import AliasTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


def from_image_folder(
    root: Url,
    *,
    include_label_column: bool,
    image_column_name: str,
    label_column_name: str,
    extensions: Sequence[str] | None,
    label_overrides: Mapping[str, MapElement | str] | None,
) -> Source:
    """List images in torchvision's ImageFolder layout; no file is opened.

    Classes are the sub-folders of `root` in sorted order, ids from 0; files in sub-folders of a
    class belong to it. Without labels every image below `root` counts.

    Raises:
        UrlNotFoundError: `root` is not a folder, or there is no image.
        ColumnError: There are images in `root` itself, which belong to no class.
    """
    folder = root.to_absolute().to_local_path()
    if not folder.is_dir():
        raise UrlNotFoundError(
            f"There is no folder {folder}.", hint="give the folder that holds the images."
        )
    suffixes = tuple(
        (e if e.startswith(".") else f".{e}").lower() for e in (extensions or EXTENSIONS)
    )
    schema: dict[str, Any] = {image_column_name: ImageSchema()}
    if not include_label_column:
        images = list(_images(folder, suffixes))
        columns: dict[str, Any] = {image_column_name: images}
    else:
        classes, images, labels = _classes(folder, suffixes)
        elements = [_element(name, label_overrides or {}) for name in classes]
        schema[label_column_name] = CategoricalLabelSchema(classes=elements)
        columns = {image_column_name: images, label_column_name: labels}
    if not images:
        raise UrlNotFoundError(
            f"There is no image below {folder}.",
            hint=f"files ending in {', '.join(suffixes)} count.",
        )
    return Source(
        "image_folder",
        lambda: _relative_to_aliases(columns, image_column_name),
        schema,
        _fingerprint(folder, images),
    )


def _classes(folder: Path, suffixes: tuple[str, ...]) -> tuple[list[str], list[str], list[int]]:
    loose = [entry.name for entry in os.scandir(folder) if _is_image(entry, suffixes)]
    if loose:
        raise ColumnError(
            f"{folder} holds {len(loose)} images outside of class folders, such as {min(loose)!r}.",
            hint="pass include_label_column=False for images without labels.",
        )
    classes = sorted(
        e.name for e in os.scandir(folder) if e.is_dir() and not e.name.startswith(".")
    )
    images: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        images += _images(folder / name, suffixes)
        labels += [label] * (len(images) - len(labels))
    return classes, images, labels


def _images(folder: Path | str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """Yield the images below `folder`, sorted, each folder's files before its sub-folders."""
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    yield from (entry.path for entry in listed if _is_image(entry, suffixes))
    for entry in listed:
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _images(entry.path, suffixes)


def _is_image(entry: os.DirEntry[str], suffixes: tuple[str, ...]) -> bool:
    return (
        entry.name.lower().endswith(suffixes) and not entry.name.startswith(".") and entry.is_file()
    )


def _element(name: str, overrides: Mapping[str, MapElement | str]) -> MapElement:
    override = overrides.get(name, name)
    return override if isinstance(override, MapElement) else MapElement(override)


def _relative_to_aliases(columns: dict[str, Any], image_column: str) -> Iterator[Batch]:
    apply = AliasTable().apply
    yield {**columns, image_column: [apply(path) for path in columns[image_column]]}


def _fingerprint(folder: Path, images: Iterable[str]) -> dict[str, Any]:
    start = len(str(folder)) + 1
    names = "\n".join(path[start:] for path in images)
    return {
        "url": Url(folder).to_relative().to_str(),
        "images": names.count("\n") + 1,
        "digest": hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest(),
    }
