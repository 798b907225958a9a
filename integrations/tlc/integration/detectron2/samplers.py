"""Weights of a table as repeat factors of the rows that Detectron2 trains on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc._optional import require
from tlc.constants import EXAMPLE_ID
from tlc.errors import WeightError
from tlc.integration.detectron2._package import detectron2
from tlc.integration.detectron2.datasets import registered_table
from tlc.samplers.weights import read_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["build_train_loader", "create_training_sampler"]

_build: Any = detectron2("data.build")

Record = dict[str, Any]


def build_train_loader(cfg: Any, mapper: Any = None, *, weighted: bool = True) -> Any:
    """Return a training loader that draws rows by the weights of their tables.

    It is what a trainer's ``build_train_loader`` can return; all else is as the config says.

    Args:
        cfg: The config.
        mapper: Makes a sample of a record. Default: ``DatasetMapper(cfg, is_train=True)``.
        weighted: Whether weights decide how often a row comes, not only whether.

    Raises:
        WeightError: See `create_training_sampler`.
    """
    records, sampler = _drawn(cfg, weighted=weighted)
    return _build.build_detection_train_loader(cfg, mapper=mapper, dataset=records, sampler=sampler)


def create_training_sampler(cfg: Any, *, weighted: bool = True) -> Any:
    """Return a sampler for ``build_detection_train_loader(cfg, sampler=...)``.

    It is Detectron2's `RepeatFactorTrainingSampler`, an endless stream which all ranks share. In an
    epoch each row comes as often as its weight says: one of 2.5 two or three times, and 2.5 times
    on average; one of zero never. Rows are told by their ids, so it is no matter which of them the
    config leaves out. `build_train_loader` reads the records only once.

    Args:
        cfg: The config. Rows of datasets that are no tables, or have no weights, have a weight of
            one.
        weighted: Whether weights decide how often a row comes, not only whether.

    Raises:
        WeightError: Weights cannot be used, or those of all rows that are left are zero.
    """
    return _drawn(cfg, weighted=weighted)[1]


def _drawn(cfg: Any, *, weighted: bool) -> tuple[list[Record], Any]:
    records, factors = [], []
    for place, name in enumerate(cfg.DATASETS.TRAIN):
        found = _build.get_detection_dataset_dicts(name, **_filter(cfg, place))
        records += found
        factors += _factors(name, found, weighted=weighted)
    if not any(factors):
        raise WeightError(
            "The weights of all rows are zero, or the config leaves out those that are not.",
            hint="give at least one row with annotations a weight above zero.",
        )
    torch = require("torch", extra="torch", purpose="to train")
    sampler = _build.RepeatFactorTrainingSampler(
        torch.tensor(factors, dtype=torch.float32), seed=cfg.SEED if cfg.SEED >= 0 else None
    )
    return records, sampler


def _filter(cfg: Any, place: int) -> Mapping[str, Any]:
    """Return which records of a dataset are kept, as `build_detection_train_loader` reads it."""
    head, files = cfg.MODEL.ROI_KEYPOINT_HEAD, cfg.DATASETS.PROPOSAL_FILES_TRAIN
    return {
        "filter_empty": cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS,
        "min_keypoints": head.MIN_KEYPOINTS_PER_IMAGE if cfg.MODEL.KEYPOINT_ON else 0,
        "proposal_files": files[place : place + 1] if cfg.MODEL.LOAD_PROPOSALS else None,
    }


def _factors(name: str, records: Sequence[Record], *, weighted: bool) -> list[float]:
    table = registered_table(name)
    if table is None or table.weights_column_name is None:
        return [1.0] * len(records)
    weights = np.asarray(read_weights(table), np.float64)
    if not weighted:
        weights = (weights > 0).astype(np.float64)
    found: list[float] = weights[[each[EXAMPLE_ID] for each in records]].tolist()
    return found
