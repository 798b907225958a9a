"""NumPy arrays and torch tensors: as nested lists in the row, or as a `.npy` file each."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.errors import CorruptObjectError, SchemaError
from tlc.sample_types.base import ExternalizationContext, ExternalSampleType, SampleType
from tlc.sample_types.content import read_content
from tlc.sample_types.recognize import is_array, is_tensor
from tlc.sample_types.registry import register_sample_type

if TYPE_CHECKING:
    import numpy as np
    import torch

    from tlc.schemas import Schema
    from tlc.url import Url

_VARIABLE = -1


@register_sample_type("numpy_array")
class NumpyArraySampleType(SampleType):
    """NumPy arrays, stored as nested lists; read with the type and shape of the schema.

    In a schema with several variable dimensions, an array that has no elements keeps its number of
    dimensions, but not the lengths within the first that is 0.
    """

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a NumPy array."""
        return is_array(value)

    def to_row(self, sample: np.ndarray[Any, Any], context: ExternalizationContext) -> Any:
        """Return an array as nested lists.

        Raises:
            SchemaError: The shape is not that of the schema, or whole numbers are wanted and the
                array has others.
        """
        _check_shape(sample.shape, self.schema)
        _check_numbers(sample, _type_name(self.schema))
        return sample.tolist()

    def from_row(self, row: Any) -> np.ndarray[Any, Any] | None:
        """Return nested lists as an array; None for None. Missing numbers are NaN."""
        if row is None:
            return None
        import numpy as np

        array = np.array(row, dtype=_type_name(self.schema))
        return array if array.size else array.reshape(_empty_shape(array.shape, self.schema))


@register_sample_type("torch_tensor")
class TorchTensorSampleType(NumpyArraySampleType):
    """Torch tensors, stored as nested lists; read on the CPU, with type and shape of the schema."""

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a torch tensor."""
        return is_tensor(value)

    def to_row(self, sample: Any, context: ExternalizationContext) -> Any:
        """Return a tensor as nested lists.

        Raises:
            SchemaError: The shape is not that of the schema, or whole numbers are wanted and the
                tensor has others.
        """
        return super().to_row(_to_array(sample), context)

    def from_row(self, row: Any) -> torch.Tensor | None:  # type: ignore[override]
        """Return nested lists as a tensor; None for None. Missing numbers are NaN.

        Raises:
            MissingExtraError: Torch is not installed.
        """
        array = super().from_row(row)
        return None if array is None else _to_tensor(array)


@register_sample_type("external_numpy_array")
class ExternalNumpyArraySampleType(ExternalSampleType):
    """NumPy arrays of any shape and type but objects, in a `.npy` file each."""

    file_extension = ".npy"

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a NumPy array, or prepared. See `ExternalSampleType`."""
        return is_array(value) or self.is_prepared(value)

    def save(self, sample: np.ndarray[Any, Any], url: Url) -> None:
        """Write an array.

        Raises:
            SchemaError: Its elements are Python objects.
        """
        url.write_bytes(self.encode(sample))

    def encode(self, sample: np.ndarray[Any, Any]) -> bytes:
        """Return an array as a `.npy` file.

        Raises:
            SchemaError: Its elements are Python objects.
        """
        import numpy as np

        buffer = io.BytesIO()
        try:
            np.save(buffer, sample, allow_pickle=False)
        except ValueError as error:
            raise SchemaError(
                f"An array of type {sample.dtype} cannot be stored: {error}.",
                hint="Convert it to numbers, as with array.astype('float32').",
            ) from error
        return buffer.getvalue()

    def load(self, url: Url) -> Any:
        """Return the array at `url`.

        Raises:
            UrlNotFoundError: There is no such file.
            CorruptObjectError: The file is not a `.npy` file of numbers.
        """
        import numpy as np

        data = io.BytesIO(read_content(url))
        try:
            return np.lib.format.read_array(data, allow_pickle=False)
        # What a header that lies is known to lead to.
        except (ValueError, EOFError, OSError, TypeError, OverflowError, MemoryError) as error:
            raise CorruptObjectError(
                f"The array {url.to_str()!r} cannot be read: {error}."
            ) from error


@register_sample_type("external_torch_tensor")
class ExternalTorchTensorSampleType(ExternalNumpyArraySampleType):
    """Torch tensors of any shape, in a `.npy` file each; read on the CPU.

    Types that NumPy lacks, such as bfloat16, are stored and read as float32.
    """

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a torch tensor, or prepared. See `ExternalSampleType`."""
        return is_tensor(value) or self.is_prepared(value)

    def encode(self, sample: torch.Tensor) -> bytes:  # type: ignore[override]
        """Return a tensor as a `.npy` file."""
        return super().encode(_to_array(sample))

    def load(self, url: Url) -> Any:
        """Return the tensor at `url`.

        Raises:
            UrlNotFoundError: There is no such file.
            CorruptObjectError: The file is not a `.npy` file of numbers.
            MissingExtraError: Torch is not installed.
        """
        return _to_tensor(super().load(url))


def _to_array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """Return a tensor of any device as an array; types that NumPy lacks as float32."""
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    try:
        return tensor.numpy()
    except TypeError:
        return tensor.float().numpy()


def _to_tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    module = require("torch", extra="torch", purpose="to read tensors from a table")
    tensor: torch.Tensor = module.from_numpy(array)
    return tensor


def _type_name(schema: Schema) -> str:
    if schema.value is None or schema.value.arrow in {"string", "binary"}:
        raise SchemaError(
            f"Arrays cannot be made of {schema!r}.",
            hint="Use the schema of a number, such as Float32Schema.",
        )
    return schema.value.arrow


def _check_shape(shape: tuple[int, ...], schema: Schema) -> None:
    expected = schema.shape
    fits = len(shape) == len(expected) and all(
        want in (_VARIABLE, have) for have, want in zip(shape, expected, strict=True)
    )
    if not fits:
        raise SchemaError(
            f"The shape of the array is {tuple(shape)}, where the schema has {expected}.",
            hint="In the shape of a schema, -1 is a length that varies from row to row.",
        )


def _check_numbers(array: np.ndarray[Any, Any], type_name: str) -> None:
    """Refuse what Arrow would refuse, or cut off without a word."""
    import numpy as np

    if array.dtype == type_name:
        return
    fits = array.dtype.kind in "biuf"
    if fits and not type_name.startswith("float"):
        with np.errstate(invalid="ignore"):
            fits = np.array_equal(array.astype(type_name), array)
    if not fits:
        raise SchemaError(
            f"An array of type {array.dtype} has values that {type_name} cannot hold.",
            hint="Convert the array, or give the column a schema of another type.",
        )


def _empty_shape(shape: tuple[int, ...], schema: Schema) -> tuple[int, ...]:
    """Return the shape of an array without elements, of which lists show only the outer part."""
    known = (*shape, *(0 for _ in schema.shape))
    result = tuple(
        max(have, 0) if want == _VARIABLE else want
        for have, want in zip(known, schema.shape, strict=False)
    )
    return result if math.prod(result) == 0 else shape
