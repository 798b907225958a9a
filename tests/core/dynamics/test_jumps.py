from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cityblock, cosine, euclidean

import tlc
from tlc.dynamics import jumps
from tlc.dynamics.jumps import metric_jumps
from tlc.errors import ColumnError, ColumnNotFoundError, MetricsError, OptionError
from tlc.schemas import EmbeddingSchema

VECTORS = arrays(np.float32, (6, 3), elements=st.floats(0.5, 100, width=32))


@pytest.fixture
def run():
    return tlc.init("p", "r")


@pytest.fixture
def table():
    return tlc.Table.from_dict({"row": range(5)})


def store(run, table, epoch, **metrics):
    schema = {"v": EmbeddingSchema(shape=(2,))} if "v" in metrics else {}
    run.add_metrics(metrics, schema, table, constants={"epoch": epoch})


@pytest.fixture
def vectors(run, table):
    values = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    for epoch in (1, 0, 4):
        store(run, table, epoch, v=values[[0, 1, 4].index(epoch)])
    return values


@pytest.mark.parametrize(
    ("distance", "peer"),
    [("euclidean", euclidean), ("l2", euclidean), ("l1", cityblock), ("cosine", cosine)],
)
def test_jumps_lead_from_each_epoch_to_the_next(run, table, vectors, distance, peer):
    found = metric_jumps(run, "v", distance=distance)
    wanted = [[peer(a[i], b[i]) for a, b in pairwise(vectors)] for i in range(5)]
    assert np.allclose(found["v_jumps"], wanted, rtol=1e-5, atol=1e-6)
    assert np.allclose(found["v_jump_mean"], np.mean(wanted, axis=1), rtol=1e-5)
    assert np.allclose(found["v_jump_max"], np.max(wanted, axis=1), rtol=1e-5)
    assert (found.table, found.times) == (table, [0, 1, 4])


@given(VECTORS, VECTORS, st.sampled_from([("cosine", cosine), ("l1", cityblock)]))
def test_distances_of_pairs(before, after, kind):
    found = jumps._jumps(before, after, jumps._DISTANCES[kind[0]])
    wanted = [kind[1](a.astype(float), b.astype(float)) for a, b in zip(before, after, strict=True)]
    assert np.allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_numbers_jump_too_and_any_function_tells_how_far(run, table):
    for epoch, loss in enumerate([[1, 2, 3, 4, 5], [1, 1, 1, 9, 5]]):
        store(run, table, epoch, loss=np.array(loss, np.float32))
    assert metric_jumps(run, "loss")["loss_jumps"].tolist() == [[0], [1], [2], [5], [0]]
    changed = metric_jumps(run, "loss", distance=lambda a, b: (a != b).any(axis=1))
    assert changed["loss_jumps"][:, 0].tolist() == [0, 1, 1, 1, 0]


def test_what_was_not_stored_does_not_jump(run, table):
    store(run, table, 0, v=np.ones((5, 2)))
    store(run, table, 1, v=[[2, 1], [1, np.nan]], example_id=[0, 3])
    store(run, table, 2, v=np.zeros((5, 2)))
    found = metric_jumps(run, "v")
    wanted = [[1, 5**0.5], *[[np.nan] * 2] * 4]
    assert np.allclose(found["v_jumps"], wanted, equal_nan=True)
    assert np.isnan(found["v_jump_max"]).tolist() == [False, *[True] * 4]
    assert np.isnan(metric_jumps(run, "v", distance="cosine")["v_jumps"][0, 1])


@pytest.mark.parametrize("distance", ["euclidean", "l1", "cosine"])
def test_between_infinite_values_there_is_no_jump(run, table, distance):
    for epoch, loss in enumerate(([np.inf, np.inf, 1, 2, 3], [np.inf, 1, 1, 2, 3])):
        store(run, table, epoch, loss=np.array(loss, np.float32))
    found = metric_jumps(run, "loss", distance=distance)["loss_jumps"][:, 0]
    assert np.isnan(found[0])
    assert found[1] == np.inf or distance == "cosine"
    assert found[2:].tolist() == [0, 0, 0]


def test_epochs_of_one_metrics_table_jump_too(run, table):
    ids, epochs = [*range(5), *reversed(range(5))], [3] * 5 + [1] * 5
    schema = {"v": EmbeddingSchema(shape=(1,))}
    metrics = {"example_id": ids, "epoch": epochs, "v": np.arange(10.0)[:, None]}
    run.add_metrics(metrics, schema, table)
    found = metric_jumps(run, "v")
    assert found.times == [1, 3]
    assert found["v_jumps"][:, 0].tolist() == [9, 7, 5, 3, 1]


def test_an_epoch_without_vectors_has_no_jumps(run, table):
    for epoch, vectors in enumerate((np.zeros((5, 2)), [None] * 5, np.ones((5, 2)))):
        store(run, table, epoch, v=vectors)
    found = metric_jumps(run, "v")
    assert np.isnan(found["v_jumps"]).all()
    assert found.times == [0, 1, 2]
    assert len(found.add_to_run(run)) == 0


def test_the_mean_and_the_largest_are_of_the_jumps_there_are(run, table):
    for epoch, loss in enumerate((0, 4, 6, np.nan)):
        store(run, table, epoch, loss=np.array([loss, 1, 1, 1, 1], np.float32))
    found = metric_jumps(run, "loss")
    np.testing.assert_array_equal(found["loss_jumps"][0], [4, 2, np.nan])
    assert (found["loss_jump_mean"][0], found["loss_jump_max"][0]) == (3, 4)


def test_jumps_go_to_the_run_with_their_epoch(run, table, vectors):
    found = metric_jumps(run, "v")
    written = found.add_to_run(run)
    assert written.columns[:1] == ["example_id"]
    assert len(written) == 10
    assert set(written.column("epoch").to_pylist()) == {1, 4}
    read = run.metrics(table=table, columns=["v_jump", "epoch"]).to_pylist()
    assert len(read) == 25
    for row in read[15:]:
        step = found.times.index(row["epoch"]) - 1
        assert row["v_jump"] == found["v_jumps"][row["example_id"], step]


def test_jumps_go_to_the_table(run, table, vectors):
    found = metric_jumps(run, "v")
    revision = found.add_to_table()
    assert np.allclose(revision.table_rows[2]["v_jumps"], found["v_jumps"][2])


def test_another_column_can_tell_when(run, table):
    for step in (10.5, 20.5):
        run.add_metrics({"loss": np.full(5, step)}, {}, table, constants={"step": step})
    found = metric_jumps(run, "loss", temporal="step")
    assert found["loss_jumps"].tolist() == [[10]] * 5
    assert found.add_to_run(run).column("step").to_pylist() == [20.5] * 5


def test_what_cannot_jump_is_told(run, table):
    store(run, table, 0, loss=np.zeros(5), text=["a"] * 5, v=np.zeros((5, 2)))
    with pytest.raises(MetricsError, match="stored once only"):
        metric_jumps(run, "loss")
    with pytest.raises(ColumnNotFoundError):
        metric_jumps(run, "accuracy")
    store(run, table, 1, loss=np.zeros(5), text=["a"] * 5)
    run.add_metrics({"v": np.zeros((5, 3))}, {}, table, constants={"epoch": 1})
    with pytest.raises(ColumnError, match="'text'"):
        metric_jumps(run, "text")
    with pytest.raises(ColumnError, match="lengths 2 and 3"):
        metric_jumps(run, "v")
    with pytest.raises(OptionError, match="no distance 'hamming'"):
        metric_jumps(run, "loss", distance="hamming")
    with pytest.raises(OptionError, match=r"5 pairs has shape \(5, 1\)"):
        metric_jumps(run, "loss", distance=lambda a, b: a - b)
