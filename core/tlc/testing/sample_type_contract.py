"""The suite that every sample type must pass."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from tlc.errors import TlcError
from tlc.sample_types import ExternalizationContext, SampleType, resolve_sample_type
from tlc.schemas import Schema
from tlc.url import Url

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FolderContext", "SampleTypeContract"]


class FolderContext:
    """An `ExternalizationContext` that numbers files in one folder.

    Args:
        folder: The folder, which need not exist.
    """

    def __init__(self, folder: Path | Url) -> None:
        self.folder = Url(folder).to_absolute()
        self._numbers = itertools.count()

    def new_url(self, extension: str) -> Url:
        """Return the url of the next file."""
        return self.folder / f"{next(self._numbers):07d}{extension}"


class SampleTypeContract:
    """What a sample type promises. Inherit, and give the two fixtures that raise here.

    Override `same` if the default cannot tell whether two samples are the same, or where reading
    back is only nearly exact.
    """

    @pytest.fixture
    def schema(self) -> Schema:
        """A schema that names the sample type."""
        raise NotImplementedError

    @pytest.fixture
    def samples(self) -> list[Any]:
        """Samples of the kinds that the type is for, the odd ones too: empty, huge, NaN."""
        raise NotImplementedError

    @pytest.fixture
    def bad_samples(self) -> list[Any]:
        """Values that cannot be stored in a column of the schema."""
        return []

    def same(self, sample: Any, other: Any) -> bool:
        """Return whether two samples are the same: NaN is NaN, arrays have one type and shape."""
        return _same(sample, other)

    @pytest.fixture
    def sample_type(self, schema: Schema) -> SampleType:
        """The sample type that the schema names."""
        return resolve_sample_type(schema, strict=True)

    @pytest.fixture
    def context(self, tmp_path: Path) -> ExternalizationContext:
        """Where files go."""
        return FolderContext(tmp_path / "bulk_data")

    @pytest.fixture
    def rows(
        self, sample_type: SampleType, samples: list[Any], context: ExternalizationContext
    ) -> list[Any]:
        """The samples in row form."""
        assert samples
        return [sample_type.as_row(sample, context) for sample in samples]

    def check(self, sample_type: SampleType, rows: list[Any], samples: list[Any]) -> None:
        """Check that rows become the samples again."""
        for row, sample in zip(rows, samples, strict=True):
            read = sample_type.from_row(row)
            assert self.same(read, sample), f"{sample!r} was read back as {read!r}"

    def test_samples_come_back(
        self, sample_type: SampleType, rows: list[Any], samples: list[Any]
    ) -> None:
        """From sample to row and back nothing changes."""
        self.check(sample_type, rows, samples)

    def test_rows_fit_cells(
        self, schema: Schema, sample_type: SampleType, rows: list[Any], samples: list[Any]
    ) -> None:
        """Arrow takes rows, and an empty cell among them, and gives back what makes the samples."""
        cells = pa.array([*rows, None], schema.arrow_type)
        assert cells.null_count == 1
        self.check(sample_type, cells.to_pylist()[:-1], samples)

    def test_rows_are_rows_already(
        self, sample_type: SampleType, rows: list[Any], context: ExternalizationContext
    ) -> None:
        """What is in row form stays as it is, so that rows can be copied between tables."""
        for row in rows:
            assert _same(sample_type.as_row(row, context), row)

    def test_what_is_read_can_be_written(
        self,
        sample_type: SampleType,
        rows: list[Any],
        samples: list[Any],
        context: ExternalizationContext,
    ) -> None:
        """Samples of one table can be written to another."""
        read = [sample_type.from_row(row) for row in rows]
        again = [sample_type.as_row(sample, context) for sample in read]
        self.check(sample_type, again, samples)

    def test_empty_cells_stay_empty(
        self, sample_type: SampleType, context: ExternalizationContext
    ) -> None:
        """None is None in both forms."""
        assert sample_type.as_row(None, context) is None
        assert sample_type.from_row(None) is None

    def test_bad_samples_are_refused(
        self,
        schema: Schema,
        sample_type: SampleType,
        bad_samples: list[Any],
        context: ExternalizationContext,
    ) -> None:
        """What cannot be stored is an error, at the latest when cells are made."""
        for sample in bad_samples:
            with pytest.raises((TlcError, pa.ArrowException, TypeError)):
                pa.array([sample_type.as_row(sample, context)], schema.arrow_type)

    def test_it_travels_to_other_processes(
        self, sample_type: SampleType, rows: list[Any], samples: list[Any]
    ) -> None:
        """A pickled sample type reads the same."""
        self.check(pickle.loads(pickle.dumps(sample_type)), rows, samples)

    def test_its_schema_survives_json(
        self, schema: Schema, rows: list[Any], samples: list[Any]
    ) -> None:
        """A schema read from JSON is equal, and leads to the same sample type."""
        read = Schema.from_dict(json.loads(json.dumps(schema.to_dict(), allow_nan=False)))
        assert read == schema
        self.check(resolve_sample_type(read, strict=True), rows, samples)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if hasattr(one, "dtype") and hasattr(other, "dtype"):
        return _same_arrays(one, other)
    if hasattr(one, "tobytes") and hasattr(one, "mode"):  # a PIL image
        return bool(_image(one) == _image(other))
    same = one == other or (one != one and other != other)
    return bool(same) and type(one) is type(other)


def _same_arrays(one: Any, other: Any) -> bool:
    alike = type(one) is type(other) and one.dtype == other.dtype and one.shape == other.shape
    may_be_nan = np.asarray(one).dtype.kind in "fc"
    return alike and np.array_equal(one, other, equal_nan=may_be_nan)


def _image(image: Any) -> tuple[Any, ...]:
    return image.mode, image.size, image.tobytes()
