"""Validators of `ultralytics` that read tables and collect what they predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.integration.ultralytics._package import framework
from tlc.integration.ultralytics.job import Job

if TYPE_CHECKING:
    from tlc.integration.ultralytics.collecting import Collecting

_Anything: Any = object

_Detection: Any = framework("models.yolo.detect").DetectionValidator
_Segmentation: Any = framework("models.yolo.segment").SegmentationValidator
_Pose: Any = framework("models.yolo.pose").PoseValidator
_OBB: Any = framework("models.yolo.obb").OBBValidator
_Classification: Any = framework("models.yolo.classify").ClassificationValidator


class TableValidation(_Anything):  # type: ignore[misc]
    """What validators of all tasks have in common; it comes before one of the framework's.

    Attributes:
        job: Tables, settings and run.
        collecting: Collects the next pass; None to collect nothing. It is None after a pass.
    """

    def __init__(
        self, dataloader: Any = None, save_dir: Any = None, args: Any = None, _callbacks: Any = None
    ) -> None:
        self.job = Job.of(_callbacks)
        self.collecting: Collecting | None = None
        self._raw: Any = None
        super().__init__(dataloader, save_dir, args, _callbacks)

    def __call__(self, trainer: Any = None, model: Any = None, **options: Any) -> Any:
        """Validate, and collect if that is asked for; see ``BaseValidator``."""
        collecting = self.collecting
        try:
            with self.job.described():
                result = super().__call__(trainer, model, **options)
        except BaseException:
            if collecting is not None:
                collecting.abort()
            raise
        finally:
            self.collecting = self._raw = None
        if collecting is not None:
            collecting.finish()
        return result

    def init_metrics(self, model: Any) -> None:
        """Begin to collect."""
        super().init_metrics(model)
        if self.collecting is not None:
            self.collecting.begin(model)

    def postprocess(self, preds: Any) -> Any:
        """Note what the model returned."""
        self._raw = preds if self.collecting is not None else None
        return super().postprocess(preds)

    def update_metrics(self, preds: Any, batch: Any) -> None:
        """Collect a batch."""
        super().update_metrics(preds, batch)
        if self.collecting is not None:
            self.collecting.add(self, preds, self._raw, batch)
            self._raw = None

    def build_dataset(self, img_path: str, mode: str = "val", batch: int | None = None) -> Any:
        """Return the data set of a split, whose name is `img_path`."""
        args = self.args
        if self.job.task == "classify":
            return self.job.dataset(img_path, args, augment=False)
        return self.job.dataset(
            img_path,
            args,
            augment=False,
            batch_size=batch,
            rect=args.rect,
            stride=self.stride,
            pad=0.5,
        )


class DetectionValidator(TableValidation, _Detection):  # type: ignore[misc]
    """Validates detection on a table."""


class SegmentationValidator(TableValidation, _Segmentation):  # type: ignore[misc]
    """Validates segmentation on a table."""


class PoseValidator(TableValidation, _Pose):  # type: ignore[misc]
    """Validates poses on a table."""


class OBBValidator(TableValidation, _OBB):  # type: ignore[misc]
    """Validates turned boxes on a table."""


class ClassificationValidator(TableValidation, _Classification):  # type: ignore[misc]
    """Validates classification on a table."""


VALIDATORS: dict[str, Any] = {
    "detect": DetectionValidator,
    "segment": SegmentationValidator,
    "pose": PoseValidator,
    "obb": OBBValidator,
    "classify": ClassificationValidator,
}
