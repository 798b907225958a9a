from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import Subset

from tlc.errors import MetricsError, WeightError
from tlc.metrics import Collection, collect_metrics
from tlc.metrics._origin import Origin
from tlc.run import active_run

COUNT = 10


def label_of(batch, predictor_output):
    return {"y": batch["label"]}


def written(name):
    return active_run().metrics_tables[-1].get_column_as_pyarrow_array(name).to_pylist()


@pytest.mark.parametrize("indices", [[7, 8, 5], np.array([7, 8, 5]), torch.tensor([7, 8, -5])])
@pytest.mark.parametrize("given", [False, True])
def test_metrics_of_a_subset_are_about_the_rows_it_takes(view, table, indices, given):
    arguments = {"foreign_table_url": table.url} if given else {}
    collect_metrics(Subset(view, indices), label_of, dataloader_args={"batch_size": 2}, **arguments)
    assert written("example_id") == [7, 8, 5]
    assert written("y") == [row % 3 for row in (7, 8, 5)]
    assert active_run().input_tables == [table.url]


def test_subsets_of_subsets(table):
    collect_metrics(Subset(Subset(table, range(2, 8)), [5, 0]), label_of)
    assert written("example_id") == [7, 2]
    assert active_run().project_name == table.project_name


def test_zero_weights_of_a_subset_are_left_out(view):
    collect_metrics(Subset(view, [8, 7, 6, 3]), label_of, exclude_zero_weights=True)
    assert written("example_id") == [7, 3]
    assert written("y") == [1, 0]


def test_subsets_of_other_datasets_have_no_weights(table):
    other = Subset(list(range(99)), range(COUNT))
    with pytest.raises(WeightError):
        collect_metrics(other, label_of, exclude_zero_weights=True, foreign_table_url=table.url)


def test_subsets_of_other_datasets_are_numbered_as_they_are():
    assert Origin.of(Subset([1, 2, 3], [2])).rows is None


def test_an_empty_subset_has_no_rows(table):
    assert Origin.of(Subset(table, [])).rows.tolist() == []


@pytest.mark.parametrize("samples", [[1], Subset(list(range(COUNT)), [7, 8, 9])])
def test_other_datasets_must_be_as_long_as_the_table(table, samples):
    message = f"{len(samples)} samples, but the table .* has {COUNT} rows"
    with pytest.raises(MetricsError, match=message):
        Collection(samples, label_of, foreign_table_url=table.url)


def test_numbers_of_a_subset_are_checked_by_length_of_its_table(table):
    other = table.from_dict({"x": [0.0] * 3}, project_name="project", table_name="other")
    with pytest.raises(MetricsError, match=r"10 samples, but the table .* has 3 rows"):
        Collection(Subset(table, [7, 8, 9]), label_of, foreign_table_url=other.url)
