"""From long embeddings to two or three numbers that can be drawn."""

from __future__ import annotations

from tlc.reduction import reduce
from tlc.reduction.create import create_reducer
from tlc.reduction.model import load_reducer
from tlc.reduction.reduce import (
    reduce_embeddings,
    reduce_embeddings_by_foreign_table_url,
    reduce_embeddings_multiple_parameters,
    reduce_embeddings_per_dataset,
    reduce_embeddings_with_producer_consumer,
)
from tlc.reduction.reducer import Reducer

__all__ = [
    "Reducer",
    "create_reducer",
    "load_reducer",
    "reduce",
    "reduce_embeddings",
    "reduce_embeddings_by_foreign_table_url",
    "reduce_embeddings_multiple_parameters",
    "reduce_embeddings_per_dataset",
    "reduce_embeddings_with_producer_consumer",
]
