"""Principal components of the embeddings in a table, against scikit-learn's of the bare array.

``BENCH_VECTORS=1000000`` measures what the documentation promises, and takes minutes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from sklearn.decomposition import PCA

from benchmarks.harness import Case, Fact, unsynced
from benchmarks.memory import added_megabytes
from tlc import TableWriter
from tlc.reduction import create_reducer, reduce_embeddings
from tlc.schemas import EmbeddingSchema
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS, LENGTH, BATCH = int(os.environ.get("BENCH_VECTORS", "100000")), 512, 10_000
LARGE = 500_000
"""So many vectors scikit-learn is not given: the array and its copies fill the memory."""


def cases() -> Iterator[Case | Fact]:
    table = Table.from_url(unsynced(write)().url)
    name = f"2 principal components of {VECTORS:,} x {LENGTH} float32"
    sides = {}
    if VECTORS < LARGE:
        array = vectors_of(table)
        sides["scikit-learn, of the array"] = lambda: PCA(2).fit_transform(array)
        sides["tlc, of the array"] = lambda: create_reducer("pca").fit_transform(array)
    sides["tlc, from table to table"] = unsynced(lambda: reduce_embeddings(table, "pca"))
    yield Case(name, sides, unit=VECTORS, rounds=3)
    yield Fact(f"{name}, memory of tlc", lambda: memory(table, OURS), 4_000, "MB")
    if VECTORS < LARGE:
        yield Fact(f"{name}, memory of scikit-learn", lambda: memory(table, THEIRS), None, "MB")
        del array


def write() -> Table:
    """Write a table of vectors, in which few directions hold most of the differences."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(8, LENGTH)).astype(np.float32)
    writer = TableWriter("vectors", schema={"embedding": EmbeddingSchema(shape=LENGTH)})
    for _ in range(0, VECTORS, BATCH):
        hidden = rng.normal(size=(BATCH, 8)).astype(np.float32)
        noise = rng.normal(size=(BATCH, LENGTH)).astype(np.float32)
        writer.add_batch({"embedding": hidden @ mixed + noise})
    return writer.finalize()


def vectors_of(table: Table) -> np.ndarray:
    """Return the column as one array."""
    return table.get_batch(range(len(table)), ["embedding"])["embedding"]


OURS = "reduce_embeddings(table, 'pca')"
THEIRS = "PCA(2).fit_transform(vectors_of(table))"


def memory(table: Table, code: str) -> float:
    setup = (
        "from sklearn.decomposition import PCA\n"
        "from benchmarks.reduction import reduce_embeddings, vectors_of, Table\n"
        f"table = Table.from_url({str(table.url)!r})"
    )
    return added_megabytes(code, setup=setup)
