"""The YAML file of a YOLO data set: where its splits are, and what its classes are called."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from tlc.errors import AnnotationFileError, OptionError, UrlNotFoundError
from tlc.importers.text_file import refused
from tlc.importers.yaml_text import read_yaml
from tlc.importers.yolo import YoloOptions, check_task, yolo_source
from tlc.importers.yolo_images import list_images, shown
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tlc.importers.source import Source

# With aliases a small file makes lists whose text would fill the memory.
_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring = 2, 100
_OTHER_NAMES = {"val": ("validation", "valid"), "validation": ("val",), "valid": ("val",)}
_NOT_SPLITS = frozenset(
    (
        *("path", "names", "nc", "kpt_shape", "flip_idx", "kpt_names", "download", "yaml_file"),
        *("author", "channels", "date", "description", "license", "task", "version"),
    )
)


@dataclass(frozen=True)
class YoloFile:
    """What a YAML file of a data set says.

    Attributes:
        file: Its path.
        path: The folder that splits are in, as it is written; empty if it does not say.
        names: Id to name of the classes.
        splits: Name of each split to the places that it is at, as they are written.
        num_keypoints: How many points an instance of a pose has; None if it does not say.
        values_per_keypoint: 2 or 3; None likewise.
        pose: What else it says of poses, as arguments of their schema.
    """

    file: str
    path: str
    names: dict[int, str]
    splits: dict[str, list[str]]
    num_keypoints: int | None = None
    values_per_keypoint: int | None = None
    pose: Mapping[str, Any] = field(default_factory=dict)


def from_yolo(
    url: Url,
    split: str,
    *,
    task: str,
    datasets_dir: Url | None,
    override_split_path: Sequence[Url] | None,
    on_error: str,
) -> Source:
    """Read one split of a data set that has a YAML file.

    Args:
        url: The YAML file.
        split: Name of the split, such as ``"train"``.
        task: ``"detect"``, ``"segment"``, ``"pose"`` or ``"obb"``.
        datasets_dir: Folder to look for the data set in, before all others.
        override_split_path: Where the split is, whatever the file says.
        on_error: ``"raise"`` or ``"skip"``.

    Raises:
        UrlNotFoundError: There is no such file, or nothing where the split should be.
        AnnotationFileError: The file is wrong, or with ``on_error="raise"`` a label is.
        OptionError: The file has no such split, or an option is none of those that there are.
    """
    check_task(task)
    path = url.to_absolute().to_local_path().as_posix()
    found = read_yolo_file(url.to_absolute().read_bytes(), path)
    roots: Sequence[str] = ()
    if override_split_path is not None:
        places = [p.to_absolute().to_local_path().as_posix() for p in override_split_path]
    else:
        start = datasets_dir.to_absolute().to_local_path().as_posix() if datasets_dir else None
        root, places = _places(found, split, start)
        roots = [root]
    options = YoloOptions(
        found.names, task, on_error, found.num_keypoints, found.values_per_keypoint, found.pose
    )
    return yolo_source("yolo", list_images(places, roots), options)


def read_yolo_file(data: bytes, file: str) -> YoloFile:
    """Return what a YAML file of a data set says.

    Args:
        data: Its content.
        file: Its path.

    Raises:
        AnnotationFileError: It is no such file.
    """
    path_of_file, file = file, shown(file)
    content = read_yaml(data, file)
    shape = _numbers(content.get("kpt_shape") or [], "kpt_shape", file)
    if shape and (len(shape) != 2 or shape[0] < 1 or shape[1] not in (2, 3)):
        raise _wrong(file, "kpt_shape", shape, "[points, 2] or [points, 3]")
    flips = _numbers(content.get("flip_idx") or [], "flip_idx", file)
    if flips and (not shape or shape[0] != len(flips) or set(flips) != set(range(len(flips)))):
        raise _wrong(file, "flip_idx", flips, "each point's number once, from 0")
    path = content.get("path", "")
    if not isinstance(path, str):
        raise _wrong(file, "path", path, "the folder of the data set")
    splits = {
        name: _paths(value)
        for name, value in content.items()
        if name not in _NOT_SPLITS and _is_split(value)
    }
    return YoloFile(
        file=path_of_file,
        path=path,
        names=_names(content.get("names"), file),
        splits=splits,
        num_keypoints=shape[0] if shape else None,
        values_per_keypoint=shape[1] if shape else None,
        pose={"flip_indices": flips} if flips else {},
    )


def _is_split(value: Any) -> bool:
    return bool(value) and isinstance(value, str | list)


def _paths(value: str | list[Any]) -> list[str]:
    paths = [value] if isinstance(value, str) else value
    return [path for path in paths if isinstance(path, str) and path]


def _names(value: Any, file: str) -> dict[int, str]:
    if isinstance(value, str) and value:
        value = [value]
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict) or not value:
        raise _wrong(file, "names", value, "a list of class names, or a dictionary from ids")
    names: dict[int, str] = {}
    for key, name in value.items():
        if not isinstance(name, str):
            raise _wrong(file, f"names[{key}]", name, "a name")
        number = _number(key, "names", file)
        if number in names:
            raise _wrong(file, f"names[{key}]", name, "an id of one class only", "DUP_ID")
        names[number] = name
    return names


def _numbers(value: Any, key: str, file: str) -> list[int]:
    if not isinstance(value, list):
        raise _wrong(file, key, value, "a list of numbers")
    return [_number(item, key, file) for item in value]


def _number(value: Any, key: str, file: str) -> int:
    try:
        number = float(value)
        if number == int(number) and abs(number) < 1 << 31:
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _wrong(file, key, value, "whole numbers")


def _wrong(
    file: str, key: str, value: Any, wanted: str, code: str = "YAML_VALUE"
) -> AnnotationFileError:
    text = _SHORT.repr(value)
    return refused(code, file, key, "this cannot be", value=text, hint=f"it is {wanted}.")


def _places(found: YoloFile, split: str, datasets_dir: str | None) -> tuple[str, list[str]]:
    """Return the folder of the data set, and where the split is."""
    names = [name for name in (split, *_OTHER_NAMES.get(split, ())) if name in found.splits]
    if not names:
        raise OptionError(
            f"{shown(found.file)} has no split {split!r}.",
            hint=f"it has {', '.join(map(repr, found.splits)) or 'none'}.",
        )
    written = found.splits[names[0]]
    for root in (roots := _roots(found, datasets_dir)):
        places = [_place(root, path) for path in written]
        if all(place is not None for place in places):
            return root, [place for place in places if place is not None]
    raise UrlNotFoundError(
        f"The split {split!r} of {shown(found.file)} is at {', '.join(written)}, which is in none "
        f"of: {', '.join(map(shown, roots))}.",
        hint='correct "path" in the file, or pass datasets_dir= or override_split_path=.',
    )


def _roots(found: YoloFile, datasets_dir: str | None) -> list[str]:
    """Return the folders that the data set may be at, the likeliest first."""
    folder = os.path.dirname(found.file)
    bases = [datasets_dir] if datasets_dir else []
    bases += [folder, os.path.dirname(folder), os.getcwd()]
    path = found.path.replace("\0", "")
    if path.startswith("<"):
        path = Url(path).to_absolute(folder).to_str()
    forms = dict.fromkeys((path, path.replace("\\", "/")))
    return list(
        dict.fromkeys(os.path.normpath(os.path.join(b, form)) for form in forms for b in bases)
    )


def _place(root: str, path: str) -> str | None:
    """Return where a split is, below a folder; None if it is not there."""
    if "\0" in path:
        return None
    forward = path.replace("\\", "/")
    forms = [path, forward]
    # Some programs write ../train for a folder beside the file.
    forms += [forward[3:]] if forward.startswith("../") else []
    for form in forms:
        if os.path.exists(place := os.path.normpath(os.path.join(root, form))):
            return place
    return None
