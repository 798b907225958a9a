"""A model together with how batches go in and which activations come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tlc.errors import MetricsError
from tlc.metrics._inputs import Arguments, ModelSignature
from tlc.metrics._tensors import is_module, is_tensor, moved

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

__all__ = ["Predictor", "PredictorOutput"]


@dataclass
class PredictorOutput:
    """What a model made of one batch.

    Attributes:
        forward: What the model returned, as it is: a tensor, a tuple, an output object.
        hidden_layers: The activations asked for, by layer index; detached, on the model's device,
            the batch in the first dimension.
        example_ids: Row number of each sample in the table that metrics are about, int64; None
            before it is known. `Collection` sets it before collectors are called.
    """

    forward: Any
    hidden_layers: dict[int, torch.Tensor] = field(default_factory=dict)
    example_ids: npt.NDArray[np.int64] | None = None


class Predictor:
    """Calls a model on batches, and captures activations of hidden layers.

    What the model is called with:

    - a tensor, or any object not named below: itself;
    - a tuple or list: its first element; all elements with `unpack_lists`; a list of dicts with the
      same keys is a list of samples and goes in whole;
    - a dict: the entries that `forward` has parameters for, by name; others are dropped. If that
      leaves the input out, the first parameter gets it: the entry called ``pixel_values``,
      ``input_ids``, ``image``, ``x`` ..., else the first tensor that is not called like a label.
      With `unpack_dicts`, entries without a parameter of their name fill the required parameters in
      order instead; if only one is left, it gets the input as above. A first parameter called
      ``batch`` or ``batched_inputs`` gets the dict whole.

    Tensors are moved to the model's device. Neither the training mode nor gradients are touched
    here; `tlc.collect_metrics` does that.

    Args:
        model: A module; or any callable, which gets every batch as it is.
        layers: Modules whose output to capture, as indices into ``list(model.named_modules())``; 0
            is the model itself. Of an output that is not a tensor, its first tensor is kept; of a
            module that runs several times, the last output.
        unpack_dicts: Pass the entries of a dict that match no name in order.
        unpack_lists: Pass all elements of a tuple or list.
        device: Move the model there now, and batches as they come. Default: where the model is.
        preprocess: Gets the batch and returns what the model is called with, which replaces the
            rules above: a tuple of positional arguments, a dict of keyword arguments, or a single
            argument.

    Raises:
        MetricsError: `model` cannot be called, `layers` or `device` is given for a callable that is
            no module, or a layer does not exist.
    """

    def __init__(
        self,
        model: torch.nn.Module | Callable[[Any], Any],
        *,
        layers: Sequence[int] | None = None,
        unpack_dicts: bool = False,
        unpack_lists: bool = False,
        device: str | torch.device | None = None,
        preprocess: Callable[[Any], Any] | None = None,
    ) -> None:
        if not callable(model):
            raise MetricsError(
                f"{model!r} is not a model.", hint="give a torch module or a function of the batch."
            )
        self.model = model
        self.layers = tuple(layers or ())
        self.unpack_dicts = unpack_dicts
        self.unpack_lists = unpack_lists
        self.device = device
        self.preprocess = preprocess
        self._hooked = self._find_layers()
        if device is not None:
            self._require_module("A device").to(device)

    @property
    def module(self) -> torch.nn.Module | None:
        """The module that runs: the model, or the one that a bound method belongs to; else None."""
        owner = self.model if is_module(self.model) else getattr(self.model, "__self__", None)
        return owner if is_module(owner) else None

    def __call__(self, batch: Any) -> PredictorOutput:
        """Run the model on one batch.

        Raises:
            MetricsError: The batch gives a required parameter no value, or a layer asked for did
                not run.
        """
        if not is_module(self.model):
            output = self.model(batch if self.preprocess is None else self.preprocess(batch))
            return output if isinstance(output, PredictorOutput) else PredictorOutput(output)
        args, kwargs = self._arguments(batch)
        device = self.device if self.device is not None else _device_of(self.model)
        if device is not None:
            args, kwargs = moved(args, device), moved(kwargs, device)
        if not self._hooked:
            return PredictorOutput(self.model(*args, **kwargs))
        hidden: dict[int, torch.Tensor] = {}
        with self._capturing(hidden):
            forward = self.model(*args, **kwargs)
        self._check_captured(hidden)
        return PredictorOutput(forward, hidden)

    def _arguments(self, batch: Any) -> Arguments:
        if self.preprocess is None:
            return self._signature.arguments(
                batch, unpack_dicts=self.unpack_dicts, unpack_lists=self.unpack_lists
            )
        given = self.preprocess(batch)
        if isinstance(given, Mapping):
            return (), dict(given)
        return (given if isinstance(given, tuple) else (given,)), {}

    @cached_property
    def _signature(self) -> ModelSignature:
        return ModelSignature.of(self._require_module("A signature"))

    def _require_module(self, what: str) -> torch.nn.Module:
        if not is_module(self.model):
            kind = type(self.model).__name__
            raise MetricsError(f"{what} needs a torch module, but the model is of type {kind!r}.")
        return self.model

    def _find_layers(self) -> list[tuple[int, str, torch.nn.Module]]:
        if not self.layers:
            return []
        named = list(self._require_module("A hidden layer").named_modules())
        for layer in self.layers:
            if not 0 <= layer < len(named):
                raise MetricsError(
                    f"Layer {layer} does not exist: the model has modules 0 to {len(named) - 1}.",
                    hint="a layer is an index into list(model.named_modules()).",
                )
        return [(layer, named[layer][0], named[layer][1]) for layer in self.layers]

    @contextmanager
    def _capturing(self, hidden: dict[int, torch.Tensor]) -> Iterator[None]:
        """Hook the layers for one call, so that the model is never left with hooks of ours."""
        with ExitStack() as hooks:
            for layer, _, module in self._hooked:
                hook = _keep_output(hidden, layer)
                hooks.callback(module.register_forward_hook(hook).remove)
            yield

    def _check_captured(self, hidden: dict[int, torch.Tensor]) -> None:
        for layer, name, module in self._hooked:
            if layer not in hidden:
                raise MetricsError(
                    f"Layer {layer} ({name!r}, {type(module).__name__}) gave no tensor.",
                    hint="choose a module that runs and returns a tensor.",
                )


def _keep_output(hidden: dict[int, torch.Tensor], layer: int) -> Callable[..., None]:
    def hook(_module: object, _inputs: object, output: object) -> None:
        if (tensor := _first_tensor(output)) is not None:
            hidden[layer] = tensor.detach()

    return hook


def _first_tensor(output: object) -> torch.Tensor | None:
    if is_tensor(output):
        return output
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, (list, tuple)):
        return next((t for item in output if (t := _first_tensor(item)) is not None), None)
    return None


def _device_of(model: torch.nn.Module) -> torch.device | None:
    for tensors in (model.parameters(), model.buffers()):
        if (first := next(tensors, None)) is not None:
            return first.device
    return None
