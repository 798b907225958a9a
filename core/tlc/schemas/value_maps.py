"""Names for numbers: `MapElement`, and value maps made from any usual list of classes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from tlc.errors import SchemaError


@dataclass(frozen=True)
class MapElement:
    """What one number of a value map stands for, such as a class.

    Args:
        internal_name: Name of the class, as data files and code know it.
        display_name: Name to show in its place.
        description: What the class is.
        display_color: ``"#rrggbb"`` or ``"#rrggbbaa"``.
        url: A page or picture about the class.

    Raises:
        SchemaError: A field is not a string.
    """

    internal_name: str = ""
    display_name: str = ""
    description: str = ""
    display_color: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, str):
                raise SchemaError(
                    f"MapElement.{name} must be a string, but is {value!r} "
                    f"of type {type(value).__name__!r}.",
                    hint=f"Write {str(value)!r}, if that is the name.",
                )

    def __getitem__(self, field: str) -> str:
        if field not in _FIELDS:
            raise KeyError(field)
        return str(getattr(self, field))

    @property
    def name(self) -> str:
        """The internal name, or the display name where there is no internal one."""
        return self.internal_name or self.display_name

    def to_dict(self) -> dict[str, str]:
        """Return the fields that are not empty."""
        return {name: value for name, value in vars(self).items() if value}


_FIELDS = tuple(field.name for field in fields(MapElement))

Number: TypeAlias = int | float
ValueMap: TypeAlias = dict[Number, MapElement]
ClassLike: TypeAlias = str | MapElement | Mapping[str, str]
Classes: TypeAlias = str | Sequence[ClassLike] | Mapping[Any, ClassLike]
"""Classes as callers write them.

One name; a sequence of names, `MapElement` or their fields as dictionaries, numbered from 0; or a
mapping of numbers to any of these, which an existing value map is too. Names may repeat.
"""


def make_value_map(classes: Classes) -> ValueMap:
    """Return the value map that `classes` describes, in its order.

    Keys are `int` where they are whole numbers, else `float`.

    Raises:
        SchemaError: A key is not a finite number, or an element is not a name or `MapElement`.
    """
    if isinstance(classes, str):
        classes = [classes]
    pairs: Iterable[tuple[Any, ClassLike]]
    if isinstance(classes, Mapping):
        pairs = classes.items()
    elif isinstance(classes, Iterable):
        pairs = enumerate(classes)
    else:
        raise SchemaError(
            f"Classes cannot be made of {classes!r}.",
            hint="Give a list of names or a dictionary of numbers and names.",
        )
    return {_key(key): _element(key, value) for key, value in pairs}


def simple_value_map(value_map: Mapping[Number, MapElement]) -> dict[Number, str]:
    """Return number -> name of a value map, in its order."""
    return {key: element.name for key, element in value_map.items()}


def value_map_to_json(value_map: Mapping[Number, MapElement]) -> dict[str, dict[str, str]]:
    """Return a value map with strings for keys, as JSON demands."""
    return {repr(_key(key)): element.to_dict() for key, element in value_map.items()}


def value_map_from_json(data: Mapping[str, Mapping[str, str]]) -> ValueMap:
    """Return the value map that `value_map_to_json` wrote. Unknown fields of elements are ignored.

    Raises:
        SchemaError: A key is not a number, or an element is not an object.
    """
    known: dict[Any, ClassLike] = {}
    for key, element in data.items():
        if not isinstance(element, Mapping):
            raise SchemaError(f"The element {key!r} of a value map is not an object: {element!r}.")
        known[_parse_key(key)] = {name: element[name] for name in _FIELDS if name in element}
    return make_value_map(known)


def _key(key: Any) -> Number:
    if callable(item := getattr(key, "item", None)):  # a NumPy scalar
        key = item()
    if isinstance(key, int):  # of any size
        return int(key)
    if isinstance(key, float) and math.isfinite(key):
        return int(key) if key.is_integer() else key
    raise SchemaError(
        f"The key {key!r} of a value map is not a number.",
        hint="Keys are the numbers that the column holds; values are the names of the classes.",
    )


def _parse_key(key: str) -> Number:
    try:
        return float(key) if any(mark in key for mark in ".e") else int(key)
    except ValueError as error:
        raise SchemaError(f"The key {key!r} of a value map is not a number.") from error


def _element(key: object, value: object) -> MapElement:
    if isinstance(value, MapElement):
        return value
    if isinstance(value, str):
        return MapElement(str(value))
    if isinstance(value, Mapping) and value.keys() <= set(_FIELDS):
        return MapElement(**value)
    raise SchemaError(
        f"The class {key!r} is {value!r} of type {type(value).__name__!r}.",
        hint=f"A class is a name, a MapElement, or a dictionary of {', '.join(_FIELDS)}.",
    )
