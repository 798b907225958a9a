"""Trainers of `ultralytics` that read tables, and collect while they train and afterwards."""

from __future__ import annotations

from copy import copy
from typing import Any

from tlc.errors import OptionError
from tlc.integration.ultralytics._package import framework
from tlc.integration.ultralytics.job import Job
from tlc.integration.ultralytics.sampling import weighted_loader
from tlc.integration.ultralytics.validators import VALIDATORS
from tlc.metrics._guard import random_state_kept

_Anything: Any = object

_Detection: Any = framework("models.yolo.detect").DetectionTrainer
_Segmentation: Any = framework("models.yolo.segment").SegmentationTrainer
_Pose: Any = framework("models.yolo.pose").PoseTrainer
_OBB: Any = framework("models.yolo.obb").OBBTrainer
_Classification: Any = framework("models.yolo.classify").ClassificationTrainer
_utilities: Any = framework("utils")
_torch_utilities: Any = framework("utils.torch_utils")


class TableTraining(_Anything):  # type: ignore[misc]
    """What trainers of all tasks have in common; it comes before one of the framework's.

    `ultralytics` may make it anew in processes of its own, from its arguments and callbacks.
    """

    def __init__(
        self, cfg: Any = _utilities.DEFAULT_CFG, overrides: Any = None, _callbacks: Any = None
    ) -> None:
        self.job = Job.of(_callbacks)
        self._collected: set[tuple[str, int]] = set()
        self._is_over = False
        super().__init__(cfg, overrides, _callbacks)
        self.job.begin(vars(self.args), self.save_dir, goes_on=bool(self.resume))

    def get_dataset(self) -> dict[str, Any]:
        """Return what is known of the tables.

        Raises:
            OptionError: A split is missing, or classes are to be put into one.
        """
        args = self.args
        for name in ("train", args.split):
            self.job.split(name)
        if args.single_cls:
            raise OptionError(
                "single_cls=True does not work with tables: they would have other classes.",
                hint="make a revision of the table with one class.",
            )
        return self.job.description

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
        """Return the data set of a split, whose name is `img_path`."""
        is_collected = mode != "train" and img_path != self.args.split
        options: dict[str, Any] = {"augment": mode == "train", "is_collected": is_collected}
        if self.job.task != "classify":
            stride = max(int(_torch_utilities.unwrap_model(self.model).stride.max()), 32)
            options |= {
                "batch_size": batch,
                "rect": self.args.rect or mode == "val",
                "stride": stride,
                "pad": 0.0 if mode == "train" else 0.5,
            }
        return self.job.dataset(img_path, self.args, **options)

    def get_dataloader(
        self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
    ) -> Any:
        """Return a loader of a split; one to train from draws rows by their weights, if asked."""
        loader = super().get_dataloader(dataset_path, batch_size, rank, mode)
        if mode == "train" and self.job.settings.sampling_weights:
            return weighted_loader(loader, self.job.split(dataset_path))
        return loader

    def get_validator(self) -> Any:
        """Return a validator that can collect."""
        return self._validator(self.test_loader)

    def validate(self) -> Any:
        """Validate, and collect if this is an epoch to collect after."""
        epoch = self.epoch + 1
        is_wanted = self.job.settings.collects_after(epoch)
        if is_wanted:
            self.validator.collecting = self._collecting(self.args.split, epoch)
        result = super().validate()
        if is_wanted:
            self._collect_rest(epoch)
        return result

    def run_callbacks(self, event: str) -> None:
        """Collect what validation has not; note what the training has chosen itself."""
        if event == "on_train_start":
            self.job.training.begin(vars(self.args))
            if self.job.settings.sampling_weights:
                self.train_loader.sampler.set_epoch(self.start_epoch)
        elif event == "on_fit_epoch_end" and not self._is_over:
            epoch = self.epoch + 1
            if self.job.settings.collects_after(epoch):
                self._collect_rest(epoch)
        super().run_callbacks(event)

    def save_metrics(self, metrics: dict[str, Any]) -> None:
        """Log to the run what the trainer logs."""
        super().save_metrics(metrics)
        self.job.log(self.epoch + 1, metrics)

    def final_eval(self) -> None:
        """Validate the best weights, and collect what they make of all splits."""
        self._is_over = True
        epoch = self.epoch + 2
        is_wanted = self.job.settings.collects_at_end
        is_validated = self.best.exists()
        if is_wanted and is_validated:
            self.validator.collecting = self._collecting(self.args.split, epoch)
        super().final_eval()
        if is_validated:
            self.job.log(epoch, self.metrics)
        if is_wanted:
            self._collect_rest(epoch, self.best if is_validated else self.last)

    def _collecting(self, name: str, epoch: int) -> Any:
        self._collected.add((name, epoch))
        steps = (self.epoch + 1) * len(self.train_loader)
        return self.job.collecting(name, epoch, steps)

    def _collect_rest(self, epoch: int, weights: Any = None) -> None:
        """Go over the splits that were not collected at an epoch."""
        names = [self.args.split] if self.job.settings.collection_val_only else self.job.names
        for name in names:
            if (name, epoch) not in self._collected:
                self._pass_over(name, epoch, weights)

    def _pass_over(self, name: str, epoch: int, weights: Any) -> None:
        with random_state_kept():
            loader = self.get_dataloader(
                name, self.test_loader.batch_size, _utilities.LOCAL_RANK, "val"
            )
            validator = self._validator(loader, silent=True)
            validator.collecting = self._collecting(name, epoch)
            try:
                validator(self) if weights is None else validator(model=weights)
            finally:
                loader.close()

    def _validator(self, loader: Any, *, silent: bool = False) -> Any:
        args = copy(self.args)
        callbacks = self.callbacks
        if silent:
            callbacks = self.job.among()
            args.plots = args.save_json = args.save_txt = args.compile = False
        make = VALIDATORS[self.job.task]
        return make(loader, save_dir=self.save_dir, args=args, _callbacks=callbacks)


class DetectionTrainer(TableTraining, _Detection):  # type: ignore[misc]
    """Trains detection on tables."""


class SegmentationTrainer(TableTraining, _Segmentation):  # type: ignore[misc]
    """Trains segmentation on tables."""


class PoseTrainer(TableTraining, _Pose):  # type: ignore[misc]
    """Trains poses on tables."""


class OBBTrainer(TableTraining, _OBB):  # type: ignore[misc]
    """Trains turned boxes on tables."""


class ClassificationTrainer(TableTraining, _Classification):  # type: ignore[misc]
    """Trains classification on tables."""


TRAINERS: dict[str, Any] = {
    "detect": DetectionTrainer,
    "segment": SegmentationTrainer,
    "pose": PoseTrainer,
    "obb": OBBTrainer,
    "classify": ClassificationTrainer,
}
