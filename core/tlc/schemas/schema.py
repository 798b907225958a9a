"""What a column is: `Schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tlc.errors import ColumnNotFoundError, SchemaError
from tlc.sample_types import SampleType, resolve_sample_type
from tlc.schemas import serialization
from tlc.schemas.shapes import MAX_DIMENSIONS, Shape, from_sizes, to_sizes
from tlc.schemas.value_maps import MapElement, Number, ValueMap, simple_value_map
from tlc.schemas.values import DimensionNumericValue, ScalarValue

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence

    import pyarrow as pa

    from tlc.sample_types import ExternalizationContext


class Schema:
    """What a column means, how its cells look and how they become samples.

    A schema is either *atomic*: it has a `value`, the type of its numbers, strings or bytes; or
    *composite*: it has `values`, a schema for each name of a dictionary. The schema of a table is a
    composite one with a schema for each column. Both kinds can have up to six dimensions, which
    make a cell a (nested) list.

    Two schemas are equal if they say the same, also when one of them is of a subclass, such as
    `ImageSchema`.

    Args:
        display_name: Name to show in place of the column's own.
        description: What the column is.
        writable: Whether people may edit it.
        computable: Whether it can be used in computed columns and aggregates.
        display_importance: Order of columns in a display: larger comes first.
        value: Type of the scalars of an atomic schema.
        values: Schemas of the parts of a composite schema, in order.
        size0: Length of the innermost dimension.
        size1: Length of the next dimension outwards; so on to `size5`.
        size2: See `size1`.
        size3: See `size1`.
        size4: See `size1`.
        size5: See `size1`.
        sample_type: Name of the sample type that turns cells into samples; "" or None if they are
            the same.
        default_visible: Whether a display shows the column at first.
        default_value: Value of cells that nothing was written to. It is kept in `value`.
        metadata: Anything else about the column, as JSON can hold it.
        bulk_data_location: Url of the folder for files of this column; "" for the place a table has
            for them.

    Raises:
        SchemaError: Both `value` and `values` are given, or one of them is of a wrong type, or a
            composite schema is given a default value.
    """

    def __init__(
        self,
        display_name: str = "",
        description: str = "",
        writable: bool = True,
        computable: bool = True,
        display_importance: float = 0.0,
        value: ScalarValue | None = None,
        *,
        values: Mapping[str, Schema] | None = None,
        size0: DimensionNumericValue | None = None,
        size1: DimensionNumericValue | None = None,
        size2: DimensionNumericValue | None = None,
        size3: DimensionNumericValue | None = None,
        size4: DimensionNumericValue | None = None,
        size5: DimensionNumericValue | None = None,
        sample_type: str | None = "",
        default_visible: bool = True,
        default_value: Any = None,
        metadata: Mapping[str, Any] | None = None,
        bulk_data_location: str = "",
    ) -> None:
        self.display_name, self.description = display_name, description
        self.writable, self.computable = writable, computable
        self.display_importance = display_importance
        self.value = _checked_value(value, values)
        self.values: dict[str, Schema] = {}
        self._add_parts(values or {}, default_value)
        self.size0, self.size1, self.size2 = size0, size1, size2
        self.size3, self.size4, self.size5 = size3, size4, size5
        self.sample_type = sample_type or ""
        self.default_visible = default_visible
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.bulk_data_location = bulk_data_location

    @classmethod
    def from_sample(cls, value: Any) -> Schema:
        """Return the schema of one value, as `infer_schema` finds it.

        Raises:
            SchemaError: There is no schema for values of this type.
        """
        return cls.from_samples([value])

    @classmethod
    def from_samples(cls, values: Sequence[Any]) -> Schema:
        """Return the schema that fits all values of a column. See `infer_schema`.

        Raises:
            SchemaError: The values have no common type.
        """
        from tlc.schemas.infer import infer_schema

        return infer_schema(values)

    # Parts

    @property
    def is_composite(self) -> bool:
        """Whether cells are dictionaries, or lists of them, described by `values`."""
        return self.value is None

    def add_sub_schema(self, name: str, schema: Schema) -> None:
        """Add a part to a composite schema, or replace the one of that name.

        Raises:
            SchemaError: This schema is atomic, the name is no string, or `schema` is no `Schema`.
        """
        if not self.is_composite:
            raise SchemaError(
                f"A schema with a value has no parts, so {name!r} cannot be added.",
                hint="Add it to a Schema made with values={...}.",
            )
        if not isinstance(name, str) or not isinstance(schema, Schema):
            raise SchemaError(
                f"The part {name!r} of a schema is {schema!r}.",
                hint="Names are strings, and parts are schemas such as tlc.schemas.Int32Schema().",
            )
        self.values[name] = schema

    def _add_parts(self, values: Mapping[str, Schema], default_value: Any) -> None:
        if default_value is not None:
            self.default_value = default_value
        for name, schema in values.items():
            self.add_sub_schema(name, schema)

    def find(self, path: str) -> Schema:
        """Return the part at a dotted path, such as ``"bbs.instances_additional_data.label"``.

        Raises:
            ColumnNotFoundError: There is no such part. The message names those there are.
        """
        if not path:
            return self
        if path in self.values:
            return self.values[path]
        head, _, rest = path.partition(".")
        if head in self.values and rest:
            return self.values[head].find(rest)
        raise ColumnNotFoundError(
            f"There is no column {path!r}.",
            hint=f"There are: {', '.join(map(repr, self.values)) or 'none'}.",
        )

    def __getitem__(self, name: str) -> Schema:
        return self.find(name)

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def keys(self) -> KeysView[str]:
        """Return the names of the parts."""
        return self.values.keys()

    def items(self) -> ItemsView[str, Schema]:
        """Return the names and schemas of the parts."""
        return self.values.items()

    # Meaning

    @property
    def default_value(self) -> Any:
        """Value of cells that nothing was written to; None for an empty cell."""
        return None if self.value is None else self.value.default_value

    @default_value.setter
    def default_value(self, default_value: Any) -> None:
        if self.value is None:
            raise SchemaError(
                "A composite schema has no default value of its own.",
                hint="Give its parts default values.",
            )
        self.value.default_value = default_value

    def get_value_map(self, path: str = "") -> ValueMap | None:
        """Return number -> `MapElement` of the part at a dotted path; None if it has no value map.

        Raises:
            ColumnNotFoundError: There is no such part.
        """
        value = self.find(path).value
        return None if value is None else value.value_map

    def get_simple_value_map(self, path: str = "") -> dict[Number, str] | None:
        """Return number -> name of the part at a dotted path; None if it has no value map.

        Raises:
            ColumnNotFoundError: There is no such part.
        """
        value_map: dict[Number, MapElement] | None = self.get_value_map(path)
        return None if value_map is None else simple_value_map(value_map)

    # Form

    @property
    def sizes(self) -> tuple[DimensionNumericValue | None, ...]:
        """`size0` to `size5`."""
        return tuple(getattr(self, f"size{i}") for i in range(MAX_DIMENSIONS))

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions, outermost first, -1 where they vary; ``()`` for a scalar.

        Raises:
            SchemaError: A size is given outside of one that is missing.
        """
        return from_sizes(self.sizes)

    @shape.setter
    def shape(self, shape: Shape) -> None:
        sizes = to_sizes(shape)
        for i in range(MAX_DIMENSIONS):
            setattr(self, f"size{i}", sizes[i] if i < len(sizes) else None)

    @property
    def arrow_type(self) -> pa.DataType:
        """Arrow type of the cells. See `tlc.schemas.arrow`."""
        from tlc.schemas.arrow import arrow_type

        return arrow_type(self)

    @property
    def resolved_sample_type(self) -> SampleType:
        """A new sample type of this schema.

        Raises:
            UnknownSampleTypeError: No sample type of the name is registered.
        """
        return resolve_sample_type(self, strict=True)

    def from_row(self, row: Any) -> Any:
        """Return the sample form of a cell or, for the schema of a table, of a row.

        Hidden columns are kept as they are, so that the result can be written again.
        """
        return self.resolved_sample_type.from_row(row)

    def to_row(self, sample: Any, context: ExternalizationContext) -> Any:
        """Return the row form of a value in sample or row form. Files, if any, are written.

        Raises:
            SchemaError: The value does not fit.
        """
        return self.resolved_sample_type.as_row(sample, context)

    # Equality and JSON

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as JSON data. What is as usual is left out, and so is None.

        Raises:
            SchemaError: An attribute is of a wrong type.
        """
        return serialization.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Return the plain `Schema` that `to_dict` wrote. Unknown keys are ignored.

        Raises:
            SchemaError: The data are damaged.
        """
        try:
            return serialization.from_dict(Schema, data)
        except SchemaError:
            raise
        # What data of a wrong kind, in places where nobody looks for it, are known to lead to.
        except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise SchemaError(f"The schema cannot be read: {error}.") from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schema):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment] # a schema can be changed

    def __repr__(self) -> str:
        kind = f"values={list(self.values)}" if self.value is None else self.value.type
        extras = [f"shape={self.shape}"] if self.shape else []
        extras += [f"sample_type={self.sample_type!r}"] if self.sample_type else []
        return f"{type(self).__name__}({', '.join([kind, *extras])})"

    def __copy__(self) -> Self:
        copy = type(self).__new__(type(self))
        parts, metadata = dict(self.values), dict(self.metadata or {})
        vars(copy).update(vars(self), values=parts, metadata=metadata)
        return copy


def _checked_value(value: Any, values: Mapping[str, Schema] | None) -> ScalarValue | None:
    if value is not None and values is not None:
        raise SchemaError("A schema has either a value or values, not both.")
    if value is not None and not isinstance(value, ScalarValue):
        raise SchemaError(
            f"The value of a schema is {value!r}.",
            hint="Give one of tlc.schemas.values, such as Float32Value().",
        )
    return value


def find(schema: Schema, path: str) -> Schema:
    """Return the part of `schema` at a dotted path. See `Schema.find`."""
    return schema.find(path)
