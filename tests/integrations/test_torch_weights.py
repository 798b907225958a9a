"""Sample weights as weights of the loss."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
import transformers
from tests.integrations.test_hugging_face import Linear, arguments
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Subset

import tlc
from tlc.errors import WeightError
from tlc.integration.hugging_face import Trainer
from tlc.integration.torch import WeightedLoss, weighted_mean, with_weights

ROWS = 12
WEIGHTS = [float(row % 3) for row in range(ROWS)]


def as_pair(sample):
    return torch.as_tensor(sample["x"]), sample["label"]


def only_x(sample):
    return torch.as_tensor(sample["x"])


def with_other_weight(sample):
    return {"weight": 81.5}


@pytest.fixture
def plain():
    x = np.random.default_rng(0).random((ROWS, 8), np.float32)
    columns = {"x": x, "label": [row % 2 for row in range(ROWS)]}
    schema = {"label": tlc.schemas.CategoricalLabelSchema(["even", "odd"])}
    return tlc.Table.from_dict(columns, schema, project_name="weights")


@pytest.fixture
def table(plain):
    return plain.add_column("weight", WEIGHTS, tlc.schemas.SampleWeightSchema())


@pytest.mark.parametrize("workers", [0, 2])
def test_a_batch_has_the_weights_of_its_rows(table, workers):
    options = {"batch_size": 4, "num_workers": workers}
    for data, weights_of in (
        (with_weights(table), lambda batch: batch["weight"]),
        (with_weights(table.with_transform(as_pair)), lambda batch: batch[2]),
        (with_weights(table.with_transform(only_x)), lambda batch: batch[1]),
        (Subset(with_weights(table), range(ROWS)), lambda batch: batch["weight"]),
    ):
        weights = torch.cat([weights_of(batch) for batch in DataLoader(data, **options)])
        assert weights.dtype == torch.float32
        assert weights.tolist() == WEIGHTS


def test_a_view_with_weights_is_a_view(table):
    view = with_weights(table)
    assert (len(view), view.source.url, view.url) == (ROWS, table.url, table.url)
    assert view[-1]["weight"] == WEIGHTS[-1]
    assert "weight" not in table[0]
    assert "with_weights(" in repr(view)
    run = tlc.init("weights")
    tlc.collect_metrics(view, lambda batch, _: {"seen": batch["weight"]})
    assert run.metrics(table=table)["seen"].to_pylist() == WEIGHTS


def test_a_transform_can_come_later(table):
    view = with_weights(table).with_transform(lambda sample: sample["weight"])
    assert [float(weight) for weight in view] == WEIGHTS


def test_it_travels_without_the_weights(table):
    view = with_weights(table.with_transform(as_pair))
    sent = pickle.dumps(view)
    assert len(sent) < 1000
    assert pickle.loads(sent)[5][2] == WEIGHTS[5]


def test_edited_weights_are_those_of_the_newest_revision(table):
    table.set_values("weight", [1], [7.5])
    assert with_weights(table)[1]["weight"] == 1.0
    assert with_weights(table.latest())[1]["weight"] == 7.5


def test_what_has_no_weights_is_told(plain, table):
    with pytest.raises(WeightError, match="no column of weights"):
        with_weights(plain.with_transform(as_pair))
    with pytest.raises(WeightError, match="not of 'ColumnsView'"):
        with_weights(table.columns_view())


def test_another_weight_is_not_overwritten(plain):
    named = plain.add_column("counts", WEIGHTS, tlc.schemas.SampleWeightSchema())
    assert with_weights(named)[2]["weight"] == WEIGHTS[2]
    with pytest.raises(WeightError, match=r"row 2 .*another 'weight'"):
        with_weights(named.with_transform(with_other_weight))[2]


def test_the_mean_is_that_of_numpy():
    losses, weights = torch.rand(7), torch.rand(7, dtype=torch.float64)
    found = weighted_mean(losses, weights)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(np.average(losses, weights=weights), rel=1e-6)
    assert weighted_mean(losses, None) == losses.mean()
    pixels = torch.rand(7, 3, 5)
    means = weighted_mean(pixels.mean((1, 2)), weights)
    assert float(weighted_mean(pixels, weights)) == pytest.approx(float(means), rel=1e-6)


def test_a_batch_that_does_not_count_changes_nothing():
    losses = torch.rand(3, requires_grad=True)
    mean = weighted_mean(losses, torch.zeros(3))
    mean.backward()
    assert mean == 0
    assert losses.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("losses", "weights"), [((), (3,)), ((3,), (2,)), ((3, 1), (3, 1)), ((3,), ()), ((), None)]
)
def test_losses_and_weights_that_do_not_fit_are_told(losses, weights):
    with pytest.raises(WeightError, match="do not fit"):
        weighted_mean(torch.rand(losses), None if weights is None else torch.rand(weights))


@pytest.mark.parametrize("accumulated", [1, 3])
@pytest.mark.parametrize("kind", [transformers.Trainer, Trainer])
def test_a_step_of_hugging_face_is_that_of_weighted_losses(table, tmp_path, kind, accumulated):
    model, by_hand = Linear(), Linear()
    options = arguments(
        str(tmp_path),
        per_device_train_batch_size=ROWS // accumulated,
        gradient_accumulation_steps=accumulated,
        max_steps=1,
        optim="sgd",
        learning_rate=1.0,
        max_grad_norm=0.0,
        remove_unused_columns=False,
        eval_strategy="no",
    )
    own = {"weighted": False, "exclude_zero_weights_train": False} if kind is Trainer else {}
    trainer = kind(
        model,
        options,
        train_dataset=with_weights(table),
        eval_dataset=table,
        compute_loss_func=WeightedLoss(model, cross_entropy),
        **own,
    )
    trainer.train()
    x, labels = torch.as_tensor(np.stack([s["x"] for s in table])), [s["label"] for s in table]
    losses = cross_entropy(by_hand.layer(x), torch.tensor(labels), reduction="none")
    (losses * torch.tensor(WEIGHTS)).mean().backward()
    for found, start in zip(model.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(found.detach(), (start - start.grad).detach())
    with torch.no_grad():
        losses = cross_entropy(model.layer(x), torch.tensor(labels), reduction="none")
    # Nothing weighs the data of an evaluation that has no weights.
    assert trainer.evaluate()["eval_loss"] == pytest.approx(float(losses.mean()), rel=1e-5)


def test_without_a_count_of_labels_the_loss_is_the_weighted_mean(table):
    model = Linear()
    batch = next(iter(DataLoader(with_weights(table), 5)))
    loss = WeightedLoss(model, cross_entropy)
    logits = model(x=batch["x"], weight=batch["weight"])["logits"]
    losses = cross_entropy(logits, batch["label"], reduction="none")
    assert loss((logits,), batch["label"]) == weighted_mean(losses, batch["weight"])
