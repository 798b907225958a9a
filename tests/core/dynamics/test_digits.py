"""Wrong labels in real data: which score finds those that were planted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from torch import nn

from tlc import dynamics
from tlc.metrics import ClassificationMetricsCollector, collect_metrics
from tlc.run import init
from tlc.schemas import CategoricalLabelSchema
from tlc.table import Table

EPOCHS, WRONG, SEED = 20, 0.05, 3


def sample_to_pair(sample):
    return torch.tensor(sample["pixels"], dtype=torch.float32) / 16, sample["label"]


def probabilities(batch, predictor_output):
    return {"probabilities": predictor_output.forward.softmax(dim=1).numpy()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small network trained on the digits with 5 % of the labels exchanged.

    Returns:
        The run, its table, which labels are wrong, and the right labels.
    """
    data, monkeypatch = load_digits(), pytest.MonkeyPatch()
    rng = np.random.default_rng(SEED)
    is_wrong = np.zeros(len(data.target), bool)
    is_wrong[rng.choice(len(is_wrong), round(WRONG * len(is_wrong)), replace=False)] = True
    labels = data.target.copy()
    labels[is_wrong] = (labels[is_wrong] + rng.integers(1, 10, is_wrong.sum())) % 10
    schema = {"label": CategoricalLabelSchema([str(digit) for digit in range(10)])}
    columns = {"pixels": data.data.astype(np.float32), "label": labels}
    root = tmp_path_factory.mktemp("digits")
    table = Table.from_dict(columns, schema, table_name="digits", root_url=root)
    run = init("digits", root_url=root)
    monkeypatch.setenv("TLC_DISPLAY_PROGRESS", "false")
    train(table, torch.tensor(data.data, dtype=torch.float32) / 16, torch.tensor(labels))
    run.set_status_completed()
    monkeypatch.undo()
    return run, table, is_wrong, data.target


def train(table, pixels, labels):
    """Train a perceptron with one hidden layer, and collect metrics after each epoch."""
    torch.manual_seed(SEED)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    view = table.with_transform(sample_to_pair)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(labels)).split(32):
            loss = nn.functional.cross_entropy(model(pixels[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        collect_metrics(
            view,
            [ClassificationMetricsCollector(compute_aggregates=False), probabilities],
            model,
            split="train",
            constants={"epoch": epoch},
            dataloader_args={"batch_size": 256},
        )


def ranking(run):
    """Return for each score how suspicious it finds each row: higher is more."""
    cartography, aum = dynamics.cartography(run), dynamics.aum(run)
    el2n, forgetting = dynamics.el2n(run), dynamics.forgetting(run)
    losses, issues = dynamics.loss_trajectory(run), dynamics.label_issues(run)
    events = forgetting["forgetting_events"]
    return {
        "confidence": -cartography["confidence"],
        "variability": cartography["variability"],
        "correctness": -cartography["correctness"],
        "aum": -aum["aum"],
        "el2n": el2n["el2n"],
        "forgetting_events": np.where(forgetting["never_learnt"], events.max() + 1, events),
        "loss_mean": losses["loss_mean"],
        "loss_slope": losses["loss_slope"],
        "label_quality": -issues["label_quality"],
        "is_label_issue": issues["is_label_issue"],
    }


def test_scores_find_wrong_labels(trained):
    run, _, is_wrong, _ = trained
    found = {n: average_precision_score(is_wrong, v) for n, v in ranking(run).items()}
    for name in ("confidence", "aum", "el2n", "loss_mean", "label_quality"):
        assert found[name] >= 0.95, name
    for name in ("correctness", "forgetting_events"):
        assert found[name] >= 0.8, name


def test_proposals_are_right(trained):
    run, _, is_wrong, truth = trained
    found = dynamics.suggest(run)
    hits = is_wrong[found.rows]
    assert hits.mean() >= 0.6
    assert hits.sum() / is_wrong.sum() >= 0.95
    is_right = (found.proposed == truth[found.rows])[found.is_sure]
    assert len(is_right) >= 0.7 * is_wrong.sum()
    assert is_right.mean() >= 0.95


def test_label_issues_are_wrong_labels_and_stored_columns_nearly_suffice(trained):
    run, _, is_wrong, truth = trained
    exact = dynamics.label_issues(run, epochs=10, probabilities="probabilities")
    stored = dynamics.label_issues(run, epochs=10)
    for found in (exact, stored):
        issues = found["is_label_issue"]
        assert is_wrong[issues].mean() >= 0.9
        assert issues[is_wrong].mean() >= 0.5
        assert (found["suggested_label"] == truth)[issues & is_wrong].mean() >= 0.95
    assert not (stored["is_label_issue"] & ~exact["is_label_issue"]).any()
