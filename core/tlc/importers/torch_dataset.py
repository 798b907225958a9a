"""Map-style torch datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnError
from tlc.importers.source import Batch, Source

if TYPE_CHECKING:
    from tlc.schemas import Schema

_BATCH = 64


def from_torch_dataset(dataset: Any, schema: Mapping[str, Schema] | None) -> Source:
    """Take every sample of a map-style dataset.

    Samples that are tuples get the schema's keys as column names, in order; samples that are dicts
    keep theirs. Images that a torchvision ``DatasetFolder`` reads from files are referenced, not
    copied, unless the dataset transforms them.

    Args:
        dataset: Has ``__len__`` and ``__getitem__``.
        schema: Schemas; for tuple samples one for each position.

    Raises:
        ColumnError: A sample does not have the schema's columns.
    """
    schemas = dict(schema or {})
    fingerprint = {"class": type(dataset).__qualname__, "length": len(dataset)}
    return Source("torch_dataset", lambda: _batches(dataset, list(schemas)), schemas, fingerprint)


def _batches(dataset: Any, names: list[str]) -> Iterator[Batch]:
    with _file_names_kept(dataset):
        for start in range(0, len(dataset), _BATCH):
            rows = range(start, min(start + _BATCH, len(dataset)))
            samples = [_as_dict(dataset[row], names, row) for row in rows]
            yield {name: [sample[name] for sample in samples] for name in samples[0]}


def _as_dict(sample: Any, names: list[str], row: int) -> dict[str, Any]:
    if isinstance(sample, Mapping):
        return dict(sample)
    values = list(sample) if isinstance(sample, tuple | list) else [sample]
    keys = names or [f"column_{number}" for number in range(len(values))]
    if len(keys) != len(values):
        raise ColumnError(
            f"Sample {row} of the dataset has {len(values)} values, the schema has {len(keys)} "
            f"columns ({', '.join(map(repr, keys))}).",
            hint="give one schema for each position of the samples.",
        )
    return dict(zip(keys, values, strict=True))


@contextmanager
def _file_names_kept(dataset: Any) -> Iterator[None]:
    """Let a torchvision ``DatasetFolder`` return images that know their file."""
    while hasattr(dataset, "dataset") and not hasattr(dataset, "loader"):
        dataset = dataset.dataset
    if not (hasattr(dataset, "loader") and hasattr(dataset, "samples")):
        yield
        return
    original = dataset.loader
    dataset.loader = _open_image
    try:
        yield
    finally:
        dataset.loader = original


def _open_image(path: str) -> Any:
    from PIL import Image

    with Image.open(path) as image:
        image.load()
    image.filename = path
    return image
