"""Reduced tables: their names, their columns, and what becomes of the source."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
from tests.core.reduction.conftest import clustered, column

import tlc
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    NameNotAllowedError,
    OptionError,
    ReductionError,
)
from tlc.reduction import (
    create_reducer,
    load_reducer,
    reduce_embeddings,
    reduce_embeddings_multiple_parameters,
)
from tlc.upkeep import collect_garbage, examine


def names_beside(table):
    return sorted(path.name for path in table.url.parent.to_local_path().iterdir())


@pytest.mark.parametrize("method", ["pacmap", "umap", "pca"])
def test_a_column_of_numbers_takes_the_place_of_the_embeddings(table, vectors, method):
    arguments = {} if method == "pca" else {"n_components": 2, "n_neighbors": 5}
    reduced = reduce_embeddings(table, method, **arguments)
    name = f"embedding_{method}"
    assert reduced.url == table.url.create_sibling("reduced_0000")
    assert reduced.columns == ["label", name]
    assert reduced.column(name).type == pa.list_(pa.float32(), 2)
    assert list(reduced[3]) == ["label", name]
    wanted = create_reducer(method, arguments).fit_transform(vectors)
    np.testing.assert_array_equal(column(reduced, name), wanted)
    assert reduced.input_tables == [table.url]
    assert table.latest() == table


def test_pacmap_is_the_usual_method_and_tables_are_numbered(table):
    assert reduce_embeddings(table).columns == ["label", "embedding_pacmap"]
    assert reduce_embeddings(table.url, "pca").name == "reduced_0001"
    written = reduce_embeddings([table, str(table.url)], "pca")
    assert {key: url.name for key, url in written.items()} == {table.url: "reduced_0002"}


def test_nothing_that_stays_is_copied(make, vectors):
    table = make(vectors, text=["long " * 1000] * 60)
    reduced = reduce_embeddings(table, "pca", retain_source_embedding_column=True)
    files = reduced.url.to_local_path().rglob("*.parquet")
    assert sum(path.stat().st_size for path in files) < 3000
    assert reduced.columns == ["label", "embedding", "text", "embedding_pca"]
    np.testing.assert_array_equal(column(reduced, "embedding"), vectors)
    assert reduced.row_keys()[0].equals(table.row_keys()[0])


def test_what_is_missing_or_not_finite_is_nan_and_takes_no_part(make, vectors):
    bad = [None if row == 5 else vector.copy() for row, vector in enumerate(vectors)]
    bad[7][2], bad[9][:] = np.nan, np.inf
    reduced = column(reduce_embeddings(make(bad), "pca"), "embedding_pca")
    gone = [5, 7, 9]
    assert np.isnan(reduced[gone]).all()
    wanted = create_reducer("pca").fit_transform(np.delete(vectors, gone, axis=0))
    np.testing.assert_allclose(np.delete(reduced, gone, axis=0), wanted, rtol=1e-5, atol=1e-5)


def test_a_number_that_is_missing_in_a_vector_is_nan(vectors):
    numbers = pa.array(vectors.reshape(-1), mask=np.arange(vectors.size) == 3 * 8 + 2)
    cells = pa.FixedSizeListArray.from_arrays(numbers, 8)
    table = tlc.Table.from_dict({"points": cells}, project_name="reduction")
    reduced = reduce_embeddings(table, "pca", source_embedding_column="points")
    assert np.isnan(column(reduced, "points_pca")).any(axis=1).nonzero()[0].tolist() == [3]


def test_a_view_stands_for_its_table(table):
    assert reduce_embeddings(table.with_transform(len), "pca").input_tables == [table.url]


def test_all_columns_of_embeddings_are_reduced_but_no_others(vectors):
    schemas = {
        "a": tlc.schemas.EmbeddingSchema(shape=8),
        "b": tlc.schemas.EmbeddingSchema(),
        "points": tlc.schemas.Float32Schema(shape=8),
    }
    data = {"a": [*vectors], "points": [*vectors], "b": [*vectors[:, :5]]}
    table = tlc.Table.from_dict(data, schemas, project_name="reduction")
    assert reduce_embeddings(table, "pca").columns == ["points", "a_pca", "b_pca"]
    one = reduce_embeddings(table, "pca", source_embedding_column="b")
    assert one.columns == ["a", "points", "b_pca"]
    plain = reduce_embeddings(table, "pca", source_embedding_column="points")
    assert plain.columns == ["a", "b", "points_pca"]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float16(), pa.int32(), pa.bool_()], ids=str)
def test_vectors_of_any_numbers_are_taken(kind):
    numbers = np.random.default_rng(0).integers(0, 2 if kind == pa.bool_() else 9, (30, 4))
    cells = pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)).cast(kind), 4)
    table = tlc.Table.from_dict({"points": cells}, project_name="reduction")
    reduced = reduce_embeddings(table, "pca", source_embedding_column="points")
    wanted = create_reducer("pca").fit_transform(numbers)
    np.testing.assert_allclose(column(reduced, "points_pca"), wanted, atol=1e-5)


def test_reductions_can_be_chained_by_the_same_method(table):
    options = {"source_embedding_column": "embedding", "retain_source_embedding_column": True}
    first = reduce_embeddings(table, "pca", **options)
    second = reduce_embeddings(first, "pca", n_components=3, **options)
    third = reduce_embeddings(second, "pca", target_embedding_column="mine", **options)
    added = ["embedding_pca", "embedding_pca_1", "mine"]
    assert third.columns == ["label", "embedding", *added]
    assert [column(third, name).shape[1] for name in added] == [2, 3, 2]
    again = reduce_embeddings(third, "pca", source_embedding_column="embedding_pca_1")
    assert "embedding_pca_1_pca" in again.columns
    assert "embedding_pca_1" not in again.columns


def test_the_column_may_take_the_name_of_its_source(table):
    reduced = reduce_embeddings(table, "pca", target_embedding_column="embedding")
    assert reduced.columns == ["label", "embedding"]
    assert column(reduced, "embedding").shape == (60, 2)


def test_several_parameters_make_a_column_each(table):
    parameters = [{"n_components": 3}, {"seed": 1, "method": "pacmap"}, {}]
    reduced = reduce_embeddings_multiple_parameters(table, parameters, "pca")
    assert reduced.columns == ["label", "embedding_pca", "embedding_pacmap", "embedding_pca_1"]
    kept = [{"target_embedding_column": "a"}, {"retain_source_embedding_column": True}]
    (url,) = reduce_embeddings_multiple_parameters([table], kept, "pca").values()
    assert tlc.Table.from_url(url).columns == ["label", "embedding", "a", "embedding_pca"]
    kept[0]["target_embedding_column"] = "embedding"
    with pytest.raises(ColumnError, match="column 'embedding' already"):
        reduce_embeddings_multiple_parameters(table, kept, "pca")
    with pytest.raises(OptionError, match="no parameters"):
        reduce_embeddings_multiple_parameters(table, [])


def test_how_a_column_was_made_is_told(table):
    reduced = reduce_embeddings(table, "pca", seed=3)
    schema = reduced.rows_schema.values["embedding_pca"]
    assert schema.metadata["reduction"] == {
        "method": "pca",
        "source": "embedding",
        "seed": 3,
        "standard_scaler_normalize": False,
        "arguments": {},
        "packages": {},
    }
    assert "2 numbers by pca" in schema.description
    assert table.model_url is None
    renamed = reduced.set_values("label", [0], [7])
    assert renamed.rows_schema.values["embedding_pca"].metadata == schema.metadata


@pytest.mark.parametrize("retain", [True, False], ids=["all stays", "embeddings go"])
def test_a_source_that_is_deleted_is_not_needed(make, vectors, retain):
    table = make(vectors, text=[f"row {row}" for row in range(60)]).set_values("label", [1], [99])
    keys = table.row_keys()
    before = table.to_arrow().select(["label", "text"])
    reduced = reduce_embeddings(
        table, "pca", delete_source_tables=True, retain_source_embedding_column=retain
    )
    with pytest.raises(ValueError, match="is not a table"):
        tlc.Table.from_url(table.url)
    root = reduced.root_url
    collect_garbage(root_url=root, delete=True, grace_seconds=0)
    again = tlc.Table.from_url(reduced.url)
    assert again.to_arrow().select(["label", "text"]).equals(before)
    assert again.row_keys()[0].equals(keys[0])
    assert table.url not in again.input_tables
    findings = [each for each in examine(root_url=root).findings if each.url == reduced.url]
    assert findings == []


def test_other_tables_of_a_deleted_source_can_be_read(table):
    split = table.split({"a": 0.5, "b": 0.5})
    reduce_embeddings(table, "pca", delete_source_tables=True)
    collect_garbage(root_url=table.root_url, delete=True, grace_seconds=0)
    assert len(tlc.Table.from_url(split["a"].url).to_arrow()) == 30


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "tsne"}, OptionError, "no method 'tsne'.*'pacmap', 'umap', 'pca'"),
        ({"n_neighbors": 3}, OptionError, "no argument 'n_neighbors'"),
        ({"method": "pacmap", "distance": "hamming"}, OptionError, "distance='hamming'"),
        ({"n_components": 9}, ReductionError, "'embedding' of .*table: 9 principal.*is 8 at most"),
        ({"source_embedding_column": "x"}, ColumnNotFoundError, "no column 'x'"),
        ({"source_embedding_column": "label"}, ColumnError, "'label' of .* holds no vectors"),
        ({"source_embedding_column": ["embedding"]}, OptionError, "the path of one column"),
        ({"target_embedding_column": "label"}, ColumnError, "column 'label' already"),
        ({"target_embedding_column": ""}, NameNotAllowedError, "cannot be the name"),
    ],
    ids=str,
)
def test_errors_leave_nothing_behind(table, options, error, message):
    with pytest.raises(error, match=message):
        reduce_embeddings(table, **{"method": "pca", **options})
    assert names_beside(table) == ["table"]


def test_two_columns_cannot_have_one_name(vectors):
    schemas = {name: tlc.schemas.EmbeddingSchema() for name in "ab"}
    data = {name: [*vectors] for name in "ab"}
    table = tlc.Table.from_dict(data, schemas, project_name="reduction")
    with pytest.raises(OptionError, match="one name for 2 columns: a, b"):
        reduce_embeddings(table, "pca", target_embedding_column="c")


def test_a_table_without_embeddings_is_refused():
    table = tlc.Table.from_dict({"points": [[1.0, 2.0]]}, project_name="reduction")
    with pytest.raises(ColumnNotFoundError, match=r"no column of embeddings.*source_embedding_col"):
        reduce_embeddings(table, "pca")


@pytest.mark.parametrize("rows", [[], [None, None], [[], []]], ids=["no rows", "null", "empty"])
def test_a_column_without_numbers_is_refused(make, rows):
    with pytest.raises((ColumnError, ReductionError), match="no vectors in 'embedding'"):
        reduce_embeddings(make(rows), "pca")


def test_a_vector_of_another_length_is_named_with_its_row(make, vectors):
    rows = [*vectors]
    rows[33] = vectors[33][:5]
    with pytest.raises(ColumnError, match=r"Row 33 of 'embedding' .* 5 numbers.* others have 8"):
        reduce_embeddings(make(rows), "pca")


def test_a_table_of_several_parts_is_reduced_as_one():
    rows, wrong = 140_000, 135_000  # files are read in parts of 131,072 rows
    numbers = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    cells = pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)), 3)
    table = tlc.Table.from_dict({"points": cells}, project_name="reduction")
    reduced = reduce_embeddings(table, "pca", source_embedding_column="points")
    found = reduced.column("points_pca").flatten().to_numpy().reshape(rows, 2)
    wanted = create_reducer("pca").fit_transform(numbers)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    offsets = np.arange(rows + 1, dtype=np.int32) * 3
    offsets[wrong + 1 :] -= 1
    lists = pa.ListArray.from_arrays(offsets, pa.array(numbers.reshape(-1)[:-1]))
    worse = tlc.Table.from_dict({"points": lists}, project_name="reduction")
    with pytest.raises(ColumnError, match=f"Row {wrong} of 'points'.* 2 numbers"):
        reduce_embeddings(worse, "pca", source_embedding_column="points")


@pytest.mark.parametrize("delete", [False, True])
def test_those_who_come_too_late_for_a_name_delete_only_what_they_wrote(table, delete):
    """The table is in another store than its data, whose paths are absolute then."""
    there = table.keep(range(40), root_url=f"memory://{uuid4()}", table_name="there")
    gate = Barrier(6)

    def work(seed):
        gate.wait()
        return reduce_embeddings(there, "pca", delete, seed=seed)

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(work, range(6)))
    assert len(table.to_arrow()) == 60
    for each in made:
        again = tlc.Table.from_url(each.url)
        assert again.get_column("label").to_pylist() == [*range(40)]
        assert np.isfinite(column(again, "embedding_pca")).all()


@pytest.mark.parametrize("delete", [False, True])
def test_many_who_reduce_a_table_at_once_get_a_table_each(table, delete):
    gate = Barrier(6)

    def work(seed):
        gate.wait()
        return reduce_embeddings(table, "pca", delete, seed=seed)

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(work, range(6)))
    names = sorted(each.name for each in made)
    assert names == [f"reduced_{number:04d}" for number in range(6)]
    for seed, each in enumerate(made):
        assert load_reducer(each.model_url).settings.seed == seed
        assert each.model_url.to_str().startswith(f"{each.url}/")
        np.testing.assert_array_equal(
            column(each, "embedding_pca"), column(made[0], "embedding_pca")
        )
    models = [path for each in made for path in (each.url / "model").to_local_path().iterdir()]
    assert len(models) == 6
    written = [path for each in made for path in each.url.to_local_path().rglob("*.parquet")]
    assert len(written) == (12 if delete else 6)  # with the keys of rows


def test_of_several_tables_none_is_written_if_one_cannot_be(make):
    good, bad = make(clustered(20, 4), "good"), make(np.full((20, 4), np.nan), "bad")
    with pytest.raises(ReductionError, match=r"bad: 2 principal"):
        reduce_embeddings([good, bad], "pca")
    assert names_beside(good) == ["bad", "good"]
