"""One reducer for several tables: producer and consumers, and metrics about tables."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.reduction.conftest import clustered, column

import tlc
from tlc.errors import ColumnError, ColumnNotFoundError, MetricsError
from tlc.reduction import (
    create_reducer,
    load_reducer,
    reduce_embeddings_by_foreign_table_url,
    reduce_embeddings_per_dataset,
    reduce_embeddings_with_producer_consumer,
)
from tlc.reduction.reduce import _unique_datasets
from tlc.schemas import EmbeddingSchema


@pytest.mark.parametrize("method", ["pacmap", "umap", "pca"])
def test_a_row_that_both_have_lands_where_it_did(make, vectors, method):
    producer = make(vectors, "producer")
    shuffled = np.concatenate([vectors[::-2], vectors[:5] + 1])
    consumers = [make(shuffled, "one"), make(vectors[:3], "two")]
    written = reduce_embeddings_with_producer_consumer(
        producer=producer, consumers=consumers, method=method, n_components=2
    )
    assert list(written) == [producer.url, *(each.url for each in consumers)]
    whole, one, two = (
        column(tlc.Table.from_url(url), f"embedding_{method}") for url in written.values()
    )
    np.testing.assert_array_equal(one[:30], whole[::-2])
    np.testing.assert_array_equal(two, whole[:3])
    assert np.isfinite(one).all()
    assert len(np.unique(whole, axis=0)) == 60


def test_all_refer_to_one_model(make, vectors):
    producer, consumer = make(vectors, "producer"), make(vectors[:5], "consumer")
    written = reduce_embeddings_with_producer_consumer(producer, consumer, "pca")
    first, second = map(tlc.Table.from_url, written.values())
    assert first.model_url == second.model_url
    assert first.model_url.to_str().startswith(first.url.to_str())
    loaded = load_reducer(second.model_url).transform(vectors)
    np.testing.assert_array_equal(column(first, "embedding_pca"), loaded)


def test_a_consumer_must_have_the_column_and_vectors_of_that_length(make, vectors):
    producer = make(vectors, "producer")
    other = tlc.Table.from_dict({"x": [1]}, project_name="reduction", table_name="other")
    with pytest.raises(ColumnNotFoundError, match="other has no column 'embedding'"):
        reduce_embeddings_with_producer_consumer(producer, other, "pca")
    short = make(vectors[:, :7], "short")
    with pytest.raises(ColumnError, match=r"Row 0 .*short.* 7 numbers.* others have 8"):
        reduce_embeddings_with_producer_consumer(producer, short, "pca")
    assert not producer.url.create_sibling("reduced_0000").exists()


def test_the_new_name_is_free_in_all_tables(make, vectors):
    producer = make(vectors, "producer")
    consumer = make(vectors, "consumer", embedding_pca=[0] * 60)
    written = reduce_embeddings_with_producer_consumer(producer, consumer, "pca")
    for url in written.values():
        assert "embedding_pca_1" in tlc.Table.from_url(url).columns


@pytest.fixture
def run():
    return tlc.Run.create("reduction", "run")


@pytest.fixture
def tables():
    return {
        name: tlc.Table.from_dict({"x": [*range(30)]}, table_name=name, project_name="reduction")
        for name in ("train", "val")
    }


def collect(run, table, seed, **columns):
    values = {"embeddings": [*clustered(30, 6, seed)]} if seed is not None else {}
    schema = {"embeddings": EmbeddingSchema(shape=6)}
    run.add_metrics({**values, **columns, "loss": [*range(30)]}, schema, table)
    return run.metrics_tables[-1]


def test_tables_are_grouped_by_what_they_are_about(run, tables):
    made = [collect(run, tables[name], seed) for seed, name in enumerate(["val", "train", "val"])]
    loose = tlc.Table.from_dict({"x": [1]}, project_name="reduction", table_name="loose")
    groups = list(_unique_datasets([loose, *made]))
    assert groups == [(tables["val"].url, [made[0], made[2]]), (tables["train"].url, [made[1]])]


def test_metrics_that_a_foreign_key_joins_are_about_its_table(tables):
    key = tlc.schemas.ForeignTableIdSchema("../train")
    schema = {"input_table_id": key, "embeddings": EmbeddingSchema()}
    data = {"input_table_id": [0] * 30, "embeddings": [*clustered(30, 4)]}
    table = tlc.Table.from_dict(data, schema, table_name="metrics", project_name="reduction")
    assert list(_unique_datasets([table])) == [(tables["train"].url, [table])]
    written = reduce_embeddings_by_foreign_table_url([table], tables["train"], "pca")
    reduced = tlc.Table.from_url(written[table.url])
    assert list(_unique_datasets([reduced])) == [(tables["train"].url, [reduced])]


def test_each_data_set_may_have_a_reducer_of_its_own(run, tables):
    made = [collect(run, tables[name], seed) for seed, name in enumerate(["train", "val", "train"])]
    collect(run, tables["val"], None)  # has no embeddings
    written = reduce_embeddings_per_dataset(run.metrics_tables, "pca")
    assert set(written) == {each.url for each in made}
    for table, fitted_on in zip(made, (2, 1, 2), strict=True):
        reducer = create_reducer("pca").fit(clustered(30, 6, fitted_on))
        wanted = reducer.transform(column(table, "embeddings"))
        found = column(tlc.Table.from_url(written[table.url]), "embeddings_pca")
        np.testing.assert_array_equal(found, wanted)


def test_metrics_are_reduced_as_far_as_they_have_the_columns(run, tables):
    """Of a run: another collector may have taken another layer."""
    train = tables["train"]
    more = {"other": [*clustered(30, 4)]}
    schema = {"other": EmbeddingSchema(shape=4), "embeddings": EmbeddingSchema(shape=6)}
    one = collect(run, train, 0)
    run.add_metrics(more, schema, train)
    run.add_metrics({**more, "embeddings": [*clustered(30, 6, 1)]}, schema, train)
    lone, both = run.metrics_tables[1:]
    written = reduce_embeddings_by_foreign_table_url(run.metrics_tables, train, "pca")
    columns = {
        table.url: [
            name for name in tlc.Table.from_url(written[table.url]).columns if "_pca" in name
        ]
        for table in (one, lone, both)
    }
    assert columns == {
        one.url: ["embeddings_pca"],
        lone.url: ["other_pca"],
        both.url: ["other_pca", "embeddings_pca"],
    }
    fitted_on = column(both, "embeddings")
    wanted = create_reducer("pca").fit(fitted_on).transform(column(one, "embeddings"))
    found = column(tlc.Table.from_url(written[one.url]), "embeddings_pca")
    np.testing.assert_array_equal(found, wanted)


def test_without_metrics_about_the_table_it_says_which_there_are(run, tables):
    made = collect(run, tables["val"], 0)
    with pytest.raises(MetricsError, match=r"about .*train\b.*there are such.*val"):
        reduce_embeddings_by_foreign_table_url([made], tables["train"], "pca")
    with pytest.raises(MetricsError, match="there are such metrics about: none"):
        reduce_embeddings_by_foreign_table_url([], "/nowhere", "pca")
