"""Schemas of numbers by their type, and of truth values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Unpack

from tlc.schemas.columns import ColumnSchema, NumberSchema
from tlc.schemas.values import (
    BoolValue,
    Float32Value,
    Float64Value,
    Int8Value,
    Int16Value,
    Int32Value,
    Int64Value,
    Uint8Value,
    Uint16Value,
    Uint32Value,
    Uint64Value,
)

if TYPE_CHECKING:
    from tlc.schemas.arguments import ColumnArguments, NumberArguments


class Int8Schema(NumberSchema):
    """Integers of 8 bits. Arguments: see `NumberSchema`."""

    value_class = Int8Value


class Int16Schema(NumberSchema):
    """Integers of 16 bits. Arguments: see `NumberSchema`."""

    value_class = Int16Value


class Int32Schema(NumberSchema):
    """Integers of 32 bits. Arguments: see `NumberSchema`."""

    value_class = Int32Value


class Int64Schema(NumberSchema):
    """Integers of 64 bits. Arguments: see `NumberSchema`."""

    value_class = Int64Value


class Uint8Schema(NumberSchema):
    """Unsigned integers of 8 bits. Arguments: see `NumberSchema`."""

    value_class = Uint8Value


class Uint16Schema(NumberSchema):
    """Unsigned integers of 16 bits. Arguments: see `NumberSchema`."""

    value_class = Uint16Value


class Uint32Schema(NumberSchema):
    """Unsigned integers of 32 bits. Arguments: see `NumberSchema`."""

    value_class = Uint32Value


class Uint64Schema(NumberSchema):
    """Unsigned integers of 64 bits. Arguments: see `NumberSchema`."""

    value_class = Uint64Value


class Float32Schema(NumberSchema):
    """Floating-point numbers of 32 bits. Arguments: see `NumberSchema`."""

    value_class = Float32Value


class Float64Schema(NumberSchema):
    """Floating-point numbers of 64 bits. Arguments: see `NumberSchema`."""

    value_class = Float64Value


class Float32ListSchema(Float32Schema):
    """Lists of 32-bit floating-point numbers, of any length. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {"shape": (-1,)}


class BoolSchema(ColumnSchema):
    """Truth values.

    Args:
        bool_role: One of `tlc.constants.BOOL_ROLE_*`.
        **arguments: `shape`, and those of `Schema`.
    """

    def __init__(self, *, bool_role: str = "", **arguments: Unpack[ColumnArguments]) -> None:
        super().__init__(BoolValue(bool_role), **arguments)
