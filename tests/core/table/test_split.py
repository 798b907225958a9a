from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedShuffleSplit

from tlc import schemas
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    NameNotAllowedError,
    ObjectExistsError,
    OptionError,
    ReuseWarning,
)
from tlc.format.manifest import Data, file_entries
from tlc.schemas import Schema
from tlc.table import Table

COUNT = 100
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def animals():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, COUNT, p=[0.6, 0.3, 0.08, 0.02])
    parts = {"label": schemas.CategoricalLabelListSchema(["a", "b", "c", "d"])}
    return Table.from_dict(
        {
            "n": range(COUNT),
            "label": labels,
            "patient": [f"p{number % 7}" for number in range(COUNT)],
            "bbs": [{"label": [label, (label + 1) % 4]} for label in labels],
        },
        schema={
            "label": schemas.CategoricalLabelSchema(["a", "b", "c", "d"]),
            "bbs": Schema(values=parts),
        },
        table_name="all",
        dataset_name="d",
        project_name="p",
    )


def numbers(table):
    return [row["n"] for row in table.table_rows]


def sizes(splits):
    return {name: len(part) for name, part in splits.items()}


def test_each_row_goes_to_one_split_and_the_rows_keep_their_order(animals):
    splits = animals.split({"train": 0.7, "val": 0.2, "test": 0.1})
    assert sizes(splits) == {"train": 70, "val": 20, "test": 10}
    assert sorted(n for part in splits.values() for n in numbers(part)) == list(range(COUNT))
    assert all(numbers(part) == sorted(numbers(part)) for part in splits.values())
    assert numbers(splits["test"]) != list(range(90, 100))


def test_a_split_is_a_table_beside_this_one_that_copies_nothing(animals):
    train = animals.split({"train": 0.8, "val": None})["train"]
    assert (train.name, train.dataset_name, train.project_name) == ("train", "d", "p")
    assert train.input_tables == [animals.url]
    assert animals.latest() == animals
    assert train.latest() == train
    assert train.rows_schema == animals.rows_schema
    written = [entry for entry in file_entries(train._manifest.stack) if ".." not in entry.path]
    assert len(written) == 1
    assert sum(isinstance(layer, Data) for layer in train._manifest.stack.layers) == 1
    origins, indices = train.row_keys()
    assert set(origins.to_pylist()) == {animals.id}
    assert indices.tolist() == numbers(train)


def test_what_was_done_is_in_the_manifest(animals):
    val = animals.split({"train": None, "val": 25}, strategy="group", by="patient", seed=3)["val"]
    assert val._manifest.operation["edits"] == [
        {
            "type": "split",
            "split": "val",
            "splits": {"train": None, "val": 25},
            "strategy": "group",
            "by": ["patient"],
            "seed": 3,
            "rows": len(val),
        }
    ]


@pytest.mark.parametrize("strategy", ["random", "stratified", "group"])
def test_equal_arguments_give_equal_splits_and_another_seed_others(animals, strategy):
    by = {"random": None, "stratified": "label", "group": "patient"}[strategy]

    def again(seed):
        done = animals.split(
            {"train": 0.5, "val": 0.5}, strategy=strategy, by=by, seed=seed, if_exists="rename"
        )
        return numbers(done["train"])

    assert again(0) == again(0)
    assert len({tuple(again(seed)) for seed in range(5)}) > 1


def test_the_first_rows_go_to_the_first_split_if_that_is_asked_for(animals):
    splits = animals.split({"a": 0.25, "b": 10, "c": None}, strategy="ordered")
    assert numbers(splits["a"]) == list(range(25))
    assert numbers(splits["b"]) == list(range(25, 35))
    assert numbers(splits["c"]) == list(range(35, 100))


@FEW
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=40),
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
)
def test_stratified_splits_have_their_share_of_each_class(labels, shares):
    table = Table.from_dict({"label": labels}, if_exists="rename")
    fractions = {f"s{i}": share / sum(shares) for i, share in enumerate(shares)}
    try:
        splits = table.split(fractions, strategy="stratified", by="label", if_exists="rename")
    except OptionError:
        assert any(round(fraction * len(labels), 6) < 1 for fraction in fractions.values())
        return
    for part in splits.values():
        found = Counter(part.column("label").to_pylist())
        for label, count in Counter(labels).items():
            share = count * len(part) / len(labels)
            assert math.floor(share + 1e-9) <= found[label] <= math.ceil(share - 1e-9)


def test_stratified_splits_are_as_even_as_those_of_scikit_learn(animals):
    labels = animals.column("label").to_numpy()
    splits = animals.split({"train": 0.75, "val": 0.25}, strategy="stratified", by="label")
    theirs, _ = next(
        StratifiedShuffleSplit(1, train_size=0.75, random_state=0).split(labels, labels)
    )
    ours = np.bincount(labels[numbers(splits["train"])], minlength=4)
    assert np.abs(ours - np.bincount(labels[theirs], minlength=4)).max() <= 1


def test_a_class_of_one_row_is_no_trouble():
    table = Table.from_dict({"label": [0] * 9 + [1]})
    splits = table.split({"train": 0.8, "val": 0.2}, strategy="stratified", by="label")
    assert sizes(splits) == {"train": 8, "val": 2}


def test_classes_may_be_combinations_of_columns(animals):
    splits = animals.split(
        {"train": 0.5, "val": 0.5}, strategy="stratified", by=["label", "patient"]
    )
    for patient in range(7):
        counts = [
            sum(row["patient"] == f"p{patient}" and row["label"] == 0 for row in part.table_rows)
            for part in splits.values()
        ]
        assert abs(counts[0] - counts[1]) <= 1


def test_labels_inside_of_annotations_are_shared_out(animals):
    splits = animals.split({"train": 0.8, "val": 0.2}, strategy="stratified", by="bbs.label")
    assert sizes(splits) == {"train": 80, "val": 20}
    totals = Counter(label for row in animals.table_rows for label in row["bbs"]["label"])
    found = Counter(label for row in splits["val"].table_rows for label in row["bbs"]["label"])
    for label, total in totals.items():
        assert abs(found[label] - 0.2 * total) < 2


def test_groups_stay_together_those_without_value_too(animals):
    table = animals.set_values("patient", [0, 1, 2], None)
    splits = table.split({"train": 0.7, "val": 0.3}, strategy="group", by="patient")
    groups = [set(part.column("patient").to_pylist()) for part in splits.values()]
    assert groups[0].isdisjoint(groups[1])
    assert len(groups[0] | groups[1]) == 8
    assert abs(len(splits["train"]) - 70) <= 14


def test_a_split_is_used_again_if_it_is_the_same(animals, recwarn):
    shares = {"train": 0.8, "val": 0.2}
    first = animals.split(shares)
    assert animals.split(shares) == first
    assert not recwarn.list
    with pytest.warns(ReuseWarning) as caught:
        assert animals.split(shares, seed=1) == first
    assert {each.filename for each in caught} == {__file__}
    renamed = animals.split(shares, seed=1, if_exists="rename")
    assert sorted(part.name for part in renamed.values()) == ["train_0000", "val_0000"]
    with pytest.raises(ObjectExistsError):
        animals.split({"new": 0.8, "val": 0.2}, if_exists="raise")
    assert not animals.url.create_sibling("new").exists()
    assert numbers(animals.split(shares, seed=1, if_exists="overwrite")["val"]) == numbers(
        renamed["val"]
    )


def test_splits_go_where_they_are_asked_to(animals, tmp_path):
    done = animals.split(
        {"train": 0.5, "val": 0.5},
        dataset_name="e",
        project_name="q",
        root_url=tmp_path / "r",
        description="halves",
    )
    assert done["val"].url.to_str() == f"{tmp_path}/r/q/datasets/e/tables/val"
    assert done["val"].description == "halves"
    assert len(done["val"].table_rows[0]) == 4


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": 0.8, "val": 0.1}, "fewer than the 100 rows"),
        ({"train": 0.8, "val": 0.3}, "more than the 100 rows"),
        ({"train": 101, "val": None}, "more than the 100 rows"),
        ({"train": 99}, "fewer than the 100 rows"),
        ({"train": None, "val": None}, "are no splits"),
        ({}, "are no splits"),
        ({"train": -0.5, "val": None}, "-0.5"),
        ({"train": True, "val": None}, "True"),
        ({"train": float("nan"), "val": None}, "nan"),
        ({"train": "half", "val": None}, "'half'"),
        ({"a": 0.999, "b": 0.001}, "'b' .* would get none of 100 rows"),
        ({"a": 0.5, "A": 0.5}, "only by case"),
    ],
)
def test_shares_that_make_no_sense_are_refused(animals, splits, message):
    with pytest.raises(OptionError, match=message):
        animals.split(splits)


def test_other_arguments_that_make_no_sense_are_refused(animals):
    halves = {"train": 0.5, "val": 0.5}
    with pytest.raises(OptionError, match="no strategy 'balanced'"):
        animals.split(halves, strategy="balanced")
    with pytest.raises(OptionError, match="'stratified' needs by="):
        animals.split(halves, strategy="stratified")
    with pytest.raises(OptionError, match="'random' takes no by="):
        animals.split(halves, by="label")
    with pytest.raises(ColumnNotFoundError, match="'lable'"):
        animals.split(halves, strategy="stratified", by="lable")
    for strategy in ("stratified", "group"):
        with pytest.raises(ColumnError, match="'bbs'"):
            animals.split(halves, strategy=strategy, by="bbs")
    with pytest.raises(NameNotAllowedError):
        animals.split({"a/b": 0.5, "c": 0.5})
    with pytest.raises(TypeError, match="table_name"):
        animals.split(halves, table_name="x")


def test_an_empty_table_has_empty_splits(animals):
    splits = animals.keep([]).split({"train": 0.8, "val": 0.2})
    assert sizes(splits) == {"train": 0, "val": 0}


def test_a_part_of_no_share_is_empty(animals):
    assert sizes(animals.split({"train": 1.0, "val": 0.0})) == {"train": 100, "val": 0}


def test_splits_are_split_edited_and_squashed_like_any_table(animals):
    train = animals.split({"train": 0.8, "val": 0.2})["train"]
    half = train.split({"half": 0.5, "rest": None})["half"]
    assert set(numbers(half)) < set(numbers(train))
    edited = half.set_values("label", [0], [3])
    squashed = edited.squash()
    assert list(squashed.table_rows) == list(edited.table_rows)
    assert squashed.row_keys()[1].tolist() == numbers(half)
    assert half.latest() == squashed
