"""Schemas as JSON data and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tlc.errors import SchemaError
from tlc.schemas._json import from_json, to_json
from tlc.schemas.shapes import MAX_DIMENSIONS
from tlc.schemas.values import DimensionNumericValue, value_from_dict

if TYPE_CHECKING:
    from tlc.schemas.schema import Schema

_PLAIN: dict[str, Any] = {
    "display_name": "",
    "description": "",
    "writable": True,
    "computable": True,
    "display_importance": 0.0,
    "sample_type": "",
    "default_visible": True,
    "metadata": {},
    "bulk_data_location": "",
}
_MOST_NESTED = 64
_SIZES = tuple(f"size{i}" for i in range(MAX_DIMENSIONS))


def to_dict(schema: Schema, path: str = "") -> dict[str, Any]:
    """Return `schema` as JSON data, without what is as usual. None is as usual.

    Raises:
        SchemaError: An attribute is of a wrong type. `path` tells where, in the message.
    """
    data: dict[str, Any] = {}
    for name, usual in _PLAIN.items():
        value = getattr(schema, name)
        if value is not None and value is not usual and value != usual:
            data[name] = to_json(value)
            _check_type(value if isinstance(value, float) else data[name], usual, path, name)
    for name in _SIZES:
        if (size := getattr(schema, name)) is not None:
            data[name] = size.to_dict()
    if schema.value is not None:
        data["value"] = schema.value.to_dict()
    else:
        data["values"] = {
            name: to_dict(part, _below(path, name)) for name, part in schema.values.items()
        }
    return data


def from_dict(cls: type[Schema], data: Mapping[str, Any], path: str = "") -> Schema:
    """Return the `cls` that `to_dict` wrote. `path` is where `data` lies, for errors."""
    _check_mapping(data, path)
    if path.count(".") > _MOST_NESTED:
        raise SchemaError(f"{_where(path[:40])} is nested more than {_MOST_NESTED} deep.")
    arguments = {name: from_json(data[name]) for name in _PLAIN if name in data}
    for name, value in arguments.items():
        _check_type(value, _PLAIN[name], path, name)
    try:
        for name in _SIZES:
            if data.get(name) is not None:
                _check_mapping(data[name], f"{path}.{name}")
                arguments[name] = DimensionNumericValue.from_dict(data[name])
        if data.get("value") is not None:
            arguments["value"] = value_from_dict(data["value"])
    except SchemaError as error:
        raise SchemaError(f"{_where(path)}: {error.message}", hint=error.hint) from error
    if data.get("values") is not None:
        _check_mapping(data["values"], path)
        arguments["values"] = {
            name: from_dict(cls, part, _below(path, name)) for name, part in data["values"].items()
        }
    return cls(**arguments)


def _check_mapping(data: object, path: str) -> None:
    if not isinstance(data, Mapping):
        raise SchemaError(f"{_where(path)} is not an object: {data!r}.")


def _check_type(value: object, usual: object, path: str, name: str) -> None:
    kind = (int, float) if isinstance(usual, float) else type(usual)
    if not isinstance(value, kind):
        raise SchemaError(f"{_where(path)}: {name!r} cannot be {value!r}.")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _where(path: str) -> str:
    return f"The schema of {path!r}" if path else "The schema"
