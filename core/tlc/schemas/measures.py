"""Schemas of numbers that measure something: fractions and the like, embeddings, points in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tlc import constants
from tlc.schemas.numbers import Float32Schema, Int64Schema

if TYPE_CHECKING:
    from tlc.schemas.arguments import NumberArguments


class FractionSchema(Float32Schema):
    """Fractions of a whole, from 0 to 1, as float32. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {
        "number_role": constants.NUMBER_ROLE_FRACTION,
        "value_min": 0.0,
        "value_max": 1.0,
    }


class ConfidenceSchema(FractionSchema):
    """How sure a model is, from 0 to 1, as float32. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {
        **FractionSchema.usual,
        "number_role": constants.NUMBER_ROLE_CONFIDENCE,
    }


class ProbabilitySchema(FractionSchema):
    """Probabilities, from 0 to 1, as float32. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {
        **FractionSchema.usual,
        "number_role": constants.NUMBER_ROLE_PROBABILITY,
    }


class IoUSchema(FractionSchema):
    """Intersection over union, from 0 to 1, as float32. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {
        **FractionSchema.usual,
        "number_role": constants.NUMBER_ROLE_IOU,
    }


class EmbeddingSchema(Float32Schema):
    """Embeddings, as vectors of float32. Reduction finds such columns by their number role.

    Arguments: see `NumberSchema`. `shape` is ``(D,)`` or ``D`` for vectors of D numbers, ``(-1,
    D)`` for any number of them in each row; vectors of any length if it is not given.
    """

    usual: ClassVar[NumberArguments] = {
        "number_role": constants.NUMBER_ROLE_NN_EMBEDDING,
        "shape": (-1,),
        "writable": False,
    }


class UnixTimestampSchema(Int64Schema):
    """Seconds since the start of 1970 UTC, as int64. Arguments: see `NumberSchema`."""

    usual: ClassVar[NumberArguments] = {
        "number_role": constants.NUMBER_ROLE_TIMESTAMP,
        "unit": constants.UNIT_SECONDS,
    }
