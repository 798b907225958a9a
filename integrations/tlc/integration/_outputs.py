"""What a module made of a batch: what its step returned, or else what its `forward` did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import MetricsError
from tlc.metrics._tensors import is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch


class Outputs:
    """Finds what a module made of a batch.

    Args:
        module: The module.
        predict: Gets the module and the batch, and returns it; None for what the step returned, or,
            if that is nothing or a loss, what `forward` returned last within the step.
    """

    def __init__(
        self, module: torch.nn.Module, predict: Callable[[Any, Any], Any] | None = None
    ) -> None:
        self._module = module
        self._predict = predict
        self._last: Any = None
        self._hook = None if predict else module.register_forward_hook(self._keep)

    def of(self, batch: Any, returned: Any) -> Any:
        """Return what the module made of a batch.

        Args:
            batch: The batch.
            returned: What the step returned for it.

        Raises:
            MetricsError: The step returned nothing but a loss, and did not call the module.
        """
        if self._predict is not None:
            return self._predict(self._module, batch)
        last, self._last = self._last, None
        found = last if _is_no_prediction(returned) else returned
        if found is None:
            raise MetricsError(
                f"The step of {type(self._module).__name__} returned no predictions, and did not "
                "call the module itself.",
                hint="return them from the step, or give predict_fn=lambda module, batch: ...",
            )
        return found

    def close(self) -> None:
        """Leave the module as it was."""
        if self._hook is not None:
            self._hook.remove()

    def _keep(self, _module: object, _inputs: object, output: Any) -> None:
        # Where ranks train together, the step itself is a call of the module, after that within it.
        if not _is_no_prediction(output):
            self._last = output


def _is_no_prediction(returned: Any) -> bool:
    """Whether a step returned nothing, a loss, or a dictionary with nothing but such."""
    if isinstance(returned, dict):
        return all(map(_is_no_prediction, returned.values()))
    is_number = isinstance(returned, int | float) or (is_tensor(returned) and returned.ndim == 0)
    return returned is None or is_number
