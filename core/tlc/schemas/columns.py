"""Bases of the column schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Unpack, cast

from tlc.schemas.arguments import ColumnArguments, NumberArguments
from tlc.schemas.schema import Schema

if TYPE_CHECKING:
    from tlc.schemas.values import NumericValue, ScalarValue

_OF_VALUE = NumberArguments.__annotations__.keys() - ColumnArguments.__annotations__.keys()


class ColumnSchema(Schema):
    """A schema of scalars, or of arrays of them.

    Args:
        value: Type of the scalars.
        **arguments: `shape`, and those of `Schema`.
    """

    def __init__(self, value: ScalarValue, **arguments: Unpack[ColumnArguments]) -> None:
        given = cast("dict[str, Any]", arguments)
        shape = given.pop("shape", None)
        super().__init__(value=value, **given)
        self.shape = shape


class NumberSchema(ColumnSchema):
    """A schema of numbers. Heirs say of which type.

    Args:
        **arguments: `shape`; those of `NumericValue`: `number_role`, `unit`, `value_min`,
            `value_max`, `enforce_min`, `enforce_max`, `value_map`; and those of `Schema`.
    """

    value_class: ClassVar[type[NumericValue]]
    """Type of the numbers."""

    usual: ClassVar[NumberArguments] = {}
    """Arguments that the caller need not give."""

    def __init__(self, **arguments: Unpack[NumberArguments]) -> None:
        given: dict[str, Any] = {**self.usual, **arguments}
        of_value = {name: given.pop(name) for name in _OF_VALUE & given.keys()}
        super().__init__(self.value_class(**of_value), **cast("ColumnArguments", given))
