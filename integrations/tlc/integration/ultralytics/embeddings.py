"""Embeddings of images: what a layer of the model makes of them."""

from __future__ import annotations

from typing import Any

from tlc.errors import OptionError

_POOLING = ("SPPF", "SPP", "SPPELAN")


class Embeddings:
    """Keeps what a layer makes of the latest batch.

    Of classifiers that is what the first linear layer gets, of other models what the layer of
    spatial pooling returns, averaged over places.

    Args:
        model: The model that predicts.
        task: Its task.

    Raises:
        OptionError: It has no such layer.
    """

    def __init__(self, model: Any, task: str) -> None:
        self._latest: Any = None
        kinds = ("Linear",) if task == "classify" else _POOLING
        layers = [each for each in model.modules() if type(each).__name__ in kinds]
        if not layers:
            raise OptionError(
                f"Embeddings need a layer {' or '.join(kinds)}, and the model has none.",
                hint="leave image_embeddings_dim out.",
            )
        keep = self._keep_input if task == "classify" else self._keep_output
        self._hook = layers[0].register_forward_hook(keep)

    def of_batch(self) -> Any:
        """Return the vectors of the batch, float32 of shape (images, length)."""
        latest, self._latest = self._latest, None
        return latest.detach().float().cpu().numpy()

    def close(self) -> None:
        """Leave the model as it was."""
        self._hook.remove()

    def _keep_input(self, _module: Any, inputs: Any, _output: Any) -> None:
        self._latest = inputs[0].flatten(1)

    def _keep_output(self, _module: Any, _inputs: Any, output: Any) -> None:
        self._latest = output.mean((2, 3))
