"""Plain PyTorch: samplers for its DataLoader, weights for its losses, and the run of a loop.

A `tlc.Table` or a view of one is a dataset as it stands; nothing else is needed to train on it.
"""

from __future__ import annotations

from tlc.integration.torch import samplers
from tlc.integration.torch.runs import training_run
from tlc.integration.torch.weights import WeightedLoss, weighted_mean, with_weights

__all__ = ["WeightedLoss", "samplers", "training_run", "weighted_mean", "with_weights"]
