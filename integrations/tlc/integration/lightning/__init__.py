"""PyTorch Lightning: metrics per sample from a callback, and a logger that writes to a run.

Works with the packages `lightning` and `pytorch_lightning`, whichever the program has imported.
"""

from __future__ import annotations

from tlc.integration.lightning.callback import MetricsCollectionCallback
from tlc.integration.lightning.logger import RunLogger

__all__ = ["MetricsCollectionCallback", "RunLogger"]
