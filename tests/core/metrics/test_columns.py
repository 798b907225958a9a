from __future__ import annotations

import numpy as np
import pytest
import torch

from tlc.errors import CollectorError
from tlc.metrics.columns import as_columns


def test_values_come_to_the_cpu_and_keep_their_own_memory():
    tensor, array = torch.ones(2, requires_grad=True), np.ones((2, 3), dtype=np.float16)
    columns = as_columns(
        {
            "t": tensor,
            "a": array,
            "l": [torch.tensor(1), torch.ones(3)],
            "n": [np.array(1.5), np.array(2)],
            "s": np.array(["a", "b"]),
        },
        count=2,
        collector="mine",
    )
    with torch.no_grad():
        tensor.zero_()
    array[:] = 0
    assert columns["t"].tolist() == [1.0, 1.0]
    assert columns["a"].dtype == np.float32
    assert columns["a"].sum() == 6
    assert columns["l"][0] == 1
    assert columns["l"][1].tolist() == [1.0, 1.0, 1.0]
    assert [type(value) for value in columns["n"]] == [float, int]
    assert columns["s"] == ["a", "b"]


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([1, 2], "mine returned 'list'"),
        ({1: [1, 2]}, "a column called 1"),
        ({"x": [1]}, "mine returned 1 values for column 'x', expected 2"),
        ({"x": torch.tensor(1.0)}, "a single number for column 'x'[.] Hint: .*reduction='none'"),
        ({"x": 1.0}, "a value of type 'float' for column 'x'"),
        ({"x": "ab"}, "a value of type 'str' for column 'x'"),
    ],
)
def test_errors(metrics, message):
    with pytest.raises(CollectorError, match=message):
        as_columns(metrics, count=2, collector="mine")
