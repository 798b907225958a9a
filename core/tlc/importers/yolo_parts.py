"""Parts of a YOLO data set, and the rows made of them: a data set may be larger than memory."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from tlc.importers.report import Problems
from tlc.importers.yolo_columns import COLUMNS, YoloColumn, usable_shapes
from tlc.importers.yolo_images import image_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import numpy.typing as npt

    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.importers.yolo_checks import Flags
    from tlc.importers.yolo_columns import Points
    from tlc.importers.yolo_lines import Floats, Lines

    Keys = npt.NDArray[np.bytes_]

_BATCH = 8192
# To draw polygons takes much room for a moment, and is faster where that fits a cache.
_BATCH_OF_POLYGONS = 128
_KEY = 16


@dataclass(frozen=True)
class Part:
    """Some images with their labels.

    Attributes:
        images: Path or url of each image.
        lines: Their labels; the file of a line is the position of its image.
        sizes: Width and height of each image, shape `(images, 2)`.
        kept: Which images become rows, shape `(images,)`.
    """

    images: Sequence[str]
    lines: Lines
    sizes: Floats
    kept: Flags


class YoloRows:
    """The rows of a data set.

    Args:
        task: One of `tlc.importers.yolo_checks.TASKS`.
        known: Ids of classes.
        points: Of a pose.
        on_error: ``"raise"`` or ``"skip"``.
        parts: Reads the data set anew, part by part, and reports what is wrong with it.

    Raises:
        OptionError: `on_error` is neither.
    """

    def __init__(
        self,
        task: str,
        known: Collection[int],
        points: Points | None,
        on_error: str,
        parts: Callable[[Problems], Iterator[Part]],
    ) -> None:
        self._task = task
        self._known = known
        self._points = points
        self._on_error = on_error
        self._parts = parts
        self._problems = Problems(on_error)
        self._count = 0

    def batches(self) -> Iterator[Batch]:
        """Yield the rows as batches of columns.

        Raises:
            AnnotationFileError: With ``on_error="raise"``, something is wrong. No rows come after
                the first part of which that is so, but all parts are looked at.
        """
        self._problems, self._count = Problems(self._on_error), 0
        for part in self._parts(self._problems):
            yield from self._batches_of(part)
            del part  # before the next is made
        self._problems.check()

    def report(self) -> ImportReport:
        """Return what was found, after all batches were taken."""
        return self._problems.report(self._count)

    def _batches_of(self, part: Part) -> Iterator[Batch]:
        lines = part.lines.kept(part.kept[part.lines.file])
        problems, task = self._problems, self._task
        found = usable_shapes(lines, part.sizes, task, self._known, problems, self._points)
        if self._on_error == "raise" and problems.report(0).skipped:
            return
        rows = np.flatnonzero(part.kept)
        urls = image_urls([part.images[row] for row in rows.tolist()])
        column = YoloColumn(task, found, rows, part.sizes)
        self._count += len(urls)
        size = _BATCH_OF_POLYGONS if task == "segment" else _BATCH
        for start in range(0, len(urls), size):
            stop = min(start + size, len(urls))
            yield {"image": urls[start:stop], COLUMNS[task]: column.batch(start, stop)}


class Seen:
    """Which texts there were, at 16 bytes for each: there may be hundreds of millions."""

    def __init__(self) -> None:
        # Sorted, each at least as long as the next: few, and each text is moved few times.
        self._runs: list[Keys] = []

    def add(self, keys: Keys) -> None:
        """Take the keys of texts, none of which was there before."""
        run = np.sort(keys)
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")
        self._runs.append(run)

    def has(self, keys: Keys) -> Flags:
        """Return which of the texts with these keys there were."""
        found = np.zeros(len(keys), bool)
        for run in filter(len, self._runs):
            at = np.minimum(np.searchsorted(run, keys), len(run) - 1)
            found |= run[at] == keys
        return found


def keys_of(texts: Sequence[str]) -> Keys:
    """Return keys that differ where texts do: 16 bytes each, so that no two will ever be alike."""
    keys = [
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY).digest() for text in texts
    ]
    return np.array(keys, f"S{_KEY}")
