"""Metrics of classifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc._optional import require
from tlc.constants import ACCURACY, CONFIDENCE, LOSS, PREDICTED
from tlc.errors import CollectorError
from tlc.metrics._inputs import LABEL_NAMES
from tlc.metrics._tensors import is_tensor
from tlc.metrics.aggregators import Aggregator, MeanAggregator
from tlc.metrics.collectors._predictions import forward_of, labels_of, scores_of
from tlc.metrics.collectors._softmax import labelled_softmax
from tlc.metrics.collectors.metrics_collector_base import MetricsCollector, PreprocessFn
from tlc.schemas import (
    BoolSchema,
    CategoricalLabelSchema,
    ConfidenceSchema,
    Float32Schema,
    Int32Schema,
    ProbabilitySchema,
)

if TYPE_CHECKING:
    import torch

    from tlc.schemas import Schema

__all__ = ["IGNORED_LABEL", "ClassificationMetricsCollector"]

IGNORED_LABEL = -100
"""Label of samples that have none, as torch's losses and Hugging Face write it."""

CORRECT = "correct"
LABEL_PROB = "label_prob"
LABEL_LOGIT = "label_logit"
MAX_OTHER_LOGIT = "max_other_logit"
EL2N = "el2n"


class ClassificationMetricsCollector(MetricsCollector):
    """Per-sample metrics of a model that returns one row of logits per sample.

    ================= ======= ===================================================================
    column            type    value
    ================= ======= ===================================================================
    `loss`            float32 cross-entropy in nats, or what `loss_fn` returns
    `predicted`       int32   index of the largest logit, the first if several are equal
    `accuracy`        float32 1 if the prediction is the label, else 0
    `confidence`      float32 softmax probability of the prediction
    `label_prob`      float32 softmax probability of the label
    `label_logit`     float32 logit of the label
    `max_other_logit` float32 largest logit among the classes that are not the label
    `el2n`            float32 Euclidean norm of the softmax minus the one-hot label
    `correct`         bool    whether the prediction is the label
    ================= ======= ===================================================================

    With these, stored over epochs, `tlc.dynamics` finds samples that are hard, ambiguous, forgotten
    or labelled wrong. `el2n` is the error of M. Paul et al., "Deep Learning on a Data Diet",
    NeurIPS 2021.

    *Logits* are the model's output itself, its ``.logits``, its ``["logits"]`` or its first
    element, of shape (B, C). Shapes (B,) and (B, 1) are those of a binary classifier, whose one
    logit z stands for the logits (0, z) of the classes 0 and 1: the softmax is then the sigmoid of
    z. *Labels* are the entry of the batch called ``label``, ``labels``, ``target``, ``y`` ..., or
    its second element: one class index per sample.

    The label -100 means that there is none: `loss`, `accuracy`, `label_prob`, `label_logit`,
    `max_other_logit` and `el2n` are NaN and stay out of the averages, `correct` is false. Where a
    model knows only one class, `max_other_logit` is NaN.

    Args:
        classes: Names of the classes, by index: a list, or a dict of index to name or `MapElement`.
        loss_fn: Gets logits (B, C) and labels (B,), and returns the losses (B,). Of a binary
            classifier it gets the single logits (B,), and the labels as floats (B,). Samples
            without label get -100, or 0 if binary; their losses are not used. Default:
            cross-entropy.
        compute_aggregates: Whether to average the columns, apart from `predicted` and `correct`.
        preprocess_fn: Changes batch and predictions first; see `MetricsCollector`.
    """

    def __init__(
        self,
        classes: Any = None,
        loss_fn: Callable[[Any, Any], Any] | None = None,
        compute_aggregates: bool = True,
        preprocess_fn: PreprocessFn | None = None,
    ) -> None:
        super().__init__(preprocess_fn=preprocess_fn, compute_aggregates=compute_aggregates)
        self.classes = classes
        self.loss_fn = loss_fn

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """Schemas of all columns; `predicted` is a category if the classes are known."""
        predicted: Schema = Int32Schema(writable=False)
        if self.classes is not None:
            predicted = CategoricalLabelSchema(classes=self.classes, writable=False)
        return {
            LOSS: Float32Schema(writable=False),
            PREDICTED: predicted,
            ACCURACY: Float32Schema(writable=False),
            CONFIDENCE: ConfidenceSchema(writable=False),
            LABEL_PROB: ProbabilitySchema(writable=False),
            LABEL_LOGIT: Float32Schema(writable=False),
            MAX_OTHER_LOGIT: Float32Schema(writable=False),
            EL2N: Float32Schema(writable=False),
            CORRECT: BoolSchema(writable=False),
        }

    def new_aggregator(self) -> Aggregator:
        """Return means of all columns but class indices, and `correct`, which is `accuracy`."""
        return MeanAggregator(skip=(PREDICTED, CORRECT))

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return the columns as arrays, each of shape (B,).

        Raises:
            CollectorError: Logits or labels are missing or of a wrong shape, or a label is no class
                of the model; the message says at which position in the batch.
        """
        torch = _torch()
        given = self._logits(forward_of(predictor_output, self.name))
        binary = given.ndim == 1
        logits = torch.stack((torch.zeros_like(given), given), dim=1) if binary else given
        labels, absent = self._labels(batch, logits)
        found = labelled_softmax(logits, labels)
        loss = found.cross_entropy
        if self.loss_fn is not None:
            loss = _custom_loss(self.loss_fn, given, labels, absent).cpu().numpy()
        missing = None if absent is None else absent.cpu().numpy()
        correct = found.correct if missing is None else found.correct & ~missing

        def of_label(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            return values if missing is None else np.where(missing, np.nan, values)

        return {
            LOSS: of_label(loss),
            PREDICTED: found.predicted.astype(np.int32),
            ACCURACY: of_label(correct.astype(np.float32)),
            CONFIDENCE: found.confidence,
            LABEL_PROB: of_label(found.label_prob),
            LABEL_LOGIT: of_label(found.label_logit),
            MAX_OTHER_LOGIT: of_label(found.max_other_logit),
            EL2N: of_label(found.el2n),
            CORRECT: correct,
        }

    def _logits(self, forward: Any) -> torch.Tensor:
        """Return logits as float32, of shape (B, C), or (B,) of a binary classifier."""
        scores = scores_of(forward)
        if not is_tensor(scores) and not hasattr(scores, "__array__"):
            raise CollectorError(
                f"{self.name} found no logits in a model output of type {type(scores).__name__!r}.",
                hint="return them from a preprocess_fn: (batch, logits).",
            )
        logits: torch.Tensor = _torch().as_tensor(scores).detach().float()
        if logits.ndim not in (1, 2):
            raise CollectorError(
                f"{self.name} got logits of shape {tuple(logits.shape)}, not (B, classes).",
                hint="give one row of logits per sample, from a preprocess_fn if need be.",
            )
        one_class = self.classes is not None and len(self.classes) == 1
        binary = logits.ndim == 2 and logits.shape[1] == 1 and not one_class
        return logits.squeeze(1) if binary else logits

    def _labels(self, batch: Any, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return class indices (B,), 0 where there is none, and where that is, if anywhere."""
        found = labels_of(batch)
        if found is None:
            keys = f" among {', '.join(map(repr, batch))}" if isinstance(batch, Mapping) else ""
            raise CollectorError(
                f"{self.name} found no labels in the batch{keys}.",
                hint=f"call them one of {', '.join(LABEL_NAMES)}, or give (inputs, labels).",
            )
        labels = _torch().as_tensor(found).detach().to(logits.device)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels.squeeze(1)
        if labels.shape != logits.shape[:1]:
            raise CollectorError(
                f"{self.name} got labels of shape {tuple(labels.shape)} and {len(logits)} rows of"
                " logits.",
                hint="give one class index per sample.",
            )
        return self._checked(labels, logits.shape[1])

    def _checked(
        self, given: torch.Tensor, classes: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        labels = given.long()
        whole = not given.is_floating_point()
        if whole and len(labels):
            low, high = map(int, labels.aminmax())
            if low >= 0 and high < classes:
                return labels, None
        bad = (labels < 0) | (labels >= classes)
        if not whole:
            bad |= labels != given
        if not bad.any():
            return labels, None
        absent = labels == IGNORED_LABEL
        wrong = (bad & ~absent).nonzero()
        if len(wrong):
            position = int(wrong[0])
            raise CollectorError(
                f"{self.name}: sample {position} of the batch has label {given[position].item()!r},"
                f" but the model has the classes 0 to {classes - 1}.",
                hint=f"labels are class indices; {IGNORED_LABEL} stands for none.",
            )
        return labels.masked_fill(absent, 0), absent


def _custom_loss(
    loss_fn: Callable[[Any, Any], Any],
    logits: torch.Tensor,
    labels: torch.Tensor,
    absent: torch.Tensor | None,
) -> torch.Tensor:
    if logits.ndim == 1:
        labels = labels.to(logits.dtype)
    elif absent is not None:
        labels = labels.masked_fill(absent, IGNORED_LABEL)
    loss: torch.Tensor = _torch().as_tensor(loss_fn(logits, labels)).detach()
    if loss.shape != labels.shape:
        raise CollectorError(
            f"The loss_fn {_name(loss_fn)} returned shape {tuple(loss.shape)}, expected"
            f" {tuple(labels.shape)}: one loss per sample.",
            hint="use reduction='none'.",
        )
    return loss.to(logits)


def _name(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _torch() -> Any:
    return require("torch", extra="torch", purpose="to compute classification metrics")
