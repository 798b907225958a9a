"""Label issues against plain loops, and against cleanlab on the same probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.dynamics import label_issues, suggest
from tlc.dynamics.confident_learning import confident_classes, thresholds_of
from tlc.dynamics.labels import labels_of
from tlc.errors import ColumnError, ColumnNotFoundError, MetricsError
from tlc.run import Run
from tlc.schemas import Float32Schema
from tlc.table import Table

few = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
nan = np.nan


def noisy(seed, rows, classes):
    """Return labels, some of them wrong, and probabilities that mostly know better."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    labels = np.where(rng.random(rows) < 0.2, rng.integers(0, classes, rows), truth)
    logits = rng.normal(0, 1, (rows, classes)) + 2.5 * (np.arange(classes) == truth[:, None])
    probabilities = np.exp(logits)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def by_hand(probabilities, labels):
    """Return the class that each sample counts for, by the definition, sample by sample."""
    classes = probabilities.shape[1]
    thresholds = [probabilities[labels == j, j].mean() if (labels == j).any() else np.inf
                  for j in range(classes)]  # fmt: skip
    found = []
    for row in probabilities:
        confident = [j for j in range(classes) if row[j] >= thresholds[j] - 1e-6]
        found.append(max(confident, key=lambda j: row[j]) if confident else -1)
    return np.array(found)


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 40), classes=st.integers(1, 5))
def test_samples_count_for_classes_as_the_definition_says(seed, rows, classes):
    labels, probabilities = noisy(seed, rows, classes)
    own = probabilities[np.arange(rows), labels]
    found = confident_classes(probabilities, thresholds_of(own, labels, classes))
    assert found.tolist() == by_hand(probabilities, labels).tolist()


@pytest.mark.parametrize(("rows", "classes"), [(2000, 2), (2000, 10), (300, 50)])
def test_cleanlab_finds_the_same(rows, classes):
    labels, probabilities = noisy(1, rows, classes)
    labels[:classes] = np.arange(classes)  # cleanlab wants each class to occur
    own = probabilities[np.arange(rows), labels]
    thresholds = thresholds_of(own, labels, classes)
    np.testing.assert_allclose(thresholds, get_confident_thresholds(labels, probabilities))
    found = confident_classes(probabilities, thresholds)
    joint, theirs = compute_confident_joint(
        labels, probabilities, calibrate=False, return_indices_of_off_diagonals=True
    )
    ours = np.flatnonzero((found >= 0) & (found != labels))
    # Of several confident classes cleanlab takes the likeliest of all classes, confident or not.
    reached = probabilities >= thresholds - 1e-6
    top = probabilities.argmax(axis=1)
    differs = (reached.sum(axis=1) > 1) & ~reached[np.arange(rows), top]
    assert differs.mean() < 0.1
    assert len(ours) > rows / 20
    assert set(ours[~differs[ours]]) == set(theirs[~differs[theirs]])
    if not differs.any():
        mine = np.zeros((classes, classes), int)
        np.add.at(mine, (labels[found >= 0], found[found >= 0]), 1)
        np.fill_diagonal(mine, mine.diagonal().clip(min=1))
        assert mine.tolist() == joint.tolist()


def test_samples_that_are_all_alike_are_confident():
    own, labels = np.full(3, 0.1), np.ones(3, int)
    assert own.sum() / 3 > 0.1, "by the error of sums"
    thresholds = thresholds_of(own, labels, 2)
    assert confident_classes(np.array([[0.9, 0.1]] * 3), thresholds).tolist() == [1, 1, 1]


@few
@given(
    seed=st.integers(0, 2**32),
    epochs=st.integers(1, 4),
    form=st.sampled_from(["constant", "column", "together"]),
)
def test_issues_of_stored_vectors_are_those_of_their_mean(store, seed, epochs, form):
    stored = store(seed, rows=12, epochs=epochs, form=form)
    found = label_issues(stored.run, probabilities="probabilities")
    is_there = ~np.isnan(stored.values["label_prob"])
    with np.errstate(invalid="ignore"):
        mean = np.nansum(stored.values["probabilities"], axis=0) / is_there.sum(axis=0)[:, None]
    seen = is_there.any(axis=0)
    guess = np.full(12, -1)
    guess[seen] = by_hand(mean[seen], stored.labels[seen])
    expected = (guess >= 0) & (guess != stored.labels)
    assert found["is_label_issue"].tolist() == expected.tolist()
    suggested = np.where(expected, guess, stored.labels)
    assert found["suggested_label"].tolist() == suggested.tolist()
    np.testing.assert_allclose(
        found["label_quality"], mean[np.arange(12), stored.labels], rtol=1e-5
    )


@few
@given(seed=st.integers(0, 2**32), epochs=st.integers(1, 4))
def test_issues_of_stored_predictions_are_some_of_these(store, seed, epochs):
    stored = store(seed, rows=12, epochs=epochs)
    exact = label_issues(stored.run, probabilities="probabilities")
    found = label_issues(stored.run)
    assert not (found["is_label_issue"] & ~exact["is_label_issue"]).any()
    np.testing.assert_allclose(found["label_quality"], exact["label_quality"], rtol=1e-5)


def test_predictions_of_one_epoch_by_hand():
    table = Table.from_dict({"label": [0, 0, 0, 1, 1, 1]}, table_name="train")
    run = Run.create("project", "run")
    metrics = {
        "label_prob": [0.9, 0.6, 0.1, 0.7, 0.8, 0.3],  # thresholds: 0.533 and 0.6
        "predicted": [0, 0, 1, 1, 1, 0],
        "confidence": [0.9, 0.6, 0.9, 0.7, 0.8, 0.5],
    }
    run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": 0})
    found = label_issues(run)
    assert found["is_label_issue"].tolist() == [False, False, True, False, False, False]
    assert found["suggested_label"].tolist() == [0, 0, 1, 1, 1, 1]
    np.testing.assert_allclose(found["label_quality"], metrics["label_prob"])


def test_suggested_labels_have_the_names_of_the_classes(store):
    revision = label_issues(store().run).add_to_table()
    assert revision.get_simple_value_map("suggested_label") == {n: f"class {n}" for n in range(3)}


def test_labels_are_those_of_the_time_of_the_predictions(store):
    stored = store(rows=30, missing=0.0)
    before = label_issues(stored.run)
    row = int(before.rows("is_label_issue", 1)[0])
    edited = stored.table.set_values("label", [row], [int(before["suggested_label"][row])])
    assert label_issues(stored.run, edited)["is_label_issue"][row]
    exact = label_issues(stored.run, edited, probabilities="probabilities")
    assert not exact["is_label_issue"][row], "vectors do not depend on the label"
    fewer = label_issues(stored.run, stored.table.delete_rows([0]))
    assert fewer["suggested_label"].tolist() == before["suggested_label"].tolist()[1:]
    count = 1 + int(np.flatnonzero(stored.labels != stored.labels[-1])[-1])
    fewer = label_issues(stored.run, stored.table.delete_rows(range(count, 30)))
    is_fine = ~fewer["is_label_issue"]
    assert is_fine[-1]
    assert (fewer["suggested_label"] == stored.labels[:count])[is_fine].all()


def test_labels_are_those_of_the_chosen_epochs():
    first = Table.from_dict({"label": [0, 0, 1, 1]}, table_name="train")
    second = first.set_values("label", [0], [1])
    run = Run.create("project", "run")
    for epoch, (table, own) in enumerate(((first, 0.1), (second, 0.9), (first, 0.1))):
        metrics = {"label_prob": [own, 0.9, 0.9, 0.9], "predicted": [1, 0, 1, 1]}
        metrics["confidence"] = [0.9] * 4
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": epoch})
    for epochs, expected in ((slice(0, 1), True), (slice(1, 2), False), (slice(2, 3), True)):
        found = label_issues(run, second, epochs=epochs)
        assert found["is_label_issue"].tolist() == [expected, False, False, False]
    assert suggest(run, first, epochs=1).rows.tolist() == [0]
    assert label_issues(run, first, epochs=2)["suggested_label"][0] == 1
    assert not label_issues(run, first, epochs=2)["is_label_issue"][0]
    assert label_issues(run, first)["suggested_label"][0] == 1
    assert label_issues(run, first)["is_label_issue"][0], "the last collection was of the first"


def test_an_epoch_without_vectors_is_passed_over():
    table = Table.from_dict({"label": [0, 1]}, table_name="train")
    run, schema = Run.create("project", "run"), {"p": Float32Schema(shape=(2,))}
    for epoch, vectors in enumerate(([None, None], [[0.9, 0.1], [0.2, 0.8]], [None, None])):
        run.add_metrics({"p": vectors}, schema, table, constants={"epoch": epoch})
    found = label_issues(run, probabilities="p")
    np.testing.assert_allclose(found["label_quality"], [0.9, 0.8], rtol=1e-6)


def test_rows_without_metrics_or_label_are_no_issue(store):
    stored = store(rows=6, missing=0.0)
    larger = Table.join_tables([stored.table, store(rows=1).table])
    found = label_issues(stored.run, larger)
    assert not found["is_label_issue"][6]
    assert np.isnan(found["label_quality"][6])
    unlabelled = stored.table.set_values("label", [2], [-1])
    exact = label_issues(stored.run, unlabelled, probabilities="probabilities")
    assert not exact["is_label_issue"][2]
    assert np.isnan(exact["label_quality"][2])


# Which column has the labels


def metrics_about(columns, schema=None):
    table = Table.from_dict(columns, schema, if_exists="rename")
    run = Run.create("project")
    values = {"label_prob": [0.9, 0.1], "predicted": [0, 0], "confidence": [0.9, 0.9]}
    run.add_metrics(values, foreign_table_url=table, constants={"epoch": 0})
    return run


def test_the_column_of_labels_is_found_or_named():
    from tlc.schemas import CategoricalLabelSchema

    kind = {"digit": CategoricalLabelSchema(["a", "b"]), "hand": CategoricalLabelSchema(["l", "r"])}
    one = metrics_about({"digit": [0, 1], "n": [5, 5]}, {"digit": kind["digit"]})
    assert label_issues(one)["is_label_issue"].tolist() == [False, True]
    two = metrics_about({"digit": [0, 1], "hand": [0, 0]}, kind)
    with pytest.raises(ColumnError, match=r"several columns of labels: digit, hand.*label="):
        label_issues(two)
    assert label_issues(two, label="digit")["is_label_issue"].tolist() == [False, True]
    with pytest.raises(ColumnNotFoundError, match=r"no column of labels 'foot'.*digit, hand"):
        label_issues(two, label="foot")
    with pytest.raises(ColumnNotFoundError, match="no column of labels 'label'"):
        label_issues(metrics_about({"n": [0, 1]}))
    with pytest.raises(ColumnError, match=r"'label' of .* holds string"):
        label_issues(metrics_about({"label": ["a", "b"]}))


def test_missing_and_negative_labels_are_none():
    table = Table.from_dict({"label": [0, 1, -5, None]}, table_name="train")
    assert labels_of(table, "label").tolist() == [0, 1, -1, -1]


def test_labels_that_are_no_classes_of_the_model_are_noticed(store):
    table = Table.from_dict({"label": [0, 0, 3]}, table_name="ids")
    run = Run.create("project", "run")
    values = {"label_prob": [0.1, 0.2, 0.9], "predicted": [0, 0, 1], "confidence": [0.9] * 3}
    run.add_metrics(values, foreign_table_url=table, constants={"epoch": 0})
    with pytest.raises(MetricsError, match="row 0 has label 0, which was predicted"):
        label_issues(run)
    stored = store(rows=4)
    other = stored.table.set_values("label", [1], [7])
    with pytest.raises(MetricsError, match=r"Row 1 has label 7, but the vectors have 3"):
        label_issues(stored.run, other, probabilities="probabilities")


def test_vectors_of_epochs_must_be_alike(store):
    table = Table.from_dict({"label": [0, 1]}, table_name="train")
    run = Run.create("project", "run")
    for epoch, width in enumerate((2, 3)):
        metrics = {"p": np.full((2, width), 1 / width, np.float32)}
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": epoch})
    with pytest.raises(ColumnError, match="'p' differ in length"):
        label_issues(run, probabilities="p")
