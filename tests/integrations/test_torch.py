"""A plain loop of PyTorch, on tables."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch.utils.data import DataLoader

import tlc
from tlc.integration.torch import training_run
from tlc.testing import AdapterContract


def as_pair(sample):
    return torch.as_tensor(sample["x"]), sample["label"]


class TestTorch(AdapterContract):
    def train(self, training):
        torch.manual_seed(0)
        model = torch.nn.Linear(8, 2)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        view = training.table.with_transform(as_pair)
        options = {"batch_size": training.batch_size, "num_workers": training.workers}
        loader = DataLoader(view, shuffle=True, **options)
        collects = training.collectors is not None
        with training_run(view, training.run) if collects else nullcontext() as run:
            for epoch in range(training.epochs):
                for x, labels in loader:
                    optimizer.zero_grad()
                    torch.nn.functional.cross_entropy(model(x), labels).backward()
                    optimizer.step()
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
