"""Sample types by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, TypeVar

from tlc.errors import SchemaError, UnknownSampleTypeError
from tlc.sample_types.base import SampleType

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoints

ENTRY_POINTS = "tlc.sample_types"
"""Entry-point group in which other distributions name their sample types."""

_LATE = dict.fromkeys(
    (
        *("bounding_boxes_2d", "bounding_boxes_3d", "keypoints_2d"),
        *("oriented_bounding_boxes_2d", "oriented_bounding_boxes_3d"),
        *("geometry_2d", "geometry_3d"),
        *("segmentation_masks", "segmentation_polygons", "semantic_segmentation"),
    ),
    "tlc.data_types.sample_types",
)
"""Sample types of ours that are only loaded when one of them is asked for, and where they are."""

_registered: dict[str, type[SampleType]] = {}

AnySampleType = TypeVar("AnySampleType", bound=SampleType)


def register_sample_type(
    name: str, *, override: bool = False
) -> Callable[[type[AnySampleType]], type[AnySampleType]]:
    """Return a class decorator that makes a sample type known as `name`.

    A distribution can name the class in the entry-point group `tlc.sample_types` instead; then it
    is found without being imported first. Defining a class again, as a notebook does, replaces it.

    Args:
        name: What schemas call it.
        override: Whether to replace another class of that name.

    Raises:
        SchemaError: The name is empty, or taken by another class.
    """

    def register(cls: type[AnySampleType]) -> type[AnySampleType]:
        _check_free(name, cls, override)
        cls.name = name
        _registered[name] = cls
        return cls

    return register


def list_sample_types() -> list[str]:
    """Return the names of all sample types, also of those that are yet to be loaded."""
    return sorted({*_registered, *_LATE, *(point.name for point in _entry_points())})


def find_sample_type(name: str) -> type[SampleType] | None:
    """Return the class known as `name`, loading it from its entry point; None if there is none.

    Raises:
        SchemaError: The entry point is not that of a sample type, or several distributions claim
            the name.
    """
    if name not in _registered and name in _LATE:
        importlib.import_module(_LATE[name])
    if name not in _registered:
        for point in _entry_points().select(name=name):
            cls = point.load()
            if not (isinstance(cls, type) and issubclass(cls, SampleType)):
                raise SchemaError(f"The entry point {point.value!r} is no sample type: {cls!r}.")
            register_sample_type(name)(cls)
    return _registered.get(name)


def get_sample_type(name: str) -> type[SampleType]:
    """Return the class known as `name`. See `find_sample_type`.

    Raises:
        UnknownSampleTypeError: There is none.
    """
    cls = find_sample_type(name)
    if cls is None:
        raise UnknownSampleTypeError(
            f"There is no sample type {name!r}. There are: {', '.join(list_sample_types())}.",
            hint=f"Import the module that defines it with @register_sample_type({name!r}), "
            f"or install the package that names it in the entry-point group {ENTRY_POINTS!r}.",
        )
    return cls


def _entry_points() -> EntryPoints:
    from importlib.metadata import entry_points  # late: slow, and rarely needed

    return entry_points(group=ENTRY_POINTS)


def _check_free(name: str, cls: type[SampleType], override: bool) -> None:
    if not name:
        raise SchemaError("A sample type needs a name.")
    other = _registered.get(name)
    if other is None or override:
        return
    if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        raise SchemaError(
            f"The sample type {name!r} is {other.__module__}.{other.__qualname__} already.",
            hint="Choose another name, or pass override=True to replace it.",
        )
