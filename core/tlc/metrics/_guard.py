"""Collecting leaves no trace: model mode and random states are afterwards as they were."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from tlc._optional import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

__all__ = ["evaluation_mode", "random_state_kept"]


@contextmanager
def evaluation_mode(model: torch.nn.Module | None) -> Iterator[None]:
    """Put a model in evaluation mode, and each of its modules back in its own mode afterwards."""
    modes = [] if model is None else [(module, module.training) for module in model.modules()]
    try:
        if model is not None:
            model.eval()
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Restore the random states of Python, NumPy and torch afterwards, on CPU and started GPUs."""
    torch = loaded("torch")
    python_state, numpy_state = random.getstate(), np.random.get_state()
    cpu_state = None if torch is None else torch.get_rng_state()
    on_cuda = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    cuda_states = torch.cuda.get_rng_state_all() if torch is not None and on_cuda else None
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        if torch is not None:
            torch.set_rng_state(cpu_state)
        if torch is not None and cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)
