"""Tables with embeddings."""

from __future__ import annotations

import numpy as np
import pytest

import tlc
from tlc.schemas import EmbeddingSchema, Float32Schema


def clustered(count, length, seed=0):
    """Return vectors in three clouds."""
    rng = np.random.default_rng(seed)
    centres = 6 * rng.normal(size=(3, length))
    return (centres[np.arange(count) % 3] + rng.normal(size=(count, length))).astype(np.float32)


def column(table, name):
    """Return a column of vectors as an array."""
    return np.array(table.get_column(name).to_pylist(), np.float32)


@pytest.fixture
def vectors():
    return clustered(60, 8)


@pytest.fixture
def make():
    """Return what makes a table of embeddings, one vector or None for each row."""

    def made(values, name="table", **columns):
        data = {"label": [*range(len(values))], "embedding": [*values], **columns}
        schemas = {"embedding": EmbeddingSchema(), "points": Float32Schema(shape=(-1,))}
        known = {key: schema for key, schema in schemas.items() if key in data}
        return tlc.Table.from_dict(data, known, table_name=name, project_name="reduction")

    return made


@pytest.fixture
def table(make, vectors):
    return make(vectors)
