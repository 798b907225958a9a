from __future__ import annotations

import pytest
from PIL import Image

from tlc.schemas import CategoricalLabelSchema, SampleWeightSchema
from tlc.table import Table


@pytest.fixture
def table():
    """Three rows: numbers, labels with a hidden weight, lists."""
    return Table.from_dict(
        {
            "n": [1, 2, 3],
            "label": [0, 1, 0],
            "boxes": [[1.0], [], [2.0, 3.0]],
            "weight": [1.0, 0.5, 0.0],
        },
        schema={
            "label": CategoricalLabelSchema(classes=["cat", "dog"]),
            "weight": SampleWeightSchema(),
        },
        table_name="first",
        dataset_name="d",
        project_name="p",
    )


@pytest.fixture
def pictures():
    """Images of one colour each, without files."""
    return [Image.new("RGB", (3, 2), (number, 0, 0)) for number in range(3)]
