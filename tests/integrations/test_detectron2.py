"""Detectron2's own trainer passes the contract of adapters."""

from __future__ import annotations

from math import ceil
from tempfile import TemporaryDirectory

import pytest
from tests.integrations.detectron2_models import (
    CLASSES,
    Trainer,
    config,
    detectron2,
    number,
    table_of_boxes,
)

from tlc.integration.detectron2 import (
    BoundingBoxMetricsCollector,
    MetricsCollectionHook,
    register_table,
)
from tlc.testing import AdapterContract
from tlc.testing.adapter_contract import ROWS


class TestDetectron2(AdapterContract):
    @pytest.fixture
    def table(self, tmp_path):
        return table_of_boxes(tmp_path, ROWS, project_name="adapters")

    def numbers(self, batch, _):
        return number(batch)

    def collector(self):
        return BoundingBoxMetricsCollector(CLASSES, {0: 0, 1: 1})

    def train(self, training):
        detectron2.utils.env.seed_all_rng(0)
        register_table("rows", training.table)
        often = ceil(ROWS / training.batch_size)
        with TemporaryDirectory() as folder:
            cfg = config(
                training.folder or folder,
                DATALOADER__NUM_WORKERS=training.workers,
                SOLVER__IMS_PER_BATCH=training.batch_size,
                SOLVER__MAX_ITER=often * training.epochs,
                SOLVER__BASE_LR=training.learning_rate,
                SOLVER__CHECKPOINT_PERIOD=often,
            )
            trainer = Trainer(cfg)
            trainer.accumulate = training.accumulate
            if training.collectors is not None:
                hook = MetricsCollectionHook(
                    "rows",
                    training.collectors,
                    collection_frequency=often,
                    metric_collection_batch_size=training.batch_size,
                    run=training.run,
                )
                trainer.register_hooks([hook])
            trainer.resume_or_load(resume=bool(training.folder))
            trainer.train()
        return {name: each.detach().numpy() for name, each in trainer.model.named_parameters()}
