"""Metrics of language models, per row of tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc._optional import require
from tlc.constants import LOSS
from tlc.errors import CollectorError
from tlc.metrics import MetricsCollector
from tlc.metrics._tensors import is_tensor
from tlc.metrics.aggregators import Aggregator, MeanAggregator
from tlc.metrics.collectors._predictions import forward_of, labels_of
from tlc.schemas import Float32Schema, Int32Schema

if TYPE_CHECKING:
    import torch

    from tlc.metrics.collectors.metrics_collector_base import PreprocessFn
    from tlc.schemas import Schema

__all__ = ["LanguageModelMetricsCollector"]

LOSS_SUM, TOKEN_COUNT, PERPLEXITY = "loss_sum", "token_count", "perplexity"
CORPUS_PERPLEXITY = "corpus_perplexity"

_IGNORED = -100
_PIECE = 1 << 23
"""So many logits are turned to float32 at a time: 32 MiB."""


class LanguageModelMetricsCollector(MetricsCollector):
    """Per-row metrics of a model that returns logits for each token.

    ============= ======= ========================================================================
    column        type    value
    ============= ======= ========================================================================
    `loss_sum`    float32 sum of the cross-entropies of the row's tokens, in nats
    `token_count` int32   number of those tokens: labels that are not -100
    `loss`        float32 mean per token; NaN where there is no token
    `perplexity`  float32 exp of that mean; NaN where there is no token
    ============= ======= ========================================================================

    *Logits* are the output's ``logits``, or the first element of shape (B, T, V) of a tuple.
    *Labels* are the entry ``labels`` of the batch, of shape (B, T). Logits are not kept, and of
    those in half precision only some at a time become float32.

    Aggregates are the means over rows of the first three columns, and ``corpus_perplexity``: exp of
    the sum of all losses, divided by the number of all tokens. A mean of perplexities is none: a
    few short rows that surprise the model would decide it, and no corpus has that perplexity.

    Args:
        causal: Whether the logits at a token are for the next one, as of GPT; else they are for the
            token itself, as of T5, or of BERT with masked tokens.
        compute_aggregates: Whether to compute aggregates.
        preprocess_fn: Changes batch and predictions first; see `MetricsCollector`.
    """

    def __init__(
        self,
        causal: bool = True,
        *,
        compute_aggregates: bool = True,
        preprocess_fn: PreprocessFn | None = None,
    ) -> None:
        super().__init__(preprocess_fn=preprocess_fn, compute_aggregates=compute_aggregates)
        self.causal = causal

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """Schemas of all columns."""
        return {
            LOSS_SUM: Float32Schema(writable=False),
            TOKEN_COUNT: Int32Schema(writable=False),
            LOSS: Float32Schema(writable=False),
            PERPLEXITY: Float32Schema(writable=False),
        }

    def new_aggregator(self) -> Aggregator:
        """Return means over rows, and the perplexity of all tokens together."""
        return _CorpusAggregator()

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return the columns as arrays, each of shape (B,).

        Raises:
            CollectorError: Logits or labels are missing, or their shapes do not go together.
        """
        logits = self._logits(forward_of(predictor_output, self.name))
        labels = self._labels(batch, logits)
        sums, counts = _sums_and_counts(logits, labels, shift=int(self.causal))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            mean = np.where(counts > 0, sums / counts, np.nan)
            perplexity = np.exp(mean).astype(np.float32)
        return {
            LOSS_SUM: sums.astype(np.float32),
            TOKEN_COUNT: counts.astype(np.int32),
            LOSS: mean.astype(np.float32),
            PERPLEXITY: perplexity,
        }

    def _logits(self, forward: Any) -> torch.Tensor:
        found = getattr(forward, "logits", None)
        if found is None and isinstance(forward, Mapping):
            found = forward.get("logits")
        if found is None:
            parts = forward if isinstance(forward, (tuple, list)) else [forward]
            found = next((each for each in parts if is_tensor(each) and each.ndim == 3), None)
        if not is_tensor(found) or found.ndim != 3:
            shape = f"of shape {tuple(found.shape)}" if is_tensor(found) else "missing"
            raise CollectorError(
                f"{self.name} needs logits (rows, tokens, vocabulary); they are {shape}.",
                hint="return them from a preprocess_fn: (batch, logits).",
            )
        return found.detach()

    def _labels(self, batch: Any, logits: torch.Tensor) -> torch.Tensor:
        names = ("labels", "label", "label_ids")
        found = labels_of(batch, names) if isinstance(batch, Mapping) else None
        if found is None:
            raise CollectorError(
                f"{self.name} found no labels in the batch.",
                hint="have the collator add them: (rows, tokens), -100 where none counts.",
            )
        labels: torch.Tensor = _torch().as_tensor(found).detach().to(logits.device)
        if labels.shape != logits.shape[:2]:
            raise CollectorError(
                f"{self.name} got labels {tuple(labels.shape)} and logits {tuple(logits.shape)}.",
                hint="there is one label for each token that has logits.",
            )
        return labels


class _CorpusAggregator(Aggregator):
    """Means of the columns that have one, and the perplexity of all tokens."""

    def __init__(self) -> None:
        self._means = MeanAggregator(skip=(PERPLEXITY,))
        self._loss, self._tokens = 0.0, 0

    def aggregate_batch(
        self, computed_metrics: Mapping[str, Any], schemas: Mapping[str, Schema] | None = None
    ) -> None:
        """Add the rows of one batch; see `Aggregator.aggregate_batch`."""
        self._means.aggregate_batch(computed_metrics, schemas)
        self._loss += float(np.sum(computed_metrics[LOSS_SUM], dtype=np.float64))
        self._tokens += int(np.sum(computed_metrics[TOKEN_COUNT]))

    @property
    def aggregate_values(self) -> dict[str, float]:
        """Name to value, for all batches so far."""
        if not self._tokens:
            return self._means.aggregate_values
        mean = self._loss / self._tokens
        perplexity = math.exp(mean) if mean < 700 else math.inf  # where exp would raise
        return {**self._means.aggregate_values, CORPUS_PERPLEXITY: perplexity}


def _sums_and_counts(
    logits: torch.Tensor, labels: torch.Tensor, *, shift: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return loss and number of the tokens of each row, float64 and int64.

    Args:
        logits: Shape (B, T, V), of any precision.
        labels: Shape (B, T).
        shift: How many places before its label the logits of a token are.
    """
    torch = _torch()
    counted = labels != _IGNORED
    counted[:, :shift] = False
    rows, places = counted.nonzero(as_tuple=True)
    losses = torch.zeros(labels.shape, dtype=torch.float32, device=logits.device)
    size = max(1, _PIECE // logits.shape[2])
    for row, place in zip(rows.split(size), places.split(size), strict=True):
        scores = logits[row, place - shift].float()
        losses[row, place] = torch.nn.functional.cross_entropy(
            scores, labels[row, place].long(), reduction="none"
        )
    sums = losses.sum(dim=1, dtype=torch.float64)
    return sums.cpu().numpy(), counted.sum(dim=1).cpu().numpy()


def _torch() -> Any:
    return require("torch", extra="torch", purpose="to compute metrics of language models")
