"""The folder of a YOLO data set, to which splits are added one by one."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from tlc.errors import ExportError, UrlExistsError
from tlc.export.checks import check_split
from tlc.export.output import errors_of, write_file
from tlc.url import Url
from tlc.url.unfinished import temp_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "dataset.yaml"
_PARTS = ("labels", "images")
_NO_SPLITS = frozenset(
    ("path", "names", "nc", "kpt_shape", "flip_idx", "kpt_names", "download", "channels", "task")
)


class YoloFolder:
    """A data set, and the split that is to be added.

    Args:
        root: Its folder, which need not exist.
        split: Name of the split.
        facts: What the YAML file has to say of all splits.

    Raises:
        OptionError: The split cannot have that name.
        UrlExistsError: The data set has the split already.
        ExportError: The data set has other classes, or other keypoints.
    """

    def __init__(self, root: Path, split: str, facts: Mapping[str, Any]) -> None:
        check_split(split, _NO_SPLITS)
        self._root = root
        self._split = split
        self._known = self._read()
        self._facts = facts
        self._check()

    @contextmanager
    def new_split(self) -> Iterator[Path]:
        """Give a folder with ``images`` and ``labels`` to fill, which become the split's.

        If something goes wrong in the block, the data set is as it was.
        """
        with errors_of(Url(self._root)):
            self._root.mkdir(parents=True, exist_ok=True)
            folder = self._root / temp_name()
            for part in _PARTS:
                (folder / part).mkdir(parents=True)
        placed: list[Path] = []
        try:
            with errors_of(Url(self._root)):
                yield folder
                self._check_free()
                for part in _PARTS:
                    path = self._root / part / self._split
                    path.parent.mkdir(exist_ok=True)
                    os.replace(folder / part, path)
                    placed.append(path)
            self._write()
        except BaseException:
            for path in placed:
                shutil.rmtree(path, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _read(self) -> dict[str, Any]:
        path = self._root / FILE
        if not path.exists():
            return {}
        try:
            known = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ExportError(f"{path} cannot be read: {error}.") from error
        if not isinstance(known, dict):
            raise ExportError(f"{path} is not the file of a YOLO data set.")
        return known

    def _check(self) -> None:
        if self._known:
            names = self._known.get("names")
            listed = dict(enumerate(names)) if isinstance(names, list) else names
            known = {**self._known, "names": listed}
            for key in ("names", "kpt_shape", "flip_idx"):
                if known.get(key) != self._facts.get(key):
                    raise ExportError(
                        f"{self._root / FILE} has other {key} than the table: {known.get(key)!r}, "
                        f"not {self._facts.get(key)!r}.",
                        hint="export to another folder, or make the value maps the same.",
                    )
        if self._split in self._known:
            raise self._exists(self._root / FILE)
        self._check_free()

    def _check_free(self) -> None:
        for part in _PARTS:
            path = self._root / part / self._split
            if os.path.lexists(path):
                raise self._exists(path)

    def _exists(self, path: Path) -> UrlExistsError:
        return UrlExistsError(
            f"{path} has a split {self._split!r} already.",
            hint="pass another split=, or delete that one first.",
        )

    def _write(self) -> None:
        splits = {**self._known, self._split: f"images/{self._split}"}
        told = {name: value for name, value in splits.items() if name not in self._facts}
        text = yaml.safe_dump({**told, **self._facts}, sort_keys=False, allow_unicode=True)
        write_file(Url(self._root / FILE), [text.encode()])
