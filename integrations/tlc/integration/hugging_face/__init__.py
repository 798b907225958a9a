"""Hugging Face `transformers`: trainers that take tables and collect metrics per sample."""

from __future__ import annotations

from tlc.integration.hugging_face.callback import MetricsCollectionCallback
from tlc.integration.hugging_face.language_model import LanguageModelMetricsCollector
from tlc.integration.hugging_face.mixin import MetricsCollectionMixin
from tlc.integration.hugging_face.tracking import TrackingCallback
from tlc.integration.hugging_face.trainer import Seq2SeqTrainer, TLCTrainer, Trainer

__all__ = [
    "LanguageModelMetricsCollector",
    "MetricsCollectionCallback",
    "MetricsCollectionMixin",
    "Seq2SeqTrainer",
    "TLCTrainer",
    "TrackingCallback",
    "Trainer",
]
