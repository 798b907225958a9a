"""Arguments of the callback for SuperGradients."""

from __future__ import annotations

import sys

import pytest

import tlc
from tlc.errors import CollectorError, MissingExtraError, OptionError
from tlc.integration.super_gradients import MetricsCollectionCallback, PipelineParams


@pytest.mark.parametrize(
    "arguments",
    [
        {"collect_on": "often"},
        {"collect_on": "validation"},
        {"metrics_collectors": len, "collect_embeddings": True},
        {"metrics_collectors": len, "pipeline_params": {"conf": 0.5}},
        {"batch_size": 0},
        {"inference_chunk_size": 1.5},
        {"embeddings_method": "tsne"},
        {"embeddings_dim": 0},
        {"pipeline_params": {"confidence": 0.5}},
        {"dataloader_args": {"batch_size": 2}},
        {"dataloader_args": {"collate_fn": len}},
    ],
    ids=str,
)
def test_arguments_that_are_not_possible_are_refused(arguments):
    with pytest.raises(OptionError):
        MetricsCollectionCallback(**arguments)


def test_a_reducer_that_is_not_installed_is_named_before_training(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"umap.*opentlc\[reduction\]"):
        MetricsCollectionCallback(collect_embeddings=True, embeddings_method="umap")
    MetricsCollectionCallback(embeddings_method="umap")  # there is nothing to reduce


def test_metrics_are_computed_only_while_they_are_collected():
    table = tlc.Table.from_dict({"image": [1]}, project_name="super")
    with pytest.raises(CollectorError, match="only while it collects"):
        MetricsCollectionCallback().compute_metrics([], [], table)


def test_parameters_of_the_pipeline_are_left_to_the_model_unless_given():
    assert PipelineParams(conf=0.25, class_agnostic_nms=False).given() == {
        "conf": 0.25,
        "class_agnostic_nms": False,
    }
    assert PipelineParams() == PipelineParams.of(None) == PipelineParams.of({})
