from __future__ import annotations

import pytest
import torch

from tlc.metrics import (
    ClassificationMetricsCollector,
    EmbeddingsMetricsCollector,
    FunctionalMetricsCollector,
    PredictorOutput,
    SegmentationMetricsCollector,
)
from tlc.testing.collector_contract import CollectorContract


class TestClassification(CollectorContract):
    @pytest.fixture
    def collector(self):
        return ClassificationMetricsCollector(classes=["a", "b"])

    @pytest.fixture
    def batch(self):
        return {"image": torch.zeros(3, 1), "label": torch.tensor([0, 1, 1])}

    @pytest.fixture
    def predictor_output(self):
        return PredictorOutput(torch.tensor([[1.0, 2.0], [0.0, 4.0], [3.0, 0.0]]))


class TestEmbeddings(CollectorContract):
    @pytest.fixture
    def collector(self):
        return EmbeddingsMetricsCollector([1, 2], {1: "flatten", 2: "avg_pool_2_2"})

    @pytest.fixture
    def batch(self):
        return torch.zeros(2, 3)

    @pytest.fixture
    def predictor_output(self):
        return PredictorOutput(None, {1: torch.ones(2, 4, 3), 2: torch.ones(2, 4, 4, 4)})


class TestSegmentation(CollectorContract):
    @pytest.fixture
    def collector(self):
        return SegmentationMetricsCollector(label_map={0: "a", 1: "b"})

    @pytest.fixture
    def batch(self):
        return torch.zeros(2, 3, 4, 4), torch.tensor([[[0, 1]], [[1, 1]]])

    @pytest.fixture
    def predictor_output(self):
        return PredictorOutput(torch.tensor([[[0, 0]], [[1, 1]]]))


def brightness(batch, predictor_output):
    return {"brightness": batch.mean(dim=1), "vector": batch}


class TestFunctional(CollectorContract):
    @pytest.fixture
    def collector(self):
        return FunctionalMetricsCollector(brightness)

    @pytest.fixture
    def batch(self):
        return torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])

    @pytest.fixture
    def predictor_output(self):
        return None


def keeps_on_growing(batch, predictor_output):
    keeps_on_growing.calls += 1
    return {"x": [float(keeps_on_growing.calls)] * len(batch)}


keeps_on_growing.calls = 0


def test_the_contract_finds_state_between_batches():
    suite = CollectorContract()
    collector = FunctionalMetricsCollector(keeps_on_growing)
    columns = collector([1, 2], None)
    with pytest.raises(AssertionError):
        suite.test_batches_do_not_influence_each_other(collector, [1, 2], None, columns, 2)


def test_the_contract_finds_tensors():
    with pytest.raises(AssertionError):
        CollectorContract().test_values_are_on_the_cpu({"x": [{"y": torch.ones(1)}]})
