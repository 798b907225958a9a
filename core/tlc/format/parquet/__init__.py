"""Parquet files: how they are written, and how columns come back."""

from __future__ import annotations

from tlc.format.parquet.reading import (
    EMBEDDED_SCHEMA,
    DataFile,
    data_file,
    describe,
    read_column,
    read_metadata,
)
from tlc.format.parquet.writing import ROWS_PER_GROUP, write

__all__ = [
    "EMBEDDED_SCHEMA",
    "ROWS_PER_GROUP",
    "DataFile",
    "data_file",
    "describe",
    "read_column",
    "read_metadata",
    "write",
]
