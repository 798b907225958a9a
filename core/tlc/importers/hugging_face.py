"""Data sets of the library `datasets`: in memory, in a folder, or on the Hugging Face hub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.errors import AnnotationFileError, ColumnError, OptionError, TlcError, UrlNotFoundError
from tlc.importers.columns import check_schema
from tlc.importers.hugging_face_features import cells_of, holds_media, schema_of
from tlc.importers.source import Batch, Source
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tlc.schemas import Schema

_ROWS = 65_536
_FILES = 256  # rows at a time whose images, say, are in memory
_SAVED = ("state.json", "dataset_dict.json")
# What the library is known to raise for damaged files.
_STUMBLES = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError),
    *(TypeError, ValueError),
)


def from_hugging_face_dataset(dataset: Any, schema: Mapping[str, Schema] | None) -> Source:
    """Take the rows of a `datasets.Dataset`, in the order that it has them.

    Args:
        dataset: The data set. Columns that its format leaves out are left out; what else a format
            or a transform does with samples is not done.
        schema: Schemas of columns; the others follow from the features.

    Raises:
        ColumnError: It is several splits, or an iterable; or a schema has no column.
        SchemaError: Cells of a feature cannot be held.
    """
    _check_kind(dataset)
    names = _shown(dataset)
    features = {name: dataset.features[name] for name in names}
    kinds = dataset.features.arrow_schema
    found = {name: schema_of(part, kinds.field(name).type) for name, part in features.items()}
    schemas = {**found, **check_schema(schema, names)}
    fingerprint = {"fingerprint": dataset._fingerprint, "columns": names, "rows": len(dataset)}
    return Source("hugging_face_dataset", lambda: _batches(dataset, features), schemas, fingerprint)


def _check_kind(dataset: Any) -> None:
    if isinstance(dataset, dict):
        raise ColumnError(
            f"These are several data sets: {', '.join(map(repr, dataset))}.",
            hint=f"give one of them, such as dataset[{next(iter(dataset), 'train')!r}].",
        )
    if not (hasattr(dataset, "_fingerprint") and hasattr(dataset, "with_format")):
        raise ColumnError(
            f"This is no datasets.Dataset, but {type(dataset).__name__}.",
            hint="load the data set without streaming=True; other samples are taken by "
            "from_torch_dataset, frames by from_arrow.",
        )


def _shown(dataset: Any) -> list[str]:
    """Return the columns that samples of the data set have, in its order."""
    shown = dataset.format
    every = list(dataset.features)
    if shown["output_all_columns"] or shown["columns"] is None:
        return every
    return [name for name in every if name in shown["columns"]]


def _batches(dataset: Any, features: Mapping[str, Any]) -> Iterator[Batch]:
    if not len(dataset):
        yield {name: [] for name in features}
    size = _FILES if any(map(holds_media, features.values())) else _ROWS
    rows = dataset.with_format("arrow", columns=list(features))
    for table in rows.iter(size):
        yield {name: cells_of(part, table.column(name)) for name, part in features.items()}


def load(
    path: str | os.PathLike[str], name: str | None, split: Any, options: Mapping[str, Any] | None
) -> Any:
    """Return a split of a data set on the hub, or in a folder.

    Args:
        path: As for `datasets.load_dataset`; or a folder that `Dataset.save_to_disk` wrote.
        name: Configuration of the data set.
        split: The split; None if there is only one.
        options: Further arguments of `datasets.load_dataset`.

    Raises:
        MissingExtraError: The package `datasets` is not installed.
        UrlNotFoundError: There is no such data set.
        AnnotationFileError: Files of the data set are damaged.
        OptionError: There is no such split, or several where none was named.
    """
    datasets = require("datasets", extra="huggingface", purpose="to load data sets of Hugging Face")
    place = Url(path).to_absolute().to_str() if isinstance(path, os.PathLike) else path
    try:
        if any(os.path.isfile(os.path.join(place, file)) for file in _SAVED):
            return _split(_saved(datasets, place), split, place)
        found = datasets.load_dataset(place, name, split=split, **(options or {}))
    except FileNotFoundError as error:
        raise UrlNotFoundError(
            f"There is no data set {place!r}: {error}.",
            hint="give the id of one on the hub, or a folder of this machine.",
        ) from error
    except TlcError:
        raise
    except ValueError as error:
        raise OptionError(f"The data set {place!r} cannot be loaded: {error}.") from error
    return _split(found, None, place)


def _saved(datasets: Any, place: str) -> Any:
    """Return what is in a folder that the library itself has written.

    Raises:
        AnnotationFileError: Files in it are damaged.
    """
    try:
        return datasets.load_from_disk(place)
    except (FileNotFoundError, MemoryError):
        raise
    except _STUMBLES as error:
        raise AnnotationFileError(
            f"{place}: the data set cannot be read: {type(error).__name__}: {error}.",
            hint="are its files whole?",
        ) from error


def _split(found: Any, split: Any, place: str) -> Any:
    if not isinstance(found, dict):
        return found
    names = list(found)
    if split is None and len(names) == 1:
        return found[names[0]]
    if split in found:
        return found[split]
    listed = ", ".join(repr(str(name)) for name in names)
    wanted = "no split is named" if split is None else f"{split!r} is none of them"
    raise OptionError(
        f"The data set {place!r} has the splits {listed}; {wanted}.",
        hint=f"pass split={str(names[0])!r}." if names else "it has none.",
    )
