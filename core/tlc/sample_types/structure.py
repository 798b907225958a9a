"""Sample types made of others, and the choice of the sample type of a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tlc.sample_types.base import ExternalizationContext, SampleType
from tlc.sample_types.plain import DictSampleType, Identity
from tlc.sample_types.registry import find_sample_type, get_sample_type

if TYPE_CHECKING:
    from tlc.schemas import Schema


class CompositeSampleType(SampleType):
    """Dictionaries whose parts have sample types of their own.

    Keys that the schema does not know, and hidden parts, are kept as they are.

    Args:
        schema: A composite schema.
        strict: Whether an unknown sample type of a part is an error, or leaves it in row form.
    """

    elementwise = True

    def __init__(self, schema: Schema, *, strict: bool = True) -> None:
        super().__init__(schema)
        parts = {
            name: resolve_sample_type(part, strict=strict) for name, part in schema.values.items()
        }
        self.parts = {name: part for name, part in parts.items() if not part.is_identity}
        self.is_identity = not self.parts

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a dictionary with parts to convert, in either form."""
        return isinstance(value, Mapping) and not self.parts.keys().isdisjoint(value)

    def to_row(self, sample: Mapping[str, Any], context: ExternalizationContext) -> dict[str, Any]:
        """Return a new dictionary with each part in row form."""
        row = dict(sample)
        for name in self.parts.keys() & row.keys():
            row[name] = self.parts[name].as_row(row[name], context)
        return row

    def from_row(self, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return a new dictionary with each part in sample form; None for None."""
        if row is None:
            return None
        sample = dict(row)
        for name in self.parts.keys() & sample.keys():
            sample[name] = self.parts[name].from_row(sample[name])
        return sample


class ListSampleType(SampleType):
    """Lists whose items have a sample type.

    Args:
        item: Sample type of the items.
    """

    def __init__(self, item: SampleType) -> None:
        super().__init__(item.schema)
        self.item = item
        self.is_identity = item.is_identity

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a list or tuple; its items can be in either form."""
        return isinstance(value, (list, tuple)) and not self.is_identity

    def to_row(self, sample: Any, context: ExternalizationContext) -> list[Any]:
        """Return a new list with each item in row form."""
        return [self.item.as_row(item, context) for item in sample]

    def from_row(self, row: Any) -> list[Any] | None:
        """Return a new list with each item in sample form; None for None."""
        return None if row is None else [self.item.from_row(item) for item in row]


def resolve_sample_type(schema: Schema, *, strict: bool) -> SampleType:
    """Return a new sample type for a schema: the named one, or the natural one where none is named.

    Args:
        schema: Schema of a column, or of the rows of a table.
        strict: False to treat unknown sample types as if none were named, as needed to read tables
            that were written with extensions not at hand.

    Raises:
        UnknownSampleTypeError: A sample type is unknown and `strict` is true.
    """
    find = get_sample_type if strict else find_sample_type
    cls = find(schema.sample_type) if schema.sample_type else None
    if cls is not None:
        sample_type = cls(schema)
    elif schema.value is None:
        sample_type = CompositeSampleType(schema, strict=strict)
    else:
        sample_type = (DictSampleType if schema.value.type == "dict" else Identity)(schema)
    if sample_type.elementwise:
        for _ in schema.shape:
            sample_type = ListSampleType(sample_type)
    return sample_type
