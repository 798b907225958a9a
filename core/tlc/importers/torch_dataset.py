"""Map-style torch datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tlc._pillow import open_image
from tlc.errors import ColumnError
from tlc.format.declared import checked_schemas
from tlc.format.manifest import digest
from tlc.importers.source import Batch, Source
from tlc.sample_types.recognize import is_array, is_image, is_tensor
from tlc.schemas import infer_schema

if TYPE_CHECKING:
    from tlc.schemas import Schema

_BATCH = 64
_LOOKED_AT = 32


def from_torch_dataset(
    dataset: Any,
    schema: Mapping[str, Schema] | None,
    *,
    all_arrays_are_fixed_size: bool = False,
) -> Source:
    """Take every sample of a map-style dataset.

    Samples that are tuples get the schema's keys as column names, in order; samples that are dicts
    keep theirs. Images that a torchvision ``DatasetFolder`` reads from files are referenced, not
    copied, unless the dataset transforms them.

    Args:
        dataset: Has ``__len__`` and ``__getitem__``.
        schema: Schemas; for tuple samples one for each position.
        all_arrays_are_fixed_size: Whether arrays and tensors have the shape they have in the first
            sample, and another shape is an error; else their shape may vary.

    Raises:
        ColumnError: A sample does not have the schema's columns.
    """
    schemas = checked_schemas(schema)
    if all_arrays_are_fixed_size and len(dataset):
        first = _as_dict(dataset[0], list(schemas), 0)
        arrays = {n: v for n, v in first.items() if is_array(v) or is_tensor(v)}
        schemas.update({n: infer_schema([v]) for n, v in arrays.items() if n not in schemas})
    fingerprint = {
        "class": type(dataset).__qualname__,
        "length": len(dataset),
        "digest": _digest(dataset),
    }
    return Source("torch_dataset", lambda: _batches(dataset, list(schemas)), schemas, fingerprint)


def _digest(dataset: Any) -> str:
    """Return what tells datasets apart: numbers and texts of some samples, evenly spaced.

    Images and arrays do not count, since a transform may make others of them each time.
    """
    rows = range(0, len(dataset), max(1, len(dataset) // _LOOKED_AT))
    told = [[part for part in _parts(dataset[row]) if _is_told(part)] for row in rows]
    return digest(repr(told).encode("utf-8", "surrogatepass"))


def _parts(sample: Any) -> list[Any]:
    if isinstance(sample, Mapping):
        return [part for item in sample.items() for part in item]
    return list(sample) if isinstance(sample, tuple | list) else [sample]


def _is_told(part: Any) -> bool:
    return isinstance(part, bool | int | float | str) or getattr(part, "shape", None) == ()


def _batches(dataset: Any, names: list[str]) -> Iterator[Batch]:
    with _file_names_kept(dataset):
        for start in range(0, len(dataset), _BATCH):
            rows = range(start, min(start + _BATCH, len(dataset)))
            samples = [_as_dict(dataset[row], names, row) for row in rows]
            for row, sample in zip(rows, samples, strict=True):
                _check_keys(sample, samples[0], row)
            yield {name: [sample[name] for sample in samples] for name in samples[0]}


def _check_keys(sample: Mapping[str, Any], other: Mapping[str, Any], row: int) -> None:
    differing = sorted(map(repr, sample.keys() ^ other.keys()))
    if differing:
        raise ColumnError(
            f"Sample {row} of the dataset has other keys than samples before: "
            f"{', '.join(differing)} in one of them only.",
            hint="every sample needs the same keys; None stands for a missing value.",
        )


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
    if not _returns_files(dataset):
        yield
        return
    original = dataset.loader
    dataset.loader = _open_image
    try:
        yield
    finally:
        dataset.loader = original


def _returns_files(dataset: Any) -> bool:
    """Whether the samples of a dataset have images just as they are in its files."""
    if not (hasattr(dataset, "loader") and getattr(dataset, "samples", None)):
        return False
    if getattr(dataset, "transform", None) is not None:
        return False
    return is_image(dataset.loader(dataset.samples[0][0]))


def _open_image(path: str) -> Any:

    with open_image(path) as image:
        image.load()
    image.filename = path
    return image
