"""Data sets of the library `datasets`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.constants import STRING_ROLE_IMAGE_URL
from tlc.errors import ExportError
from tlc.export.exporter import Exporter
from tlc.export.images import image_name
from tlc.export.output import new_folder
from tlc.export.rows import exported_parts
from tlc.format.parquet.rows_schema import with_rows_schema
from tlc.sample_types.content import read_content
from tlc.schemas.shapes import VARIABLE
from tlc.schemas.values import NumericValue
from tlc.url import Url
from tlc.url.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tlc.schemas import Schema
    from tlc.table import Table


class HuggingFaceExporter(Exporter):
    """Writes a folder that ``datasets.load_from_disk`` reads; the images are in its files."""

    supported_format = "huggingface"

    def _do_export(self, table: Table, output_url: Url, weight_threshold: float, **_: Any) -> None:
        """Write a data set; the folder must be new or empty."""
        dataset = to_hugging_face_dataset(table, weight_threshold)
        with new_folder(output_url) as folder, _quiet():
            # Without rows the library would write no shard, and could not read that.
            dataset.save_to_disk(str(folder), num_shards=None if len(dataset) else 1)


def to_hugging_face_dataset(table: Table, weight_threshold: float = 0.0) -> Any:
    """Return a table as a `datasets.Dataset` in memory.

    Numbers whose value map counts from 0 without gaps become `ClassLabel`, other ones stay numbers.
    Columns of images become `Image` features that refer to the files; those that are not on this
    machine are fetched. All else keeps its type.

    Args:
        table: The table.
        weight_threshold: Rows whose weight is below it are left out.

    Raises:
        MissingExtraError: The package `datasets` is not installed.
        ExportError: A label is not in its value map.
    """
    datasets = require("datasets", extra="huggingface", purpose="to make its data sets")
    import pyarrow as pa

    kinds = with_rows_schema(table.rows_schema).remove_metadata()
    # Without any batch the library could not tell the types.
    none = pa.RecordBatch.from_arrays([pa.array([], f.type) for f in kinds], schema=kinds)
    parts = exported_parts(table, weight_threshold, as_stored=True)
    cells = pa.Table.from_batches([none, *parts], kinds)
    schemas = table.rows_schema.values
    features = datasets.Features({n: _feature(s, datasets) for n, s in schemas.items()})
    columns = [
        _with_content(cells.column(name)) if _is_image(schema) else cells.column(name)
        for name, schema in schemas.items()
    ]
    try:
        cast = datasets.table.table_cast(
            pa.table(columns, names=list(schemas)), features.arrow_schema
        )
    except ValueError as error:
        raise ExportError(f"{table.url} does not fit its value maps: {error}.") from error
    info = datasets.DatasetInfo(description=table.description, features=features)
    return datasets.Dataset(datasets.table.InMemoryTable(cast), info=info)


def _feature(schema: Schema, datasets: Any) -> Any:
    if schema.value is None:
        feature: Any = {n: _feature(part, datasets) for n, part in schema.values.items()}
    elif _is_image(schema):
        feature = datasets.Image()
    elif names := _class_names(schema):
        feature = datasets.ClassLabel(names=names)
    else:
        feature = datasets.Value(schema.value.arrow)
    for length in reversed(schema.shape):
        feature = datasets.List(feature, length=-1 if length == VARIABLE else length)
    return feature


def _is_image(schema: Schema) -> bool:
    return getattr(schema.value, "string_role", "") == STRING_ROLE_IMAGE_URL


def _class_names(schema: Schema) -> list[str]:
    """Return the names of classes that are numbered as `ClassLabel` does; else none."""
    names = schema.get_simple_value_map() or {}
    is_whole = isinstance(schema.value, NumericValue) and "int" in schema.value.arrow
    counted = sorted(names) == list(range(len(names)))
    if not is_whole or not counted or len(set(names.values())) < len(names):
        return []
    return [names[number] for number in range(len(names))]


def _with_content(urls: pa.ChunkedArray) -> pa.Array:
    """Return images with the content of those that are not on this machine."""
    import pyarrow as pa

    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    if not pa.types.is_string(urls.type):
        return urls
    return pa.array(in_parallel(_image, urls.to_pylist()), kind)


def _image(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    if text.startswith("/"):
        return {"bytes": None, "path": text}
    url = Url(text)
    return {"bytes": read_content(url), "path": image_name(url)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the library show no progress bars."""
    datasets: Any = require("datasets", extra="huggingface", purpose="to write its data sets")
    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()
