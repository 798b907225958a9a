"""Features of images, taken from within a model while it predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tlc._optional import require
from tlc.errors import MetricsError

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np

__all__ = ["Features"]

_BACKBONES = ("backbone", "_backbone", "encoder")


class Features:
    """Looks on while a model runs, as a context manager, and keeps the features of the images.

    They are what goes into the last linear layer of a classifier, or else the last feature map of
    the backbone, averaged over places.

    Args:
        model: The model.
        kind: What it finds.

    Raises:
        MetricsError: It has neither.
    """

    def __init__(self, model: Any, kind: str) -> None:
        torch = require("torch", extra="torch", purpose="to collect embeddings")
        linear = [each for each in model.modules() if isinstance(each, torch.nn.Linear)]
        # What is called so may also be a selection of the parts, made anew when it is asked for.
        own = dict(model.named_children())
        found = [own.get(name) for name in _BACKBONES]
        found += [getattr(model, name, None) for name in _BACKBONES]
        backbone = next((each for each in found if isinstance(each, torch.nn.Module)), None)
        is_input = kind == "classification" or backbone is None
        self._last = linear[-1] if linear and is_input else None
        self._backbone: Any = backbone
        self._hooks: list[Any] = []
        self._kept: Any = None
        if self._last is None and backbone is None:
            raise MetricsError(
                f"{type(model).__name__!r} has no backbone and no linear layer to take embeddings"
                " from.",
                hint="leave collect_embeddings out.",
            )

    def pooled(self) -> np.ndarray[Any, Any]:
        """Return the features of the last batch, float32 of shape (B, D)."""
        kept = self._kept
        while isinstance(kept, list | tuple):
            kept = kept[-1]
        if kept is None:
            raise MetricsError("The backbone of the model did not run.")
        if kept.ndim > 2:
            kept = kept.flatten(2).mean(2) if kept.ndim > 3 else kept.mean(1)
        values: np.ndarray[Any, Any] = kept.detach().float().cpu().numpy()
        return values

    def __enter__(self) -> Self:
        self._kept = None
        if self._last is not None:
            self._hooks = [self._last.register_forward_pre_hook(self._keep_input)]
        else:
            # Some models call the parts of their backbone one by one: the last to run counts.
            parts = [*self._backbone.children(), self._backbone]
            self._hooks = [each.register_forward_hook(self._keep_output) for each in parts]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def _keep_input(self, _module: object, inputs: Any) -> None:
        self._kept = inputs[0]

    def _keep_output(self, _module: object, _inputs: object, output: Any) -> None:
        self._kept = output
