"""Row forms of annotations as Arrow arrays, made of flat NumPy arrays: no object per instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Array = npt.NDArray[Any]


def numbers(values: Array, type_: pa.DataType) -> pa.Array:
    """Return numbers of any NumPy type as an Arrow array of `type_`."""
    # pa.array would do, but imports pandas wherever that is installed.
    plain = np.ascontiguousarray(values, type_.to_pandas_dtype())
    return pa.Array.from_buffers(type_, len(plain), [None, pa.py_buffer(plain)])


def flags(values: Array) -> pa.Array:
    """Return booleans as an Arrow array."""
    bits = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def vectors(values: Array, type_: pa.DataType) -> pa.Array:
    """Return an array of two or more dimensions as lists of fixed lengths."""
    made = numbers(values.reshape(-1), type_)
    for length in reversed(values.shape[1:]):
        made = pa.FixedSizeListArray.from_arrays(made, length)
    return made


def lists(values: pa.Array, offsets: Array) -> pa.Array:
    """Return values as lists that begin at `offsets`, of which the last is where the last ends."""
    return pa.ListArray.from_arrays(numbers(offsets, pa.int32()), values)


def texts(characters: npt.NDArray[np.uint8], offsets: Array) -> pa.Array:
    """Return bytes that begin at `offsets` as an Arrow array of bytes."""
    starts = pa.py_buffer(np.ascontiguousarray(offsets, np.int32))
    buffers = [None, starts, pa.py_buffer(characters)]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def record(parts: Mapping[str, pa.Array]) -> pa.Array:
    """Return arrays of one length as one array of structs."""
    return pa.StructArray.from_arrays(list(parts.values()), list(parts))


def shapes_2d(
    sizes: Array, offsets: Array, instances: pa.Array, properties: Mapping[str, pa.Array]
) -> pa.Array:
    """Return the row form of boxes, oriented boxes and keypoints.

    Args:
        sizes: Width and height of each image, shape `(images, 2)`.
        offsets: Where the instances of each image begin, and the last ones end.
        instances: The shape of each instance.
        properties: Name to what else each instance has, such as ``label``.
    """
    return record(
        {
            "x_max": numbers(sizes[:, 0], pa.float32()),
            "y_max": numbers(sizes[:, 1], pa.float32()),
            "instances": lists(instances, offsets),
            "instances_additional_data": record(
                {name: lists(values, offsets) for name, values in properties.items()}
            ),
        }
    )


def segmentations(
    sizes: Array,
    offsets: Array,
    rles: pa.Array,
    polygons: pa.Array,
    properties: Mapping[str, pa.Array],
) -> pa.Array:
    """Return the row form of instance segmentations.

    Args:
        sizes: Width and height of each image, shape `(images, 2)`.
        offsets: Where the instances of each image begin, and the last ones end.
        rles: Compressed mask of each instance.
        polygons: Parts of each instance.
        properties: Name to what else each instance has, such as ``label``.
    """
    return record(
        {
            "image_height": numbers(sizes[:, 1], pa.int32()),
            "image_width": numbers(sizes[:, 0], pa.int32()),
            "rles": lists(rles, offsets),
            "instance_properties": record(
                {name: lists(values, offsets) for name, values in properties.items()}
            ),
            "polygons": lists(polygons, offsets),
        }
    )
