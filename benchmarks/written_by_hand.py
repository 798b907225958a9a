"""The least work that puts rows into Parquet files: the floors of `benchmarks.writing`."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from benchmarks.writing import Epochs

BUFFER, METRICS_BUFFER = 65_536, 131_072
FOLDER = Path(mkdtemp())


def write_lists(data: dict[str, list[Any]]) -> Path:
    path = FOLDER / "lists.parquet"
    pq.write_table(pa.table(data), path, compression="zstd")
    return path


def write_rows(rows: list[dict[str, Any]]) -> None:
    waiting: list[dict[str, Any]] = []
    writer: pq.ParquetWriter | None = None
    for row in rows:
        waiting.append(row)
        if len(waiting) == BUFFER:
            writer = _write(writer, pa.Table.from_pylist(waiting), "rows")
            waiting = []
    writer = _write(writer, pa.Table.from_pylist(waiting), "rows")
    writer.close()


def write_batches(batches: list[dict[str, Any]]) -> None:
    waiting: dict[str, list[Any]] = {name: [] for name in batches[0]}
    count = 0
    writer: pq.ParquetWriter | None = None
    for batch in batches:
        for name, values in batch.items():
            waiting[name].append(values)
        count += len(batch["id"])
        if count >= BUFFER:
            writer = _write(writer, _joined(waiting), "batches")
            waiting, count = {name: [] for name in waiting}, 0
    writer = _write(writer, _joined(waiting), "batches")
    writer.close()


def _joined(parts: dict[str, list[Any]]) -> pa.Table:
    if isinstance(parts["id"][0], np.ndarray):
        return pa.table({name: np.concatenate(values) for name, values in parts.items()})
    return pa.table({name: [v for p in values for v in p] for name, values in parts.items()})


def _write(writer: pq.ParquetWriter | None, table: pa.Table, name: str) -> pq.ParquetWriter:
    if writer is None:
        path = FOLDER / f"{name}.parquet"
        writer = pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=1)
    writer.write_table(table)
    return writer


METRICS = pa.schema(
    {
        "example_id": pa.int64(),
        "epoch": pa.int32(),
        "loss": pa.float32(),
        "predicted": pa.int32(),
        "confidence": pa.float32(),
    }
)


def write_metrics(data: Epochs, size: int) -> Path:
    path = FOLDER / "metrics.parquet"
    writer = pq.ParquetWriter(
        path,
        METRICS,
        compression="zstd",
        compression_level=1,
        use_dictionary=["predicted", "epoch"],
        column_encoding={
            "example_id": "DELTA_BINARY_PACKED",
            "loss": "BYTE_STREAM_SPLIT",
            "confidence": "BYTE_STREAM_SPLIT",
        },
    )
    kinds = ("i8", "i4", "f4", "i4", "f4")
    buffers = [np.empty(METRICS_BUFFER, kind) for kind in kinds]
    ids, epochs, loss, predicted, confidence = buffers
    at = 0
    for epoch in range(len(data.epochs)):
        for start in range(0, len(data.ids), size):
            stop = min(start + size, len(data.ids))
            end = at + stop - start
            if end > METRICS_BUFFER:
                writer.write_table(_filled(buffers, at))
                at, end = 0, stop - start
            ids[at:end] = data.ids[start:stop]
            epochs[at:end] = epoch
            loss[at:end] = data.loss[start:stop]
            predicted[at:end] = data.predicted[start:stop]
            confidence[at:end] = data.confidence[start:stop]
            at = end
    writer.write_table(_filled(buffers, at))
    writer.close()
    return path


def _filled(buffers: list[np.ndarray], count: int) -> pa.Table:
    arrays = [
        pa.Array.from_buffers(field.type, count, [None, pa.py_buffer(values)])
        for field, values in zip(METRICS, buffers, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=METRICS)
