"""Data sets of `ultralytics` whose images and labels come from a table."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import OptionError
from tlc.integration.ultralytics._package import framework
from tlc.integration.ultralytics.images import as_file, is_local, local_copy

if TYPE_CHECKING:
    from tlc.integration.ultralytics.split import Split

_data: Any = framework("data.dataset")
_utilities: Any = framework("data.utils")

_FIRST = 5
"""So many images are tried by the framework where they have one class each."""


class TableDataset(_data.YOLODataset):  # type: ignore[misc]
    """Images with boxes, masks, poses or turned boxes, from the rows of a table.

    Nothing is read from label files, and none is cached beside the images. Where samples are not
    augmented, each has the number of its row as ``example_id``; an augmented one can be made of
    several rows.

    Args:
        split: The table.
        rows: Numbers of the rows that take part.
        **options: Arguments of ``YOLODataset``, but ``img_path`` and ``task``.
    """

    def __init__(self, split: Split, rows: Any, **options: Any) -> None:
        self.rows = np.asarray(rows)
        self._labels_of_rows, self._images_of_rows = split.labels, split.images
        images = (split.images[row] for row in self.rows.tolist())
        _check_cache(options.get("cache"), images)
        super().__init__(img_path=split.name, task=split.task, **options)
        del self._labels_of_rows, self._images_of_rows

    def get_img_files(self, img_path: Any) -> list[str]:
        """Return the urls of the images of the rows that take part."""
        self.rows = self.rows[: _count(self.fraction, len(self.rows))]
        images = [self._images_of_rows[row] for row in self.rows.tolist()]
        _check_speed(images, self.prefix)
        return images

    def get_labels(self) -> list[dict[str, Any]]:
        """Return the labels of the rows that take part."""
        labels = [dict(self._labels_of_rows[row]) for row in self.rows.tolist()]
        if self.augment:
            for label in labels:
                del label["example_id"]
        return labels

    def load_image(self, i: int, *arguments: Any, **options: Any) -> Any:
        """Load an image, from wherever it is; see ``YOLODataset.load_image``."""
        url = self.im_files[i]
        if is_local(url) or self.ims[i] is not None:
            return super().load_image(i, *arguments, **options)
        with as_file(url) as path:
            self.im_files[i] = path
            try:
                return super().load_image(i, *arguments, **options)
            finally:
                self.im_files[i] = url


class ClassificationTableDataset(_data.ClassificationDataset):  # type: ignore[misc]
    """Images with a class each, from the rows of a table.

    Each sample has the number of its row as ``example_id``.

    Args:
        split: The table.
        rows: Numbers of the rows that take part.
        args: Arguments of the training.
        augment: Whether to augment images.
        fraction: Share of the rows that is used, evenly spread; a whole number says how many.
    """

    def __init__(
        self, split: Split, rows: Any, args: Any, *, augment: bool, fraction: float
    ) -> None:
        rows = np.asarray(rows)
        count = _count(fraction, len(rows))
        if count < len(rows):
            rows = rows[np.linspace(0, len(rows) - 1, count, dtype=int)]
        images = [split.images[row] for row in rows.tolist()]
        _check_cache(args.cache, images)
        self._begun = False
        _check_speed(images[:_FIRST], f"{split.name}: ")
        with TemporaryDirectory() as folder:  # the base class wants one with a class
            Path(folder, "0").mkdir()
            super().__init__(folder, args, augment=augment, prefix=split.name)
        self.rows = rows
        self.samples = [
            [image, split.labels[row], Path(image).with_suffix(".npy"), None]
            for image, row in zip(images, rows.tolist(), strict=True)
        ]
        self._begun = True
        if self.cache_ram:
            self.cache_images()

    def __getitem__(self, i: int) -> dict[str, Any]:
        """Return the image, its class and its row."""
        sample = self.samples[i]
        url = sample[0]
        with nullcontext(url) if self.cache_ram else as_file(url) as sample[0]:
            try:
                loaded = super().__getitem__(i)
            finally:
                sample[0] = url
        return {**loaded, "example_id": int(self.rows[i])}

    def verify_images(self) -> list[Any]:
        """Return no samples: those of the table are no files of a folder."""
        return []

    def cache_images(self) -> None:
        """Keep all images in memory, once they are known."""
        if not self._begun:
            return
        urls = [sample[0] for sample in self.samples]
        with TemporaryDirectory() as folder:
            for number, sample in enumerate(self.samples):
                sample[0] = local_copy(sample[0], Path(folder, str(number)))
            try:
                super().cache_images()
            finally:
                for sample, url in zip(self.samples, urls, strict=True):
                    sample[0] = url


def _count(fraction: float, rows: int) -> int:
    """Return how many of some rows are to be used: a whole number says it itself."""
    return fraction if isinstance(fraction, int) else max(1, round(rows * fraction))


def _check_speed(images: list[str], prefix: str) -> None:
    """Warn of files that are slow to read, as every data set of the framework does.

    It draws some of them at random, so that a training takes another course without it.
    """
    if all(map(is_local, images)):
        _utilities.check_file_speeds(images, prefix=prefix)


def _check_cache(cache: Any, images: Any) -> None:
    if str(cache).lower() == "disk" and not all(map(is_local, images)):
        raise OptionError(
            "cache='disk' keeps images beside the originals, but some of these are not on this "
            "machine.",
            hint="leave it out: a cache of remote images is kept in any case; or cache='ram'.",
        )
