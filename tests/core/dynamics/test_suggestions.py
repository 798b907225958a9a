"""Proposals: which rows, which edits, and nothing before they are committed."""

from __future__ import annotations

import numpy as np
import pytest

from tlc.dynamics import cartography, suggest
from tlc.errors import ColumnNotFoundError, MetricsError, RevisionConflictError, RowIndexError
from tlc.run import Run
from tlc.schemas import CategoricalLabelSchema
from tlc.table import Table

LABELS = [0] * 6 + [1] * 6
EPOCHS = 4


def make_table(name="train", **options):
    schema = {"label": CategoricalLabelSchema([f"class {n}" for n in range(10)])}
    return Table.from_dict({"label": LABELS}, schema, table_name=name, **options)


@pytest.fixture
def table():
    return make_table(add_weight_column=True)


def write(table, label_prob, predicted, confidence):
    """Store the metrics of all epochs, last row first; arguments are (epochs, rows)."""
    run, order = Run.create("p"), np.arange(len(LABELS))[::-1]
    columns = {"label_prob": label_prob, "predicted": predicted, "confidence": confidence}
    for epoch in range(len(label_prob)):
        metrics = {name: values[epoch][order] for name, values in columns.items()}
        run.add_metrics(
            {"example_id": order, **metrics},
            foreign_table_url=table,
            constants={"epoch": epoch},
            split="train",
        )
    return run


def doubting(table):
    """A run of four epochs that doubts rows 3, 7 and 9, is sure of 3 and 9, and of 9 the most."""
    label_prob = np.full((EPOCHS, 12), 0.9)
    predicted, confidence = np.tile(LABELS, (EPOCHS, 1)), np.full((EPOCHS, 12), 0.9)
    predicted[:, [3, 7, 9]] = [1, 5, 8]
    label_prob[:, [3, 7, 9]] = [0.2, 0.3, 0.1]
    confidence[:, 7] = 0.5
    # Nobody is suspected for the first epoch, or for a low probability of the class that wins.
    label_prob[:, 0], predicted[0, 0], confidence[:, 0] = [0, 0.6, 0.6, 0.6], 9, [0.9] + [0.25] * 3
    label_prob[:, 1] = 0.3
    return write(table, label_prob, predicted, confidence)


@pytest.fixture
def run(table):
    return doubting(table)


def test_what_most_epochs_disbelieve_is_proposed_the_worst_first(run, table):
    found = suggest(run)
    assert found.rows.tolist() == [9, 3, 7]
    assert found.current.tolist() == [1, 0, 1]
    assert found.proposed.tolist() == [8, 1, 5]
    assert found.is_sure.tolist() == [True, True, False]
    np.testing.assert_allclose(found.label_prob, [0.1, 0.2, 0.3], rtol=1e-6)
    np.testing.assert_allclose(found.proposed_prob, [0.9, 0.9, 0.5], rtol=1e-6)
    assert len(found) == 3
    assert found.table == table


def test_limits_and_epochs_can_be_chosen(run):
    assert suggest(run, doubtful=0.15).rows.tolist() == [9]
    assert suggest(run, sure=0.4).is_sure.all()
    first = suggest(run, epochs=1)
    assert first.rows.tolist() == [0, 9, 3, 7]
    assert first.proposed[0] == 9


def test_doubt_is_the_confidence_of_cartography(store):
    stored = store(rows=40, missing=0.1)
    columns = stored.values["accuracy"]
    assert columns.shape == (3, 40)
    found = suggest(stored.run, epochs=slice(None), doubtful=0.7)
    assert len(found) > 5
    expected = cartography(stored.run)["confidence"][found.rows]
    np.testing.assert_allclose(found.label_prob, expected, rtol=1e-5)
    assert (np.diff(found.label_prob) >= 0).all()
    assert (found.label_prob < 0.7).all()
    assert (found.proposed != stored.labels[found.rows]).all()


def test_printed_it_lists_the_proposals(run):
    text = str(suggest(run)).splitlines()
    assert "3 suspicious labels" in text[0]
    assert "2 to be changed, 1 to be given weight 0" in text[0]
    assert text[2].split() == ["9", "class", "1", "0.100", "class", "8", "0.900", "label"]
    assert text[4].split()[-2:] == ["weight", "0"]
    assert repr(suggest(run)) == "Suggestions(3 of 12 rows of train)"


def test_a_long_list_is_cut(store):
    found = suggest(store(rows=200, missing=0.0).run)
    assert len(str(found).splitlines()) == 2 + 20 + 1
    assert str(found).endswith(f"and {len(found) - 20} more")


def test_nothing_changes_before_the_commit_and_then_two_revisions_do(run, table):
    found = suggest(run)
    assert table.latest() == table
    newest = found.commit()
    assert [each.name for each in table.revisions()] == ["train", "train-r1", "train-r2"]
    assert newest == table.latest()
    assert newest.column("label").to_pylist() == [0, 0, 0, 1, 0, 0, 1, 1, 1, 8, 1, 1]
    assert newest.column("weight").to_pylist() == [1.0] * 7 + [0.0] + [1.0] * 4
    descriptions = [each.description for each in table.revisions()]
    assert descriptions[1:] == [
        "2 suspicious labels set to the predicted class",
        "1 samples left out, where the model is unsure",
    ]
    assert table.column("label").to_pylist() == LABELS


def test_edits_can_be_made_in_one_revision(run, table):
    edited = table.revise(*suggest(run).edits(), description="all at once")
    assert edited.column("label").to_pylist() == [0, 0, 0, 1, 0, 0, 1, 1, 1, 8, 1, 1]
    assert edited.column("weight").to_pylist() == [1.0] * 7 + [0.0] + [1.0] * 4
    assert len(table.revisions()) == 2


def test_proposals_can_be_dropped(run, table):
    found = suggest(run)
    assert found.without([3]).rows.tolist() == [9, 7]
    assert found.without([3]).proposed.tolist() == [8, 5]
    assert found.only([7, 9]).rows.tolist() == [9, 7]
    assert found.only(found.rows[found.is_sure]).commit().name == "train-r1"
    assert len(found) == 3
    with pytest.raises(RowIndexError, match="Nothing is proposed for row 5"):
        found.without([3, 5])
    with pytest.raises(RowIndexError, match="row 0"):
        found.only([0])


def test_nothing_may_be_suspicious(table):
    labels = np.tile(LABELS, (EPOCHS, 1))
    run = write(table, np.full((EPOCHS, 12), 0.9), labels, np.full((EPOCHS, 12), 0.9))
    found = suggest(run)
    assert len(found) == 0
    assert found.edits() == []
    assert found.commit() == table
    assert table.latest() == table


def test_a_table_without_weights_is_given_some():
    table = make_table()
    newest = suggest(doubting(table)).commit()
    assert newest.column("weight").to_pylist() == [1.0] * 7 + [0.0] + [1.0] * 4
    assert newest.weights_column_name == "weight"
    assert newest[0] == {"label": 0}, "samples do not show it"


def test_labels_that_a_person_has_edited_since_are_left_alone(run, table):
    edited = table.set_values("label", [9, 0], [2, 5])
    found = suggest(run, edited)
    assert found.rows.tolist() == [3, 7]
    assert found.table == edited
    assert found.commit().column("label").to_pylist()[9] == 2


def test_rows_are_those_of_the_table_that_is_named(run, table):
    smaller = table.delete_rows([0, 8])
    found = suggest(run, smaller)
    assert found.rows.tolist() == [7, 2, 6]
    assert found.commit().column("label").to_pylist() == [0, 0, 1, 0, 0, 1, 1, 8, 1, 1]


def test_a_table_that_was_revised_since_is_not_branched(run, table):
    found = suggest(run)
    table.set_values("label", [0], [4])
    with pytest.raises(RevisionConflictError):
        found.commit()
    assert len(table.revisions()) == 2


def test_errors(run, table):
    with pytest.raises(ColumnNotFoundError, match="split 'val'"):
        suggest(run, split="val")
    with pytest.raises(ColumnNotFoundError, match="no column of labels 'digit'"):
        suggest(run, label="digit")
    shape = EPOCHS, 12
    elsewhere = write(table, np.full(shape, 0.1), np.tile(LABELS, (EPOCHS, 1)), np.full(shape, 0.9))
    with pytest.raises(MetricsError, match="are not class numbers of the model"):
        suggest(elsewhere)
