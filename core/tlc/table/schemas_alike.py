"""Whether the columns of two tables are the same thing, so that one may lie below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.errors import SchemaError
from tlc.format.relative import holds_urls
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from tlc.schemas import Schema
    from tlc.url import Url


def check_alike(schema: Schema, other: Schema, path: str, url: Url) -> None:
    """Refuse a column that means another thing than that of the same name before it.

    What only tells how a column is shown may differ; names of classes are merged elsewhere.

    Args:
        schema: Schema of the column in the first table.
        other: Schema of the column in another one.
        path: Where it is, for messages.
        url: Where the other table is.

    Raises:
        SchemaError: It is of another type, has other parts, units or metadata.
    """
    if schema.is_composite and other.is_composite:
        differing = sorted(set(schema.values) ^ set(other.values))
        if differing:
            raise SchemaError(
                f"Column {path!r} does not have the same parts in the first table and in {url}: "
                f"{', '.join(map(repr, differing))} in one of them only.",
                hint="set_schema makes them alike.",
            )
        if schema.shape == other.shape:
            _check_metadata(schema, other, path, url)
            for name, part in schema.values.items():
                check_alike(part, other.values[name], f"{path}.{name}", url)
            return
    if arrow_type(schema) != arrow_type(other):
        raise _differing(path, url, str(arrow_type(schema)), str(arrow_type(other)))
    if holds_urls(schema) != holds_urls(other):
        kinds = ["urls" if holds_urls(each) else "plain texts" for each in (schema, other)]
        raise _differing(path, url, *kinds)
    units = [getattr(each.value, "unit", "") for each in (schema, other)]
    if all(units) and units[0] != units[1]:
        raise _differing(path, url, *map(repr, units))


def _differing(path: str, url: Url, first: str, second: str) -> SchemaError:
    return SchemaError(
        f"Column {path!r} holds {first} in the first table and {second} in {url}.",
        hint="set_schema makes them alike.",
    )


def _check_metadata(schema: Schema, other: Schema, path: str, url: Url) -> None:
    """Refuse annotations whose metadata differ: a skeleton, say, or the number of a background."""
    if not schema.sample_type or schema.sample_type != other.sample_type:
        return
    keys = {*schema.metadata, *other.metadata}
    differing = [key for key in keys if schema.metadata.get(key) != other.metadata.get(key)]
    if differing:
        raise SchemaError(
            f"Column {path!r} has other metadata in the first table than in {url}: "
            f"{', '.join(map(repr, sorted(differing)))}.",
            hint="set_schema makes them alike, if they mean the same.",
        )
