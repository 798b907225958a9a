"""A plain loop of PyTorch, on tables."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import torch
from torch.utils.data import DataLoader

import tlc
from tlc.integration.torch import training_run
from tlc.testing import AdapterContract


def as_pair(sample):
    return torch.as_tensor(sample["x"]), sample["label"]


def fit(model, loader, training):
    """Train for an epoch."""
    optimizer = torch.optim.SGD(model.parameters(), training.learning_rate)
    for number, (x, labels) in enumerate(loader, 1):
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        if number % training.accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()


class TestTorch(AdapterContract):
    def train(self, training):
        torch.manual_seed(0)
        model = torch.nn.Linear(8, 2)
        view = training.table.with_transform(as_pair)
        options = {"batch_size": training.batch_size, "num_workers": training.workers}
        loader = DataLoader(view, shuffle=True, drop_last=training.drop_last, **options)
        saved = Path(training.folder or "none") / "newest.pt"
        first = 0
        if saved.exists():
            first, state = torch.load(saved)
            model.load_state_dict(state)
        parameters = {"lr": training.learning_rate}
        collects = training.collectors is not None
        with training_run(view, training.run, parameters) if collects else nullcontext() as run:
            for epoch in range(first, training.epochs):
                fit(model, loader, training)
                if training.folder:
                    saved.parent.mkdir(exist_ok=True)
                    torch.save((epoch + 1, model.state_dict()), saved)
                if collects:
                    tlc.collect_metrics(
                        view,
                        training.collectors,
                        model,
                        {"epoch": epoch},
                        run_url=run,
                        dataloader_args=options,
                    )
        return {name: each.detach().numpy() for name, each in model.named_parameters()}


def test_a_run_of_a_loop_has_its_parameters_and_the_project_of_the_table():
    table = tlc.Table.from_dict({"x": [1.0]}, project_name="loops")
    with training_run(table, parameters={"lr": 0.5}) as run:
        assert run.status_name == "running"
        assert run.project_name == "loops"
    assert run.parameters == {"lr": 0.5}
    assert run.status_name == "completed"
    assert tlc.active_run() is None
