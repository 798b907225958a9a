from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tlc.schemas import CategoricalLabelSchema, SampleWeightSchema
from tlc.table import Table

COUNT = 10


@pytest.fixture
def table():
    generator = np.random.default_rng(0)
    return Table.from_dict(
        {
            "x": generator.normal(size=(COUNT, 3)).tolist(),
            "label": [i % 3 for i in range(COUNT)],
            "weight": [float(i % 2) for i in range(COUNT)],
        },
        schema={
            "label": CategoricalLabelSchema(classes=["a", "b", "c"]),
            "weight": SampleWeightSchema(),
        },
        project_name="project",
        dataset_name="data",
        table_name="table",
    )


def to_tensors(sample):
    return {"x": torch.tensor(sample["x"], dtype=torch.float32), "label": sample["label"]}


@pytest.fixture
def view(table):
    return table.with_transform(to_tensors)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 3))
