"""Samplers for PyTorch's DataLoader.

A `tlc.Table` or a view of one is a dataset as it stands; nothing else is needed to train on it.
"""

from __future__ import annotations

from tlc.integration.torch import samplers

__all__ = ["samplers"]
