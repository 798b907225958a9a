"""Features of Hugging Face data sets: their schemas, and their cells as a table takes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlc.format.plain import combine
from tlc.importers.media import encoded
from tlc.schemas import (
    CategoricalLabelSchema,
    ImageSchema,
    Schema,
    UrlSchema,
    VideoUrlSchema,
    schema_from_arrow_type,
)
from tlc.schemas.shapes import VARIABLE
from tlc.schemas.values import DictValue, NumericValue

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

_LISTS = frozenset({"List", "LargeList", "Sequence"})
_ARRAYS = frozenset({"Array2D", "Array3D", "Array4D", "Array5D"})
_MEDIA: dict[str, type[Schema]] = {
    "Image": ImageSchema,
    "Video": VideoUrlSchema,
    **dict.fromkeys(("Audio", "Pdf", "Nifti", "Mesh", "BioSequence", "BioStructure"), UrlSchema),
}


def schema_of(feature: Any, kind: pa.DataType) -> Schema:
    """Return the schema of the cells of a feature.

    Args:
        feature: Feature of a column, or of a part of it.
        kind: Arrow type that the data set stores it in.

    Raises:
        SchemaError: Cells of that type cannot be held.
    """
    name = _name(feature)
    if name == "dict":
        return Schema(values={k: schema_of(f, kind.field(k).type) for k, f in feature.items()})
    if name in _LISTS:
        schema = schema_of(feature.feature, kind.value_type)
        length = getattr(feature, "length", VARIABLE)
        schema.shape = (length if length > 0 else VARIABLE, *schema.shape)
        return schema
    if name in _ARRAYS:
        return _array_schema(feature, kind)
    if name in _MEDIA:
        return _MEDIA[name]()
    if name == "ClassLabel":
        return CategoricalLabelSchema(feature.names)
    return Schema(value=DictValue()) if name == "Json" else schema_from_arrow_type(kind)


def _array_schema(feature: Any, kind: Any) -> Schema:
    schema = schema_from_arrow_type(kind)
    if isinstance(schema.value, NumericValue):
        schema.sample_type = "numpy_array"
    schema.shape = tuple(length or VARIABLE for length in feature.shape)
    return schema


def holds_media(feature: Any) -> bool:
    """Whether cells of a feature are images, sounds and the like, or have some in them."""
    name = _name(feature)
    if name == "dict":
        return any(map(holds_media, feature.values()))
    return name in _MEDIA or (name in _LISTS and holds_media(feature.feature))


def cells_of(feature: Any, column: pa.ChunkedArray) -> Any:
    """Return the values of a column as a table takes them."""
    if not holds_media(feature):
        kind = _without_extensions(column.type)
        return combine(column if column.type == kind else column.cast(kind))
    convert = _converter(feature)
    return [convert(value) for value in column.to_pylist()]


def _without_extensions(kind: Any) -> Any:
    """Return the Arrow type that `datasets` stores arrays and JSON in, below its own types."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return _without_extensions(kind.storage_type)
    if pa.types.is_struct(kind):
        return pa.struct([(part.name, _without_extensions(part.type)) for part in kind])
    if pa.types.is_large_list(kind):
        return pa.large_list(_without_extensions(kind.value_type))
    if pa.types.is_list(kind):
        return pa.list_(_without_extensions(kind.value_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_without_extensions(kind.value_type), kind.list_size)
    return kind


def _converter(feature: Any) -> Callable[[Any], Any]:
    name = _name(feature)
    if name == "dict":
        parts = {key: _converter(part) for key, part in feature.items()}
        return lambda value: value and {key: parts[key](part) for key, part in value.items()}
    if name in _LISTS:
        item = _converter(feature.feature)
        return lambda value: value and [item(part) for part in value]
    return _file if name in _MEDIA else lambda value: value


def _file(value: dict[str, Any] | None) -> Any:
    """Return the file of an image, sound or the like where it has one, else its content."""
    if value is None:
        return None
    content, path = value["bytes"], value["path"]
    if content is not None and not _is_file_of(path, content):
        return encoded(content, path or "")
    return path if not path or "://" in path else Path(path).absolute()


def _is_file_of(path: str | None, content: bytes) -> bool:
    return path is not None and os.path.isabs(path) and _size(path) == len(content)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def _name(feature: Any) -> str:
    return "dict" if isinstance(feature, dict) else type(feature).__name__
