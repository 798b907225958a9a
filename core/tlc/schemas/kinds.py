"""What one value is, and what several have in common: the small algebra behind `infer_schema`."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tlc.errors import SchemaError
from tlc.sample_types import recognize
from tlc.schemas.shapes import VARIABLE


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is.

    Attributes:
        name: Name of a value type; or "struct", "datetime", "url", "image"; or "" if nothing is
            known.
        shape: Lengths of the dimensions, outermost first, -1 where they vary.
        sample_type: Name of the sample type of an array or tensor.
        parts: Kinds of the parts of a struct, in order.
        annotation: Class of an annotation, whose parts are what its schema depends on.
    """

    name: str
    shape: tuple[int, ...] = ()
    sample_type: str = ""
    parts: tuple[tuple[str, Kind], ...] = ()
    annotation: Any = None

    def __str__(self) -> str:
        name = self.sample_type or self.name
        return f"{name} of shape {self.shape}" if self.shape else name


UNKNOWN = Kind("")
_INT64, _UINT64 = Kind("int64"), Kind("uint64")
_BY_TYPE: dict[type, Kind] = {
    type(None): UNKNOWN,
    bool: Kind("bool"),
    float: Kind("float64"),
    str: Kind("string"),
    bytes: Kind("bytes"),
}
_NARROW_FLOATS = {"float16": "float32", "bfloat16": "float32"}
_ARRAYS = ("numpy_array", "torch_tensor")


def common_kind(values: Sequence[Any], what: str) -> Kind:
    """Return the kind that all values have in common; None has any.

    Args:
        values: The values.
        what: What one of them is, for errors.

    Raises:
        SchemaError: They have no kind in common, or one of them has none. The message names the
            first.
    """
    types = set(map(type, values))
    if types <= _BY_TYPE.keys():
        types.discard(type(None))
        if len(types) < 2:
            return _BY_TYPE[types.pop()] if types else UNKNOWN
    common = UNKNOWN
    for i, value in enumerate(values):
        try:
            kind = kind_of(value)
            if kind != common:
                common = unify(common, kind)
        except SchemaError as error:
            raise SchemaError(f"{what} {i}: {error.message}", hint=error.hint) from error
    return common


def kind_of_rows(values: Any) -> Kind | None:
    """Return the kind of the rows of a NumPy array or torch tensor; None for anything else."""
    if not (recognize.is_array(values) or recognize.is_tensor(values)) or values.ndim == 0:
        return None
    if recognize.is_array(values) and values.dtype.kind not in "biuf":
        return None
    kind = kind_of(values)
    shape = kind.shape[1:]
    return replace(kind, shape=shape, sample_type=kind.sample_type if shape else "")


def kind_of(value: Any) -> Kind:
    """Return the kind of one value.

    Raises:
        SchemaError: There is no kind for its type, or its items have no kind in common.
    """
    if (kind := _BY_TYPE.get(type(value))) is not None:
        return kind
    if type(value) is int:
        return _kind_of_int(value)
    if isinstance(value, (list, tuple)):
        return _in_list(common_kind(value, "Item"))
    if isinstance(value, Mapping):
        return _kind_of_mapping(value)
    return _kind_of_object(value)


def _kind_of_int(value: int) -> Kind:
    if -(2**63) <= value < 2**63:
        return _INT64
    if 0 <= value < 2**64:
        return _UINT64
    raise SchemaError(
        f"The number {value} does not fit 64 bits.", hint="Store it as a string or a float."
    )


def _in_list(item: Kind) -> Kind:
    sample_type = "" if item.sample_type in _ARRAYS else item.sample_type
    return replace(item, shape=(VARIABLE, *item.shape), sample_type=sample_type)


def _kind_of_mapping(value: Mapping[Any, Any]) -> Kind:
    if not value:
        return Kind("dict")
    parts = []
    for key, item in value.items():
        if not isinstance(key, str):
            raise SchemaError(
                f"The key {key!r} is not a string.", hint="Keys name the parts of a column."
            )
        try:
            parts.append((key, kind_of(item)))
        except SchemaError as error:
            raise SchemaError(f"{key!r}: {error.message}", hint=error.hint) from error
    return Kind("struct", parts=tuple(parts))


def _kind_of_object(value: Any) -> Kind:
    if recognize.is_array(value) or recognize.is_scalar(value):
        return _kind_of_array(value)
    if recognize.is_tensor(value):
        name = str(value.dtype).removeprefix("torch.")
        return _kind_of_numbers(name, tuple(value.shape), "torch_tensor")
    if recognize.is_image(value):
        return Kind("image")
    if recognize.is_annotation(value):
        return _kind_of_annotation(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return Kind("datetime")
    if isinstance(value, os.PathLike):
        return Kind("url")
    if isinstance(value, int):
        return _kind_of_int(value)
    for base in (str, float, bytes):
        if isinstance(value, base):
            return _BY_TYPE[base]
    raise _no_schema(type(value).__name__)


def _kind_of_annotation(value: Any) -> Kind:
    parts = value.inferred_parts().items()
    kinds = tuple((name, kind_of_rows(part) or common_kind(part, "Item")) for name, part in parts)
    return Kind(value.sample_type, parts=kinds, annotation=type(value))


def _kind_of_array(value: Any) -> Kind:
    if value.dtype.kind == "M":
        return Kind("datetime", (VARIABLE,) * value.ndim)
    if value.dtype.kind in "biufc":
        sample_type = "numpy_array" if recognize.is_array(value) else ""
        return _kind_of_numbers(value.dtype.name, value.shape, sample_type)
    if value.dtype.kind in "USO":
        return kind_of(value.tolist())
    raise _no_schema(f"array of {value.dtype}")


def _kind_of_numbers(dtype: str, shape: tuple[int, ...], sample_type: str) -> Kind:
    name = _NARROW_FLOATS.get(dtype, dtype)
    if name != "bool" and name not in _BITS:
        raise _no_schema(f"array of {dtype}")
    return Kind(name, shape, sample_type if shape else "")


def _no_schema(what: str) -> SchemaError:
    return SchemaError(
        f"There is no schema for a value of type {what!r}.",
        hint="Give the column a schema, with a sample type that knows such values.",
    )


def unify(first: Kind, second: Kind) -> Kind:
    """Return the kind that values of two kinds have in common.

    Raises:
        SchemaError: They have none.
    """
    shape = _common_shape(first, second)
    known = [kind for kind in (first, second) if kind.name]
    if len(known) < 2:
        return replace(known[0] if known else UNKNOWN, shape=_checked(shape, first, second))
    name = _common_name(first.name, second.name)
    if name is None or first.sample_type != second.sample_type:
        shape = None
    checked = _checked(shape, first, second)
    parts = _common_parts(first, second)
    return Kind(name or "", checked, first.sample_type, parts, first.annotation)


def _checked(shape: tuple[int, ...] | None, first: Kind, second: Kind) -> tuple[int, ...]:
    if shape is None:
        names = [str(kind) if kind.name else f"list{kind}" for kind in (first, second)]
        raise SchemaError(
            f"The value is of type {names[1]}, where those before are of type {names[0]}.",
            hint="Convert the column to one type, or give it a schema.",
        )
    return shape


def _common_shape(first: Kind, second: Kind) -> tuple[int, ...] | None:
    """Return the shape of both; of an unknown kind only the outer dimensions are seen."""
    short, long = sorted((first, second), key=lambda kind: len(kind.shape))
    if len(short.shape) < len(long.shape) and short.name:
        return None
    outer = tuple(a if a == b else VARIABLE for a, b in zip(short.shape, long.shape, strict=False))
    return outer + long.shape[len(outer) :]


def _common_parts(first: Kind, second: Kind) -> tuple[tuple[str, Kind], ...]:
    parts = dict(first.parts)
    for name, kind in second.parts:
        try:
            parts[name] = unify(parts[name], kind) if name in parts else kind
        except SchemaError as error:
            raise SchemaError(f"{name!r}: {error.message}", hint=error.hint) from error
    return tuple(parts.items())


_BITS = {
    **{f"int{bits}": bits for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": bits for bits in (8, 16, 32, 64)},
    **{f"float{bits}": bits for bits in (32, 64)},
}
_CHAINS = (("string", "url", "image"), ("dict", "struct"))


def _common_name(first: str, second: str) -> str | None:
    """Return the name of the smallest type that holds values of both; None if there is none."""
    if first == second:
        return first
    if first in _BITS and second in _BITS:
        return _common_number(first, second)
    for chain in _CHAINS:
        if first in chain and second in chain:
            return chain[max(chain.index(first), chain.index(second))]
    return None


def _common_number(first: str, second: str) -> str:
    narrow, wide = sorted((first, second), key=_BITS.__getitem__)
    kinds = {name.rstrip("0123456789") for name in (first, second)}
    if "float" in kinds:
        exact = narrow.startswith("float") or _BITS[narrow] <= 16
        return "float32" if wide == "float32" and exact else "float64"
    if len(kinds) == 1:
        return wide
    if "uint64" in (first, second):
        return "uint64"  # no type holds all of both; a negative number is found when it is stored
    unsigned = max(_BITS[name] for name in (first, second) if name.startswith("u"))
    signed = max(_BITS[name] for name in (first, second) if name.startswith("i"))
    return f"int{max(signed, 2 * unsigned)}"
