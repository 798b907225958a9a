"""Embeddings of a run, collected from a model, reduced for all epochs and splits."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

import tlc
from tlc.errors import MetricsError, OptionError, ReductionError
from tlc.format.manifest import encode
from tlc.metrics import EmbeddingsMetricsCollector, FunctionalMetricsCollector, Predictor
from tlc.reduction import create_reducer, reduce_embeddings

ROWS = {"train": 24, "val": 12}


def as_tensor(sample):
    return torch.tensor(sample["x"], dtype=torch.float32)


def loss(batch, output):
    return {"loss": output.forward.square().sum(dim=1)}


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    return {
        name: tlc.Table.from_dict(
            {"x": rng.normal(size=(count, 5)).tolist(), "label": [*range(count)]},
            table_name=name,
            project_name="project",
        )
        for name, count in ROWS.items()
    }


@pytest.fixture
def trained(run, tables):
    """Return the run after two epochs, in each of which both tables were collected."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Linear(4, 2))
    for epoch in range(2):
        for name, table in tables.items():
            tlc.collect_metrics(
                table.with_transform(as_tensor),
                [EmbeddingsMetricsCollector(layers=[1]), FunctionalMetricsCollector(loss)],
                predictor=Predictor(model, layers=[1]),
                split=name,
                constants={"epoch": epoch},
            )
        with torch.no_grad():
            model[0].weight += 1
    return run


def column(table, name):
    return np.array(table.get_column(name).to_pylist(), np.float32)


def about(tables):
    infos = [table.metrics_info for table in tables]
    return [(info.split, info.constants["epoch"]) for info in infos]


EPOCHS = [("train", 0), ("val", 0), ("train", 1), ("val", 1)]


@pytest.mark.parametrize("method", ["pacmap", "pca"])
def test_all_are_reduced_as_the_last_epoch_of_the_table(trained, tables, method):
    sources = trained.metrics_tables
    written = trained.reduce_embeddings_by_foreign_table_url(tables["train"].url, method)
    assert list(written) == [table.url for table in sources]
    reduced = trained.metrics_tables[4:]
    assert [table.url for table in reduced] == list(written.values())
    assert [table.name for table in reduced] == [f"reduced_{i:04d}" for i in range(4)]
    assert about(reduced) == EPOCHS
    last = column(sources[2], "embeddings_1")
    reducer = create_reducer(method).fit(last)
    for source, table in zip(sources, reduced, strict=True):
        wanted = reducer.transform(column(source, "embeddings_1"))
        np.testing.assert_array_equal(column(table, f"embeddings_1_{method}"), wanted)
        assert "embeddings_1" not in table.columns
        assert table.get_column("loss").equals(source.get_column("loss"))
        assert table.metrics_info.foreign_table == source.metrics_info.foreign_table
        assert table.completeness == source.completeness
        assert table.input_tables == [source.url, source.input_tables[0]]
    moved = reducer.transform(column(sources[0], "embeddings_1")) - reducer.transform(last)
    assert np.abs(moved).max() > 0.1


def test_sources_that_are_deleted_are_gone_and_the_metrics_are_as_before(trained, tables):
    before = trained.metrics(table=tables["val"], columns=["loss", "epoch"], join=["label"])
    losses = trained.metrics.by_example("loss", tables["train"], "sum")
    sources = trained.metrics_tables
    trained.reduce_embeddings_by_foreign_table_url(tables["val"], "pca", delete_source_tables=True)
    again = tlc.Run.from_url(trained.url)
    assert about(again.metrics_tables) == EPOCHS
    after = again.metrics(table=tables["val"], columns=["loss", "epoch"], join=["label"])
    assert after.equals(before)
    np.testing.assert_array_equal(again.metrics.by_example("loss", tables["train"], "sum"), losses)
    assert not any((table.url / "manifest.json").exists() for table in sources)
    assert all(not len(table.missing_example_ids()) for table in again.metrics_tables)
    assert again.metrics()["embeddings_1_pca"].null_count == 0


def test_rows_are_read_once_if_a_source_was_kept_at_first_and_deleted_later(trained, tables):
    before = trained.metrics.by_example("loss", tables["train"], "count")
    sources = trained.metrics_tables
    trained.reduce_embeddings_by_foreign_table_url(tables["train"], "pca", n_components=1)
    reduced = reduce_embeddings([sources[0].url], "pca", delete_source_tables=True)
    trained.remove_metrics_table(sources[0].url)
    trained.add_metrics_table(reduced[sources[0].url])
    again = tlc.Run.from_url(trained.url)
    np.testing.assert_array_equal(
        again.metrics.by_example("loss", tables["train"], "count"), before
    )


def test_a_table_that_names_itself_as_its_source_is_read_once(trained, tables):
    trained.reduce_embeddings_by_foreign_table_url(
        tables["train"], "pca", delete_source_tables=True
    )
    table = trained.metrics_tables[0]
    edit = {**table._manifest.operation["edits"][0], "source": table.id}
    forged = msgspec.structs.replace(table._manifest, operation={"edits": [edit]})
    Path((table.url / "manifest.json").to_local_path()).write_bytes(encode(forged))
    again = tlc.Run.from_url(trained.url)
    assert set(again.metrics.by_example("loss", tables["train"], "count")) == {2.0}


def test_metrics_about_an_earlier_revision_count(trained, tables):
    newest = tables["train"].set_values("label", [0], [5])
    view = newest.with_transform(as_tensor)
    written = trained.reduce_embeddings_by_foreign_table_url(view, "pca")
    assert len(written) == 4


def test_tables_without_embeddings_are_left_alone(trained, tables):
    trained.add_metrics({"loss": [1.0] * 24}, foreign_table_url=tables["train"], split="late")
    written = trained.reduce_embeddings_by_foreign_table_url(
        tables["train"], "pca", delete_source_tables=True
    )
    assert len(written) == 4
    assert trained.metrics_tables[0].metrics_info.split == "late"


def test_epochs_that_come_later_are_reduced_by_themselves(trained, tables):
    url, val = tables["train"].url, tables["val"].url
    trained.reduce_embeddings_by_foreign_table_url(url, "pca", True, n_components=1)
    schema = {"embeddings_1": tlc.schemas.EmbeddingSchema(shape=4)}
    metrics = {"embeddings_1": [*np.eye(12, 4, dtype=np.float32)]}
    trained.add_metrics(metrics, schema, val, constants={"epoch": 2})
    written = trained.reduce_embeddings_by_foreign_table_url(val, "pca", True)
    assert [tlc.Table.from_url(each).name for each in written.values()] == ["reduced_0004"]
    assert len(trained.metrics_tables) == 5


def test_what_a_writer_has_written_so_far_is_reduced_too(trained, tables):
    schema = {"embeddings_1": tlc.schemas.EmbeddingSchema(shape=4)}
    writer = tlc.MetricsTableWriter(trained.url, tables["val"].url, schema=schema)
    rows = {"example_id": [0, 1], "embeddings_1": [*np.ones((2, 4), np.float32)]}
    writer.add_batch(rows)
    writer.flush()
    written = trained.reduce_embeddings_by_foreign_table_url(tables["train"], "pca")
    assert [len(tlc.Table.from_url(url)) for url in written.values()] == [24, 12, 24, 12, 2]
    writer.finalize()


@pytest.mark.parametrize("delete", [False, True])
def test_metrics_that_have_grown_since_they_were_opened_are_reduced_as_they_were(
    run, tables, delete
):
    schema = {"embeddings": tlc.schemas.EmbeddingSchema(shape=3)}
    writer = tlc.MetricsTableWriter(run.url, tables["val"].url, schema=schema)
    writer.add_batch({"example_id": [0, 1, 2], "embeddings": np.eye(3, dtype=np.float32)})
    writer.flush()
    (opened,) = run.metrics_tables
    writer.add_batch({"example_id": [5], "embeddings": np.ones((1, 3), np.float32)})
    writer.flush()
    reduced = reduce_embeddings(opened, "pca", delete)
    assert reduced.get_column("example_id").to_pylist() == [0, 1, 2]
    writer.finalize()
    again = tlc.Table.from_url(reduced.url)
    assert column(again, "embeddings_pca").shape == (3, 2)
    assert again.get_column("example_id").to_pylist() == [0, 1, 2]


def test_a_metrics_table_that_is_reduced_by_itself_is_listed_when_it_is_added(trained):
    reduced = reduce_embeddings(trained.metrics_tables[0], "pca")
    assert len(trained.metrics_tables) == 4
    trained.add_metrics_table(reduced)
    assert trained.metrics_tables[4:] == [reduced]
    assert reduced.metrics_info.split == "train"


def test_a_copy_of_the_run_has_the_model_too(trained, tables):
    trained.reduce_embeddings_by_foreign_table_url(tables["train"], "pca", True)
    copied = trained.copy("other")
    for table in copied.metrics_tables:
        assert table.model_url.to_str().startswith(copied.url.to_str())
        assert tlc.reduction.load_reducer(table.model_url).length == 4


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "tsne"}, OptionError, "tsne"),
        ({"source_embedding_column": "embeddings_7"}, MetricsError, "are about .*train"),
        ({"n_components": 5}, ReductionError, "n_components is 4 at most"),
    ],
    ids=str,
)
def test_errors_leave_the_run_as_it_was(trained, tables, options, error, message):
    before = trained.metrics
    with pytest.raises(error, match=message):
        trained.reduce_embeddings_by_foreign_table_url(
            tables["train"], **{"method": "pca", "delete_source_tables": True, **options}
        )
    assert trained.metrics == before
    assert len(trained.metrics_tables) == 4


def test_a_run_without_metrics_about_the_table_says_so(run, tables):
    with pytest.raises(MetricsError, match="No metrics with the embeddings to reduce"):
        run.reduce_embeddings_by_foreign_table_url(tables["train"], "pca")


@pytest.mark.parametrize("retain", [False, True])
def test_each_row_is_read_once_whether_or_not_sources_are_kept(trained, tables, retain):
    train = tables["train"]
    rows = 2 * ROWS["train"]
    losses = trained.metrics.by_example("loss", train, "sum")
    trained.reduce_embeddings_by_foreign_table_url(
        train, "pca", retain_source_embedding_column=retain
    )
    reduced = trained.metrics(train)
    assert reduced.num_rows == rows
    assert ("embeddings_1" in reduced.column_names) == retain
    assert "embeddings_1_pca" in reduced.column_names
    before = trained.metrics(train, columns=["epoch", "embeddings_1"])
    assert before.num_rows == rows
    assert before["embeddings_1"].null_count == 0
    assert np.allclose(trained.metrics.by_example("loss", train, "sum"), losses)
    both = trained.metrics(train, columns=["embeddings_1", "embeddings_1_pca"])
    assert both.num_rows == (rows if retain else 2 * rows)


def test_reductions_of_reductions_are_read_once(trained, tables):
    train = tables["train"]
    for method in ("pca", "pacmap"):
        trained.reduce_embeddings_by_foreign_table_url(
            train, method, retain_source_embedding_column=True
        )
    assert len(trained.metrics_tables) == 16
    for columns in (None, ["embeddings_1_pca", "embeddings_1_pacmap"], ["embeddings_1"], ["loss"]):
        found = trained.metrics(train, columns=columns)
        assert found.num_rows == 2 * ROWS["train"]
        assert all(found[name].null_count == 0 for name in columns or ["embeddings_1_pacmap"])
    latest = [part.metrics for part in trained.metrics.parts(columns=["loss"])]
    assert latest == trained.metrics_tables[-4:]


def test_of_two_reductions_without_the_source_each_column_can_be_read(trained, tables):
    train = tables["train"]
    for method in ("pca", "pacmap"):
        trained.reduce_embeddings_by_foreign_table_url(train, method)
    for name in ("embeddings_1", "embeddings_1_pca", "embeddings_1_pacmap"):
        found = trained.metrics(train, columns=["epoch", name])
        assert found.num_rows == 2 * ROWS["train"]
        assert found[name].null_count == 0


def test_reductions_are_read_once_though_their_source_is_no_longer_listed(trained, tables):
    train = tables["train"]
    sources = trained.metrics_tables
    for method in ("pca", "pacmap"):
        trained.reduce_embeddings_by_foreign_table_url(train, method)
    for source in sources:
        trained.remove_metrics_table(source)
    assert len(trained.metrics_tables) == 8
    assert trained.metrics(train).num_rows == 2 * ROWS["train"]
    assert trained.metrics(train, columns=["embeddings_1_pca"])["embeddings_1_pca"].null_count == 0
    assert set(trained.metrics.by_example("loss", train, "count")) == {2}
