"""A vector for each box of an image."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tests.core.reduction.conftest import clustered

import tlc
from tlc.data_types import BoundingBoxes2D
from tlc.errors import ColumnError
from tlc.reduction import create_reducer, reduce_embeddings
from tlc.schemas import EmbeddingSchema

COUNTS = [3, 0, 5, 12, 20]
EMBEDDING = "bbs.instances_additional_data.embedding"


@pytest.fixture
def vectors():
    return np.split(clustered(sum(COUNTS), 6), np.cumsum(COUNTS)[:-1])


def boxes(vectors):
    ones = np.ones((len(vectors), 2))
    return BoundingBoxes2D(
        np.concatenate([ones, 5 * ones], axis=1),
        np.zeros(len(vectors), int),
        image_width=9,
        image_height=9,
        per_instance_extras={"embedding": vectors, "number": range(len(vectors))},
    )


@pytest.fixture
def table(vectors):
    extras = {"embedding": EmbeddingSchema(shape=6), "number": tlc.schemas.Int32Schema()}
    schema = BoundingBoxes2D.schema(classes=["a"], per_instance_schemas=extras)
    cells = [*map(boxes, vectors), None]
    return tlc.Table.from_dict({"bbs": cells}, {"bbs": schema}, project_name="reduction")


@pytest.mark.parametrize("method", ["pca", "pacmap"])
@pytest.mark.parametrize("retain", [True, False])
def test_boxes_get_numbers_beside_their_embeddings(table, vectors, method, retain):
    reduced = reduce_embeddings(table, method, retain_source_embedding_column=retain)
    wanted = create_reducer(method).fit_transform(np.concatenate(vectors))
    wanted = np.split(wanted, np.cumsum(COUNTS)[:-1])
    names = ["embedding"] * retain + ["number", f"embedding_{method}"]
    for row, count in enumerate(COUNTS):
        found = reduced[row]["bbs"]
        assert found.num_instances == count
        assert sorted(found.per_instance_extras) == sorted(names)
        numbers = found.per_instance_extras[f"embedding_{method}"]
        np.testing.assert_array_equal(numbers, wanted[row])
        assert found.per_instance_extras["number"].tolist() == list(range(count))
    assert reduced[len(COUNTS)]["bbs"] is None


@pytest.mark.parametrize("delete", [False, True])
def test_columns_stay_in_their_order(vectors, delete):
    extras = {"embedding": EmbeddingSchema(shape=6), "number": tlc.schemas.Int32Schema()}
    schema = BoundingBoxes2D.schema(classes=["a"], per_instance_schemas=extras)
    data = {"a": range(5), "bbs": [*map(boxes, vectors)], "z": range(5)}
    table = tlc.Table.from_dict(data, {"bbs": schema}, project_name="reduction")
    reduced = reduce_embeddings(table, "pca", delete)
    assert reduced.columns == ["a", "bbs", "z"]
    assert set(reduced[0]["bbs"].per_instance_extras) == {"number", "embedding_pca"}


def test_a_path_leads_to_them_and_they_can_be_chained(table):
    options = {"source_embedding_column": EMBEDDING, "retain_source_embedding_column": True}
    first = reduce_embeddings(table, "pca", **options)
    second = reduce_embeddings(first, "pca", target_embedding_column="drawn", **options)
    third = reduce_embeddings(second, "pca", **options)
    extras = third[0]["bbs"].per_instance_extras
    added = {"embedding_pca", "drawn", "embedding_pca_1"}
    assert set(extras) == {"embedding", "number", *added}
    reducer = tlc.reduction.load_reducer(third.model_url, f"{EMBEDDING}_pca_1")
    found = reducer.transform(extras["embedding"])
    np.testing.assert_array_equal(found, extras["embedding_pca_1"])


@pytest.mark.parametrize("fixed", [True, False], ids=["as many in each row", "any number"])
def test_lists_of_vectors_stay_lists(fixed):
    vectors = clustered(30, 4)
    vectors[4] = np.nan
    cells = [[*three] for three in vectors.reshape(10, 3, 4)]
    shape = (3, 4) if fixed else (-1, 4)
    if not fixed:
        cells[2], cells[5] = [], cells[5][:1]
        vectors = np.delete(vectors, [6, 7, 8, 16, 17], axis=0)
    schema = {"embedding": EmbeddingSchema(shape=shape)}
    table = tlc.Table.from_dict({"embedding": [*cells, None]}, schema, project_name="reduction")
    reduced = reduce_embeddings(table, "pca").column("embedding_pca")
    kind = pa.list_(pa.float32(), 2)
    assert reduced.type == (pa.list_(kind, 3) if fixed else pa.list_(kind))
    *lists, last = reduced.to_pylist()
    assert last is None
    assert [len(each) for each in lists] == [len(each) for each in cells]
    found = np.array([vector for each in lists for vector in each], np.float32)
    np.testing.assert_array_equal(found, create_reducer("pca").fit_transform(vectors))


def test_vectors_in_lists_may_lack_a_declared_length():
    rows = [[[1.0, 2.0], [3.0, 5.0]], [], [[0.0, 1.0]], [[2.0, 2.0]]]
    table = tlc.Table.from_dict({"points": rows}, project_name="reduction")
    reduced = reduce_embeddings(table, "pca", source_embedding_column="points", n_components=1)
    assert [np.shape(row["points_pca"]) for row in reduced.table_rows][2:] == [(1, 1), (1, 1)]
    worse = tlc.Table.from_dict({"points": [*rows, [[1.0, 2.0], [1.0]]]}, project_name="reduction")
    with pytest.raises(ColumnError, match="Row 4 of 'points'"):
        reduce_embeddings(worse, "pca", source_embedding_column="points")


def test_vectors_inside_lists_of_structs_are_not_found():
    rows = [[{"vector": [1.0, 2.0]}], [{"vector": [3.0, 4.0]}]]
    table = tlc.Table.from_dict({"boxes": rows}, project_name="reduction")
    with pytest.raises(ColumnError, match="holds no vectors"):
        reduce_embeddings(table, "pca", source_embedding_column="boxes.vector")
