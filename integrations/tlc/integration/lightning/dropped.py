"""Predictions for rows that a trainer's loader leaves out, as they do not fill a batch."""

from __future__ import annotations

import inspect
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tlc.integration._outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Callable


def predict_dropped(
    trainer: Any,
    module: Any,
    number: int,
    batch: Any,
    *,
    predict_fn: Callable[[Any, Any], Any] | None,
) -> Any:
    """Return what a module makes of a batch that its trainer does not know of.

    The step is that of a copy of the module with the same parameters, which logs nothing: what
    steps gather in the module, such as the states of its metrics, stays as the trainer's own
    batches left it.

    Args:
        trainer: The trainer, at the end of a validation or test.
        module: Its module.
        number: Position of the loader.
        batch: The batch, as collated.
        predict_fn: Gets the module and the batch; None for the step.
    """
    moved = _moved(trainer, module, batch, number)
    if predict_fn is not None:
        return predict_fn(module, moved)
    twin = _twin(trainer, module)
    step = twin.test_step if trainer.testing else twin.validation_step
    outputs = Outputs(twin)
    with trainer.precision_plugin.val_step_context():
        returned = step(*_arguments(step, moved, number))
    return outputs.of(moved, returned)


def _moved(trainer: Any, module: Any, batch: Any, number: int) -> Any:
    """Do what the trainer does with a batch before it is given to the module."""
    batch = trainer.precision_plugin.convert_input(batch)
    batch = module._on_before_batch_transfer(batch, dataloader_idx=number)
    return trainer.strategy.batch_to_device(batch, dataloader_idx=number)


def _twin(trainer: Any, module: Any) -> Any:
    twin = deepcopy(module, {id(each): each for each in module.parameters()})
    twin.trainer = trainer
    for each in twin.modules():
        if hasattr(each, "log_dict"):  # what logs to the trainer
            each.log = _nothing
    return twin


def _nothing(*_: Any, **__: Any) -> None:
    pass


def _arguments(step: Any, batch: Any, number: int) -> tuple[Any, ...]:
    """Return as many of batch, its position, and that of the loader as a step takes."""
    kinds = [each.kind for each in inspect.signature(step).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return batch, 0, number
    return (batch, 0, number)[: len(kinds)]
