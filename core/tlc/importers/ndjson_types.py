"""Types of the columns of an NDJSON file, which follow from all of its lines, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from tlc.schemas import Schema

Kinds = dict[tuple[str, ...], str]
"""What values are, such as ``"a number"``, by the keys that lead to them."""


def common_schema(one: pa.Schema, other: pa.Schema) -> pa.Schema | None:
    """Return the columns of both, in types that hold the values of both; None if none does."""
    import pyarrow as pa

    found = _common_fields(list(one), list(other))
    return None if found is None else pa.schema(found)


def _common_fields(one: list[pa.Field], other: list[pa.Field]) -> list[pa.Field] | None:
    import pyarrow as pa

    found = {field.name: field.type for field in one}
    for field in other:
        kind = _common(found.get(field.name, field.type), field.type)
        if kind is None:
            return None
        found[field.name] = kind
    return [pa.field(name, kind) for name, kind in found.items()]


def _common(one: Any, other: Any) -> Any:
    import pyarrow as pa

    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        fields = _common_fields(list(one), list(other))
        return None if fields is None else pa.struct(fields)
    if pa.types.is_list(one) and pa.types.is_list(other):
        kind = _common(one.value_type, other.value_type)
        return None if kind is None else pa.list_(kind)
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other))
    return pa.float64() if numbers else None


def with_texts(schema: pa.Schema) -> pa.Schema:
    """Return columns with text where Arrow has found times, whose form it would change."""
    import pyarrow as pa

    return pa.schema([(field.name, _as_text(field.type)) for field in schema])


def _as_text(kind: Any) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([(part.name, _as_text(part.type)) for part in kind])
    return pa.list_(_as_text(kind.value_type)) if pa.types.is_list(kind) else kind


def holds_nothing(kind: Any) -> bool:
    """Whether there are only empty dictionaries somewhere, which files of Arrow cannot have."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(holds_nothing(part.type) for part in kind)
    return pa.types.is_list(kind) and holds_nothing(kind.value_type)


def is_deeper(schema: pa.Schema, limit: int) -> bool:
    """Whether there are more lists and dictionaries within each other than `limit`."""
    import pyarrow as pa

    kinds = [field.type for field in schema]
    for _ in range(limit):
        inner = [part.type for kind in kinds if pa.types.is_struct(kind) for part in kind]
        kinds = inner + [kind.value_type for kind in kinds if pa.types.is_list(kind)]
        if not kinds:
            return False
    return True


def kinds_of(schema: pa.Schema) -> Kinds:
    """Return what values of columns are, and values in them."""
    return {
        path: kind for field in schema for path, kind in _kinds_below(field.type, (field.name,))
    }


def _kinds_below(kind: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    import pyarrow as pa

    word = _kind(kind)
    if word:
        yield path, word
    if pa.types.is_struct(kind):
        for part in kind:
            yield from _kinds_below(part.type, (*path, part.name))
    elif hasattr(kind, "value_type"):
        yield from _kinds_below(kind.value_type, (*path, "[]"))


def wanted_kinds(schema: Mapping[str, Schema]) -> Kinds:
    """Return what values of columns with schemas must be."""
    found: Kinds = {}
    for name, part in schema.items():
        word = _kind(arrow_type(part))
        if word and not (word == "a text" and getattr(part.value, "type", "") == "dict"):
            found[name,] = word
    return found


def _kind(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "a boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "a number"
    if pa.types.is_string(kind):
        return "a text"
    if pa.types.is_struct(kind):
        return "a dictionary"
    return "a list" if hasattr(kind, "value_type") else ""
