"""Folders of images, one sub-folder per class."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tlc.errors import ColumnError, UrlNotFoundError
from tlc.importers.folders import IMAGE_SUFFIXES, find_files, list_folder, local_folder
from tlc.importers.source import Source
from tlc.schemas import CategoricalLabelSchema, ImageSchema, MapElement
from tlc.url import Url
from tlc.url.expansion import AliasTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def from_image_folder(
    root: Url,
    *,
    include_label_column: bool,
    image_column_name: str,
    label_column_name: str,
    extensions: Sequence[str] | None,
    label_overrides: Mapping[str, MapElement | str] | None,
    mask_folder: Url | None,
    mask_column_name: str,
) -> Source:
    """List images in torchvision's ImageFolder layout; no file is opened.

    Classes are the sub-folders of `root` in sorted order, ids from 0; files in sub-folders of a
    class belong to it. Without labels every image below `root` counts. The mask of an image lies at
    the same place below `mask_folder`, with any ending.

    Raises:
        UrlNotFoundError: A folder is none, or there is no image.
        ColumnError: There are images in `root` itself, which belong to no class; or none of them
            has a mask, or one has two.
    """
    folder = local_folder(root, "the images")
    suffixes = tuple(
        (e if e.startswith(".") else f".{e}").lower() for e in (extensions or IMAGE_SUFFIXES)
    )
    schema: dict[str, Any] = {image_column_name: ImageSchema()}
    labels: dict[str, Any] = {}
    if not include_label_column:
        images = find_files(folder, suffixes)
    else:
        classes = _classes(folder, suffixes)
        listed = [find_files(os.path.join(folder, name), suffixes) for name in classes]
        images = [image for part in listed for image in part]
        ids = np.arange(len(classes), dtype=np.int32)
        labels[label_column_name] = np.repeat(ids, [len(part) for part in listed])
        elements = [_element(name, label_overrides or {}) for name in classes]
        schema[label_column_name] = CategoricalLabelSchema(classes=elements)
    if not images:
        raise UrlNotFoundError(
            f"There is no image below {folder}.",
            hint=f"files ending in {', '.join(suffixes)} count.",
        )
    fingerprint = _fingerprint(folder, images)
    masks: dict[str, Any] = {}
    if mask_folder is not None:
        place = local_folder(mask_folder, "the masks")
        found = _masks(folder, images, place)
        schema[mask_column_name] = ImageSchema()
        masks[mask_column_name] = _urls(found)
        fingerprint["masks"] = _fingerprint(place, [mask or "" for mask in found])
    return Source(
        "image_folder",
        lambda: iter([{image_column_name: _urls(images), **labels, **masks}]),
        schema,
        fingerprint,
    )


def _masks(folder: str, images: list[str], mask_folder: str) -> list[str | None]:
    """Return the mask of each image; None where there is none."""
    known: dict[str, str] = {}
    for mask in find_files(mask_folder, IMAGE_SUFFIXES):
        name = os.path.splitext(os.path.relpath(mask, mask_folder))[0]
        if name in known:
            raise ColumnError(
                f"{known[name]} and {mask} are masks of the same image.", hint="keep one of them."
            )
        known[name] = mask
    names = (os.path.splitext(os.path.relpath(image, folder))[0] for image in images)
    found = [known.get(name) for name in names]
    if not any(found):
        raise ColumnError(
            f"None of the images below {folder} has a mask in {mask_folder}.",
            hint="the mask of a/b.jpg is a/b.png there.",
        )
    return found


def _classes(folder: str, suffixes: tuple[str, ...]) -> list[str]:
    loose, classes = list_folder(folder, suffixes)
    if loose:
        raise ColumnError(
            f"{folder} holds {len(loose)} images outside of class folders, such as {loose[0]!r}.",
            hint="pass include_label_column=False for images without labels.",
        )
    return classes


def _element(name: str, overrides: Mapping[str, MapElement | str]) -> MapElement:
    override = overrides.get(name, name)
    return override if isinstance(override, MapElement) else MapElement(override)


def _urls(images: Sequence[str | None]) -> pa.Array | Sequence[str | None]:
    aliases = AliasTable()
    urls = [path and aliases.apply(path) for path in images] if aliases else images
    try:
        return pa.array(urls, pa.string())
    except UnicodeEncodeError:
        return urls  # the table names the row whose file has a name that is no text


def _fingerprint(folder: str, images: list[str]) -> dict[str, Any]:
    start = os.path.join(folder, "")
    names = "\n".join(images).removeprefix(start).replace(f"\n{start}", "\n")
    return {
        "url": Url(folder).to_relative().to_str(),
        "images": len(images),
        "digest": hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest(),
    }
