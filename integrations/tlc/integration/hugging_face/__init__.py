"""Hugging Face `transformers`: a `Trainer` that takes tables and collects metrics per sample."""

from __future__ import annotations

from tlc.integration.hugging_face.tracking import TrackingCallback
from tlc.integration.hugging_face.trainer import TLCTrainer, Trainer

__all__ = ["TLCTrainer", "TrackingCallback", "Trainer"]
