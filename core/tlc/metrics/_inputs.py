"""From a batch to the arguments of a model's `forward`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tlc.errors import MetricsError
from tlc.metrics._tensors import is_module, is_tensor

if TYPE_CHECKING:
    import torch

__all__ = ["INPUT_NAMES", "LABEL_NAMES", "Arguments", "ModelSignature"]

Arguments = tuple[tuple[Any, ...], dict[str, Any]]

INPUT_NAMES = (
    "pixel_values", "input_ids", "input_values", "input_features", "inputs_embeds",
    "image", "images", "x", "input", "inputs", "features",
)  # fmt: skip
"""Names that the main input of a model goes by in a batch, the likeliest first."""

LABEL_NAMES = ("label", "labels", "label_ids", "target", "targets", "y", "class", "category")
"""Names that labels go by in a batch, the likeliest first."""

WHOLE_BATCH_NAMES = ("batch", "batched_inputs")
"""A first parameter of this name wants the batch as it is."""

WRAPPED = ("_orig_mod", "module")
"""Where a compiled or data-parallel model keeps the model."""


@dataclass(frozen=True)
class ModelSignature:
    """What the `forward` of a model can be called with.

    Attributes:
        model: Name of the model's class.
        names: Its named parameters, in order.
        required: Those without a default.
        any_name: Whether it takes any further keyword.
    """

    model: str
    names: tuple[str, ...]
    required: tuple[str, ...]
    any_name: bool

    @classmethod
    def of(cls, model: torch.nn.Module) -> ModelSignature:
        """Read the signature of a model, or of the one inside a wrapper that names no parameter."""
        kinds = inspect.Parameter
        parameters = list(inspect.signature(model.forward).parameters.values())
        named = [p for p in parameters if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)]
        if not named:
            for attribute in WRAPPED:
                if is_module(inner := getattr(model, attribute, None)):
                    return cls.of(inner)
        return cls(
            type(model).__name__,
            tuple(p.name for p in named),
            tuple(p.name for p in named if p.default is kinds.empty),
            any(p.kind is kinds.VAR_KEYWORD for p in parameters),
        )

    def arguments(self, batch: Any, *, unpack_dicts: bool, unpack_lists: bool) -> Arguments:
        """Return the positional and the keyword arguments that a batch stands for.

        Raises:
            MetricsError: The batch is empty, or a required parameter gets no value.
        """
        if isinstance(batch, Mapping):
            return self._of_mapping(batch, unpack_dicts=unpack_dicts)
        if not isinstance(batch, (list, tuple)) or _is_samples(batch):
            return (batch,), {}
        if unpack_lists:
            return tuple(batch), {}
        if not batch:
            raise MetricsError(f"An empty {type(batch).__name__} was given to {self.model}.")
        if isinstance(batch[0], Mapping):
            return self._of_mapping(batch[0], unpack_dicts=unpack_dicts)
        return (batch[0],), {}

    def _of_mapping(self, batch: Mapping[str, Any], *, unpack_dicts: bool) -> Arguments:
        if not self.names:
            return ((), dict(batch)) if self.any_name else ((batch[_main_input(batch)],), {})
        if self.names[0] in WHOLE_BATCH_NAMES and self.names[0] not in batch:
            return (batch,), {}
        named = {name: batch[name] for name in self.names if name in batch}
        fill = self._in_order if unpack_dicts else self._main
        named |= fill(batch, named)
        if missing := [name for name in self.required if name not in named]:
            raise MetricsError(
                f"The batch has {', '.join(map(repr, batch))}, but {self.model}.forward also needs"
                f" {', '.join(map(repr, missing))}.",
                hint="rename keys in table.with_transform(...), or give Predictor(preprocess=...).",
            )
        return (), named

    def _main(self, batch: Mapping[str, Any], named: dict[str, Any]) -> dict[str, Any]:
        """Give the first parameter the main input of the batch, unless the names settle it."""
        if self.names[0] in named:
            return {}
        if known := next((name for name in INPUT_NAMES if name in batch), None):
            return {} if known in named else {self.names[0]: batch[known]}
        if named and self.names[0] not in self.required:
            return {}
        return {self.names[0]: batch[_main_input(batch)]}

    def _in_order(self, batch: Mapping[str, Any], named: dict[str, Any]) -> dict[str, Any]:
        """Give the parameters that no name has served the other values, in order.

        A single such parameter gets what looks most like an input, whatever the order.
        """
        open_names = [name for name in self.required if name not in named]
        if not named and not open_names:
            open_names = [self.names[0]]
        rest = [name for name in batch if name not in named]
        if len(open_names) == 1:
            rest = _inputs({name: batch[name] for name in rest}) + sorted(rest, key=_is_label)
        return dict(zip(open_names, map(batch.__getitem__, rest), strict=False))


def _is_samples(batch: list[Any] | tuple[Any, ...]) -> bool:
    """Whether this is a list of samples, as detectors take it, not a list of columns."""
    return (
        isinstance(batch, list)
        and bool(batch)
        and all(isinstance(item, Mapping) and item.keys() == batch[0].keys() for item in batch)
    )


def _inputs(batch: Mapping[str, Any]) -> list[str]:
    """Return what may be the main input, the likeliest first: known names, then tensors."""
    tensors = [name for name, value in batch.items() if is_tensor(value) and not _is_label(name)]
    return [name for name in INPUT_NAMES if name in batch] + tensors


def _is_label(name: str) -> bool:
    return name in LABEL_NAMES


def _main_input(batch: Mapping[str, Any]) -> str:
    candidates = _inputs(batch) + [name for name, value in batch.items() if is_tensor(value)]
    if not candidates:
        raise MetricsError(
            f"The batch has {', '.join(map(repr, batch)) or 'no values'}, no tensor among them.",
            hint="make tensors in table.with_transform(...), or give Predictor(preprocess=...).",
        )
    return candidates[0]
