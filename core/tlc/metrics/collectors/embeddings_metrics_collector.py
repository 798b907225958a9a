"""Activations of hidden layers as vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tlc._optional import require
from tlc.constants import EMBEDDING_COL_NAME
from tlc.errors import CollectorError
from tlc.metrics._tensors import is_tensor, to_array
from tlc.metrics.collectors.metrics_collector_base import MetricsCollector, PreprocessFn
from tlc.metrics.predictor import PredictorOutput
from tlc.schemas import EmbeddingSchema

if TYPE_CHECKING:
    import torch

    from tlc.schemas import Schema

__all__ = ["EmbeddingsMetricsCollector", "ReshapeStrategy"]

ReshapeFn: TypeAlias = Callable[[Any], Any]
ReshapeStrategy: TypeAlias = str | ReshapeFn | tuple[ReshapeFn, str]
"""A name; a function of activations (B, ...) that returns (B, D); such a one and its name."""

AVERAGE_POOLS = {"avg_pool_1_1": 1, "avg_pool_2_2": 2, "avg_pool_3_3": 3}


class EmbeddingsMetricsCollector(MetricsCollector):
    """One vector per sample and layer, in the column ``embeddings_<layer>``, as float32.

    The layers must be captured: give the same indices to `Predictor`.

    Strategies that make a vector of activations (B, ...):

    - ``"mean"`` (default): means over places, so that the vector has the same length whatever the
      size of the input. Feature maps (B, C, H, W), and any with more dimensions, become (B, C): all
      dimensions after the channels are averaged. Three dimensions are taken for tokens (B, T, C)
      and become (B, C): the tokens are averaged, padding included. (B, C) stays; (B,) becomes (B,
      1). For a one-dimensional convolution (B, C, L), give ``lambda x: x.mean(-1)``.
    - ``"flatten"``: all values of a sample, the last dimension fastest.
    - ``"avg_pool_1_1"``, ``"avg_pool_2_2"``, ``"avg_pool_3_3"``: feature maps (B, C, H, W) averaged
      to a grid of 1, 4 or 9 cells per channel (``torch.nn.functional.adaptive_avg_pool2d``), then
      flattened.
    - a function of the activations, on the model's device, that returns (B, D) itself; or a pair of
      such a function and a name, which goes to the description of the column.

    Args:
        layers: Indices into ``list(model.named_modules())``.
        reshape_strategy: A strategy for all layers, or a dict of layer to strategy.
        preprocess_fn: Changes batch and predictions first; see `MetricsCollector`.

    Raises:
        CollectorError: A strategy is not known.
    """

    def __init__(
        self,
        layers: Sequence[int],
        reshape_strategy: ReshapeStrategy | Mapping[int, ReshapeStrategy] | None = None,
        preprocess_fn: PreprocessFn | None = None,
    ) -> None:
        super().__init__(preprocess_fn=preprocess_fn, compute_aggregates=False)
        self.layers = tuple(layers)
        self._reshapes = {layer: _strategy(reshape_strategy, layer) for layer in self.layers}
        self._lengths: dict[int, int] = {}

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """An embedding for each layer, of the length that it had in the last batch."""
        return {
            EMBEDDING_COL_NAME.format(layer=layer): EmbeddingSchema(
                shape=(self._lengths.get(layer, -1),),
                description=f"Activations of layer {layer}, {name}",
                writable=False,
            )
            for layer, (_, name) in self._reshapes.items()
        }

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return an array of shape (B, D) for each layer.

        Raises:
            CollectorError: A layer was not captured, or its activations do not fit the strategy.
        """
        hidden = (
            predictor_output.hidden_layers if isinstance(predictor_output, PredictorOutput) else {}
        )
        columns = {}
        for layer, (reshape, name) in self._reshapes.items():
            if layer not in hidden:
                raise CollectorError(
                    f"{self.name} needs the activations of layer {layer}, which were not captured.",
                    hint=f"pass predictor=Predictor(model, layers={list(self.layers)}).",
                )
            vectors = _vectors(reshape(hidden[layer]), f"{self.name}, layer {layer}, {name}")
            self._lengths[layer] = vectors.shape[1]
            columns[EMBEDDING_COL_NAME.format(layer=layer)] = vectors
        return columns


def _vectors(values: Any, where: str) -> np.ndarray[Any, Any]:
    array = to_array(values) if is_tensor(values) else np.asarray(values)
    if array.ndim != 2:
        raise CollectorError(
            f"{where}: the activations became shape {array.shape}, expected (batch, length).",
            hint="choose another reshape_strategy.",
        )
    return array.astype(np.float32, copy=False)


def _strategy(
    given: ReshapeStrategy | Mapping[int, ReshapeStrategy] | None, layer: int
) -> tuple[ReshapeFn, str]:
    chosen = given.get(layer) if isinstance(given, Mapping) else given
    if chosen is None:
        return _mean, "mean"
    if isinstance(chosen, tuple):
        return chosen
    if callable(chosen):
        return chosen, getattr(chosen, "__name__", type(chosen).__name__)
    if chosen in AVERAGE_POOLS:
        return _AveragePool(AVERAGE_POOLS[chosen]), chosen
    named: dict[str, ReshapeFn] = {"mean": _mean, "flatten": _flatten}
    if chosen not in named:
        raise CollectorError(
            f"There is no reshape_strategy {chosen!r} for layer {layer}.",
            hint=f"use one of {', '.join([*named, *AVERAGE_POOLS])}, or a function.",
        )
    return named[chosen], chosen


def _flatten(activations: torch.Tensor) -> torch.Tensor:
    return activations.reshape(len(activations), -1)


def _mean(activations: torch.Tensor) -> torch.Tensor:
    values = activations.float()
    if values.ndim == 3:
        return values.mean(dim=1)
    return values.flatten(start_dim=2).mean(dim=2) if values.ndim > 3 else _flatten(values)


class _AveragePool:
    """A class, not a closure, so that a collector can be pickled."""

    def __init__(self, cells: int) -> None:
        self.cells = cells

    def __call__(self, activations: torch.Tensor) -> torch.Tensor:
        if activations.ndim != 4:
            raise CollectorError(
                f"avg_pool needs activations (B, C, H, W), not shape {tuple(activations.shape)}.",
                hint="use 'mean' or 'flatten'.",
            )
        functional = require("torch.nn.functional", extra="torch", purpose="to pool activations")
        return _flatten(functional.adaptive_avg_pool2d(activations.float(), self.cells))
