"""`PipelineParams`: what becomes of a model's raw output before it is collected."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from tlc.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PipelineParams"]


@dataclass(frozen=True)
class PipelineParams:
    """Parameters of a model's own prediction pipeline. None stands for the model's default.

    Attributes:
        iou: Predictions that overlap a better one by more are dropped, from 0 to 1.
        conf: Predictions that are less confident are dropped, from 0 to 1.
        max_predictions: How many are kept of each image.
        class_agnostic_nms: Whether predictions of different classes drop each other, too.
    """

    iou: float | None = None
    conf: float | None = None
    max_predictions: int | None = None
    class_agnostic_nms: bool | None = None

    @classmethod
    def of(cls, given: PipelineParams | Mapping[str, Any] | None) -> PipelineParams:
        """Return parameters, which may be given as a dictionary.

        Raises:
            OptionError: One of them is not known.
        """
        if isinstance(given, PipelineParams):
            return given
        known = [each.name for each in fields(cls)]
        for name in given or {}:
            if name not in known:
                raise OptionError(
                    f"pipeline_params has {name!r}.", hint=f"there are {', '.join(known)}."
                )
        return cls(**(given or {}))

    def given(self) -> dict[str, Any]:
        """Return those that are not left to the model."""
        return {name: value for name, value in asdict(self).items() if value is not None}
