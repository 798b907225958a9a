"""What the numbers, strings and bytes of a column are: their type, range, role, unit and names.

A `Schema` with a `value` describes one such scalar, or an array of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, Self, cast

from tlc import constants
from tlc.errors import SchemaError
from tlc.schemas._json import from_json, to_json
from tlc.schemas.value_maps import (
    Classes,
    MapElement,
    Number,
    ValueMap,
    make_value_map,
    value_map_from_json,
    value_map_to_json,
)

__all__ = [
    "BoolValue",
    "BytesStringValue",
    "DatetimeStringValue",
    "DictValue",
    "DimensionNumericValue",
    "Float32Value",
    "Float64Value",
    "FolderUrlStringValue",
    "ImageUrlStringValue",
    "InstanceSegmentationRLEBytesStringValue",
    "Int8Value",
    "Int16Value",
    "Int32Value",
    "Int64Value",
    "MapElement",
    "NumericValue",
    "ObjectTypeStringValue",
    "ScalarValue",
    "SegmentationMaskUrlStringValue",
    "StringValue",
    "Uint8Value",
    "Uint16Value",
    "Uint32Value",
    "Uint64Value",
    "UrlStringValue",
    "value_from_dict",
]


@dataclass(eq=False, kw_only=True)
class ScalarValue:
    """One scalar. Two are equal if they have the same type and say the same.

    Args:
        value_map: Names of the values: anything that `make_value_map` takes.
        default_value: Value of cells that nothing was written to.
    """

    type: ClassVar[str]
    """Name of the type in JSON; values of one name are of one kind."""
    arrow: ClassVar[str]
    """Name of the Arrow type of the cells."""

    value_map: ValueMap | None = None
    default_value: Any = None

    def __post_init__(self) -> None:
        if self.value_map is not None:
            self.value_map = make_value_map(self.value_map)

    @property
    def map(self) -> ValueMap | None:
        """The value map itself, to read or to add elements to; None if there is none."""
        return self.value_map

    @map.setter
    def map(self, classes: Classes | None) -> None:
        made = None if classes is None else make_value_map(classes)
        # A dictionary that needs no change is kept, so that the caller can go on filling it.
        self.value_map = cast("ValueMap", classes) if classes == made else made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScalarValue):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment] # a value can be changed

    def to_dict(self) -> dict[str, Any]:
        """Return the value as JSON data. What is empty is left out."""
        data: dict[str, Any] = {"type": self.type}
        for each in fields(self):
            item = getattr(self, each.name)
            if item is None or (each.name != "default_value" and (item is False or item == "")):
                continue
            data[each.name] = value_map_to_json(item) if each.name == "value_map" else to_json(item)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a value of this class from what `to_dict` wrote. Unknown keys are ignored.

        Raises:
            SchemaError: The value map is damaged.
        """
        places = _places(cast("Hashable", cls))
        known = {name: data[name] for name in places if name in data}
        value_map = known.pop("value_map", None)
        if value_map is not None:
            if not isinstance(value_map, Mapping):
                raise SchemaError(f"A value map is not an object: {value_map!r}.")
            known["value_map"] = value_map_from_json(value_map)
        for name, item in known.items():
            if not _fits(item, places[name]):
                raise SchemaError(f"{name!r} cannot be {item!r}.")
        return cls(**{name: from_json(item) for name, item in known.items()})


@cache
def _places(cls: Any) -> dict[str, Field[Any]]:
    return {each.name: each for each in fields(cls)}


def _fits(item: object, place: Field[Any]) -> bool:
    """Whether an item of JSON data can be that field of a value."""
    if place.name in ("value_min", "value_max"):
        return item is None or isinstance(from_json(item), int | float)
    return not isinstance(place.default, str | bool) or isinstance(item, type(place.default))


@dataclass(eq=False)
class _UnknownValue(ScalarValue):
    """A value of a type that a newer version brought: its cells are read as text."""

    type = "unknown"
    arrow = "string"

    data: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return dict(self.data)


@dataclass(eq=False)
class NumericValue(ScalarValue):
    """A number.

    Args:
        value_min: Smallest value, in the unit of the column.
        value_max: Largest value.
        enforce_min: Whether a smaller value is an error, rather than merely unusual.
        enforce_max: Whether a larger value is an error.
        number_role: What the number means: one of `tlc.constants.NUMBER_ROLE_*` or a word of one's
            own.
        unit: What it is counted in: one of `tlc.constants.UNIT_*` or a word of one's own.
        value_map: Names of the numbers, as of classes.
        default_value: Value of cells that nothing was written to.
    """

    value_min: Number | None = None
    value_max: Number | None = None
    enforce_min: bool = False
    enforce_max: bool = False
    number_role: str = ""
    unit: str = ""


class Int8Value(NumericValue):
    """An integer of 8 bits."""

    type = arrow = "int8"


class Int16Value(NumericValue):
    """An integer of 16 bits."""

    type = arrow = "int16"


class Int32Value(NumericValue):
    """An integer of 32 bits."""

    type = arrow = "int32"


class Int64Value(NumericValue):
    """An integer of 64 bits."""

    type = arrow = "int64"


class Uint8Value(NumericValue):
    """An unsigned integer of 8 bits."""

    type = arrow = "uint8"


class Uint16Value(NumericValue):
    """An unsigned integer of 16 bits."""

    type = arrow = "uint16"


class Uint32Value(NumericValue):
    """An unsigned integer of 32 bits."""

    type = arrow = "uint32"


class Uint64Value(NumericValue):
    """An unsigned integer of 64 bits."""

    type = arrow = "uint64"


class Float32Value(NumericValue):
    """A floating-point number of 32 bits."""

    type = arrow = "float32"


class Float64Value(NumericValue):
    """A floating-point number of 64 bits."""

    type = arrow = "float64"


@dataclass(eq=False)
class DimensionNumericValue(Int32Value):
    """The length of one dimension of an array.

    The dimension is of fixed length if its minimum and maximum are the same and both enforced; else
    it varies from row to row, and the bounds tell what to expect.
    """

    type = "dimension"

    value_min: Number | None = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.value_min = self.value_min or 0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a dimension from what `to_dict` wrote.

        Raises:
            SchemaError: It has a length that no array can have.
        """
        made = super().from_dict(data)
        for length in (made.value_min, made.value_max):
            if length is not None and not (length == int(length) and 0 <= length < 1 << 31):
                raise SchemaError(f"An array cannot have the length {length}.")
        return made

    @classmethod
    def fixed_size(cls, size: int) -> Self:
        """Return a dimension that has `size` items in every row."""
        return cls(size, size, enforce_min=True, enforce_max=True)

    @property
    def size(self) -> int:
        """Number of items, or -1 if it varies."""
        enforced = self.enforce_min and self.enforce_max
        if enforced and self.value_min is not None and self.value_min == self.value_max:
            return int(self.value_min)
        return -1


@dataclass(eq=False)
class BoolValue(ScalarValue):
    """True or false.

    Args:
        bool_role: One of `tlc.constants.BOOL_ROLE_*`.
        value_map: Names of 0 and 1.
        default_value: Value of cells that nothing was written to.
    """

    type = arrow = "bool"

    bool_role: str = ""


@dataclass(eq=False)
class StringValue(ScalarValue):
    """A text, or a url.

    Args:
        string_role: What the text is: one of `tlc.constants.STRING_ROLE_*`, ``"URL/..."`` for a
            url.
        value_map: Names of the numbers in the file that a url leads to, such as a label image.
        default_value: Value of cells that nothing was written to.
    """

    type = arrow = "string"

    string_role: str = ""


@dataclass(eq=False)
class DatetimeStringValue(StringValue):
    """A date, or date and time, as ISO 8601 text."""

    string_role: str = constants.STRING_ROLE_DATETIME


@dataclass(eq=False)
class UrlStringValue(StringValue):
    """The url of anything."""

    string_role: str = constants.STRING_ROLE_URL


@dataclass(eq=False)
class ImageUrlStringValue(StringValue):
    """The url of an image."""

    string_role: str = constants.STRING_ROLE_IMAGE_URL


@dataclass(eq=False)
class SegmentationMaskUrlStringValue(StringValue):
    """The url of a label image, whose pixels are class numbers."""

    string_role: str = constants.STRING_ROLE_SEGMENTATION_MASK_URL


@dataclass(eq=False)
class FolderUrlStringValue(StringValue):
    """The url of a folder."""

    string_role: str = constants.STRING_ROLE_FOLDER_URL


@dataclass(eq=False)
class ObjectTypeStringValue(StringValue):
    """The name of a kind of object."""

    string_role: str = constants.STRING_ROLE_OBJECT_TYPE


@dataclass(eq=False)
class BytesStringValue(StringValue):
    """Bytes."""

    type = "bytes"
    arrow = "binary"


@dataclass(eq=False)
class InstanceSegmentationRLEBytesStringValue(BytesStringValue):
    """The mask of one instance: the counts of a compressed, column-major COCO RLE."""

    string_role: str = constants.STRING_ROLE_RLE


class DictValue(ScalarValue):
    """A dictionary with other keys in each row, of anything JSON can hold; stored as its text."""

    type = "dict"
    arrow = "string"


_CLASSES: tuple[type[ScalarValue], ...] = (
    *(Int8Value, Int16Value, Int32Value, Int64Value),
    *(Uint8Value, Uint16Value, Uint32Value, Uint64Value),
    *(Float32Value, Float64Value, DimensionNumericValue),
    *(BoolValue, StringValue, BytesStringValue, DictValue),
)
VALUE_TYPES: dict[str, type[ScalarValue]] = {cls.type: cls for cls in _CLASSES}
"""Value class of each name of a type."""


def value_from_dict(data: Mapping[str, Any]) -> ScalarValue:
    """Return the value that `ScalarValue.to_dict` wrote.

    Raises:
        SchemaError: A field is damaged.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("type"), str):
        raise SchemaError(
            f"{data!r} is no value of a schema.", hint=f"Known types: {', '.join(VALUE_TYPES)}."
        )
    if data["type"] not in VALUE_TYPES:
        return _UnknownValue(data=data)
    return VALUE_TYPES[data["type"]].from_dict(data)
