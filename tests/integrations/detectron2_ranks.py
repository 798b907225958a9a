"""A training of two processes, with the url of a table, a COCO file, and a folder to write to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from tests.integrations.detectron2_models import CLASSES, config, detectron2, number

from tlc.integration.detectron2 import (
    BoundingBoxMetricsCollector,
    DetectronMetricsCollectionHook,
    MetricsCollectionEvaluator,
    MetricsCollectionHook,
    build_train_loader,
    register_coco_instances,
    register_table,
)


class Noting:
    """A loader that notes the rows it gives."""

    def __init__(self, loader):
        self.loader = loader
        self.rows = []

    def __iter__(self):
        for batch in self.loader:
            self.rows += [each["example_id"] for each in batch]
            yield batch


def train(table, coco, folder):
    torch.set_num_threads(1)
    detectron2.utils.comm.synchronize()
    register_coco_instances("fresh", {}, coco, Path(coco).parent / "images")
    fresh = detectron2.data.MetadataCatalog.get("fresh").latest_tlc_table_url
    register_table("rows", table)
    cfg = config(folder, SEED=3)
    model = detectron2.modeling.build_model(cfg)
    loader = Noting(build_train_loader(cfg))
    parallel = torch.nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)
    optimizer = torch.optim.SGD(model.parameters(), 0.001)
    trainer = detectron2.engine.SimpleTrainer(parallel, loader, optimizer)
    results = []

    def evaluate():
        tests = detectron2.data.build_detection_test_loader(cfg, "rows")
        evaluator = MetricsCollectionEvaluator("rows", number, split="val")
        found = detectron2.evaluation.inference_on_dataset(parallel, tests, evaluator)
        results.append(found)
        return found

    collectors = [number, BoundingBoxMetricsCollector(CLASSES, {0: 0, 1: 1})]
    trainer.register_hooks(
        [
            detectron2.engine.hooks.EvalHook(2, evaluate),
            MetricsCollectionHook("rows", collectors, cfg=cfg, collection_frequency=2),
            DetectronMetricsCollectionHook(cfg=cfg, collection_frequency=1),
        ]
    )
    trainer.train(0, 4)
    rank = detectron2.utils.comm.get_rank()
    Path(folder, f"{rank}.json").write_text(json.dumps([loader.rows, results, fresh]))


if __name__ == "__main__":
    detectron2.engine.launch(train, 2, dist_url="auto", args=tuple(sys.argv[1:]))
