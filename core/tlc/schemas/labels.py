"""Schemas of class labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Unpack, cast

from tlc import constants
from tlc.schemas.numbers import Int32Schema

if TYPE_CHECKING:
    from tlc.schemas.arguments import NumberArguments
    from tlc.schemas.value_maps import Classes


class CategoricalLabelSchema(Int32Schema):
    """Class labels, as int32. The classes have names, and need not be numbered without gaps.

    Args:
        classes: Names of the classes: a list, numbered from 0; or a dictionary of numbers, also
            negative ones, and names or `MapElement`. Names may repeat.
        **arguments: See `NumberSchema`.

    Raises:
        SchemaError: A class has no usable number or name.
    """

    usual: ClassVar[NumberArguments] = {"number_role": constants.NUMBER_ROLE_LABEL}

    def __init__(
        self, classes: Classes | None = None, **arguments: Unpack[NumberArguments]
    ) -> None:
        given = cast("NumberArguments", {"value_map": classes, **arguments})
        super().__init__(**given)


class CategoricalLabelListSchema(CategoricalLabelSchema):
    """Lists of class labels, of any length. Arguments: see `CategoricalLabelSchema`."""

    usual: ClassVar[NumberArguments] = {**CategoricalLabelSchema.usual, "shape": (-1,)}
