"""Schemas of the columns that tlc itself uses to join, order and weight rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Unpack, cast

from tlc import constants
from tlc.schemas.numbers import Float32Schema, Int32Schema, Int64Schema

if TYPE_CHECKING:
    import os

    from tlc.schemas.arguments import NumberArguments


class ExampleIdSchema(Int64Schema):
    """Row numbers of the table that metrics are about, as int64. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {
        "display_name": "Example ID",
        "number_role": constants.NUMBER_ROLE_EXAMPLE_ID,
        "display_importance": constants.DISPLAY_IMPORTANCE_EXAMPLE_ID,
        "writable": False,
    }


class EpochSchema(Int32Schema):
    """Epochs, counted from 0, as int32. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {
        "display_name": "Epoch",
        "number_role": constants.NUMBER_ROLE_EPOCH,
        "display_importance": constants.DISPLAY_IMPORTANCE_EPOCH,
        "writable": False,
    }


class IterationSchema(Int32Schema):
    """Training steps, counted from 0, as int32. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {
        "display_name": "Iteration",
        "number_role": constants.NUMBER_ROLE_ITERATION,
        "display_importance": constants.DISPLAY_IMPORTANCE_ITERATION,
        "writable": False,
    }


class SampleWeightSchema(Float32Schema):
    """How often a sample is to be drawn, relative to others, as float32: 0 is never, 1 is usual.

    Samples do not have the column, rows do. Arguments: see `NumberSchema`.
    """

    usual: ClassVar[NumberArguments] = {
        "display_name": "Weight",
        "number_role": constants.NUMBER_ROLE_SAMPLE_WEIGHT,
        "display_importance": constants.DISPLAY_IMPORTANCE_SAMPLE_WEIGHT,
        "value_min": 0.0,
        "enforce_min": True,
        "default_value": 1.0,
        "sample_type": "hidden",
    }


class ForeignTableIdSchema(Int32Schema):
    """Numbers that say which table the example ids of a row belong to, as int32.

    Args:
        foreign_table_url: Url of that table, absolute, or relative to the table with this column;
            kept in the metadata as ``"foreign_table_url"``.
        **arguments: See `NumberSchema`.
    """

    usual: ClassVar[NumberArguments] = {
        "display_name": "Foreign table",
        "number_role": constants.NUMBER_ROLE_FOREIGN_KEY,
        "display_importance": constants.DISPLAY_IMPORTANCE_FOREIGN_TABLE_ID,
        "default_value": 0,
        "writable": False,
    }

    def __init__(
        self, foreign_table_url: str | os.PathLike[str] = "", **arguments: Unpack[NumberArguments]
    ) -> None:
        metadata = {
            **(arguments.pop("metadata", None) or {}),
            constants.FOREIGN_TABLE_URL: str(foreign_table_url),
        }
        super().__init__(**cast("NumberArguments", {**arguments, "metadata": metadata}))
