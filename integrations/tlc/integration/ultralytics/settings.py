"""`Settings`: what is collected of a training, and how rows are drawn."""

from __future__ import annotations

import os
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from tlc.errors import OptionError
from tlc.integration._reduction import check_reducer
from tlc.integration.ultralytics._environment import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tlc.schemas import Schema

__all__ = ["Settings"]

REDUCERS = ("pacmap", "umap", "pca", None)
_COLLECTION = (
    *("collection_val_only", "collection_epoch_start", "collection_epoch_interval"),
    *("exclude_zero_weight_collection", "image_embeddings_dim", "collect_loss"),
    *("metrics_collection_function", "metrics_schemas"),
)
_PREFIX = "TLC_"


@dataclass(kw_only=True)
class Settings:
    """What is collected of a training, a validation or a collection, and how rows are drawn.

    Args:
        conf_thres: Predictions of less confidence are not collected, from 0 to 1.
        max_det: So many predictions of an image are collected at most, the most confident ones.
        project_name: Project of the run; None for that of the active run, or of the table.
        run_name: Name of the run; None for the active run, else a new one.
        run_description: Description of a new run.
        collect_loss: Collect the loss of each image: for the task ``"detect"``, with a PyTorch
            model.
        image_embeddings_dim: Numbers that the embedding of each image is reduced to; 0 to collect
            no embeddings.
        image_embeddings_reducer: ``"pacmap"``, ``"umap"`` or ``"pca"``, which reduces embeddings
            when training is over; None to keep them as the model makes them, of whatever length.
        image_embeddings_reducer_args: Arguments of the reducer; see
            `tlc.reduction.reduce_embeddings`.
        sampling_weights: Draw training rows with a probability proportional to their weight.
        exclude_zero_weight_training: Leave rows of weight zero out of training.
        exclude_zero_weight_collection: Leave rows of weight zero out of collection.
        collection_val_only: Collect the validation split only.
        collection_disable: Collect nothing.
        collection_epoch_start: The first epoch, counted from 1, after which to collect; None to
            collect only when training is over.
        collection_epoch_interval: Collect after every so many epochs from then on.
        collection_after_training: Collect when training is over, with its best weights.
        metrics_collection_function: ``(preds, batch) -> {column: values}``, with one value for each
            image of the batch. Predictions and batch are those of the validator's
            ``update_metrics``: in coordinates of the model's input, before `conf_thres`.
        metrics_schemas: Schemas of the columns of that function; those left out are inferred.
        image_column_name: Column of the images; None for ``"image"``, or else the first one.
        label_column_name: Column of the labels, or path into it; None for the first that fits.

    Raises:
        OptionError: A value is impossible, or contradicts another.
    """

    conf_thres: float = 0.1
    max_det: int = 300
    project_name: str | None = None
    run_name: str | None = None
    run_description: str | None = None
    collect_loss: bool = False
    image_embeddings_dim: int = 0
    image_embeddings_reducer: str | None = "pacmap"
    image_embeddings_reducer_args: dict[str, Any] = field(default_factory=dict)
    sampling_weights: bool = False
    exclude_zero_weight_training: bool = False
    exclude_zero_weight_collection: bool = False
    collection_val_only: bool = False
    collection_disable: bool = False
    collection_epoch_start: int | None = None
    collection_epoch_interval: int = 1
    collection_after_training: bool = True
    metrics_collection_function: Callable[[Any, Any], dict[str, Any]] | None = None
    metrics_schemas: Mapping[str, Schema] | None = None
    image_column_name: str | None = None
    label_column_name: str | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        self._check(0 <= self.conf_thres <= 1, "conf_thres", "a number from 0 to 1")
        self._check(self.max_det >= 1, "max_det", "a whole number from 1 up")
        self._check(self.image_embeddings_dim >= 0, "image_embeddings_dim", "0, or how many")
        reducers = ", ".join(map(repr, REDUCERS))
        is_known = self.image_embeddings_reducer in REDUCERS
        self._check(is_known, "image_embeddings_reducer", f"one of {reducers}")
        start = self.collection_epoch_start
        self._check(start is None or start >= 1, "collection_epoch_start", "None, or from 1 up")
        is_positive = self.collection_epoch_interval >= 1
        self._check(is_positive, "collection_epoch_interval", "a whole number from 1 up")
        if self.collection_disable and (asked := self._changed(_COLLECTION)):
            raise OptionError(
                f"collection_disable=True contradicts {', '.join(asked)}.",
                hint="leave out one or the other.",
            )

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return settings from environment variables: ``TLC_CONF_THRES=0.25`` and so on.

        Truths are ``true`` or ``false``, dictionaries are JSON, and ``none`` or an empty value
        stands for None. Functions and schemas cannot be given.

        Args:
            environment: The variables; ``os.environ`` if None.

        Raises:
            OptionError: A value is not of the type of its setting; the message names the variable.
        """
        found = os.environ if environment is None else environment
        given = {}
        for each in fields(cls):
            name = f"{_PREFIX}{each.name.upper()}"
            if name in found:
                given[each.name] = parsed(name, found[name], str(each.type))
        return cls(**given)

    def collects_after(self, epoch: int) -> bool:
        """Return whether to collect after an epoch, counted from 1, while training goes on."""
        start = self.collection_epoch_start
        if self.collection_disable or start is None or epoch < start:
            return False
        return (epoch - start) % self.collection_epoch_interval == 0

    @property
    def collects_at_end(self) -> bool:
        """Whether to collect when training is over."""
        return self.collection_after_training and not self.collection_disable

    def check_task(self, task: str) -> None:
        """Check that all that is asked for can be done: before training, rather than after it.

        Args:
            task: The task of the model.

        Raises:
            OptionError: The loss of each image is not known for the task, or the reducer of
                embeddings does not take an argument.
            MissingExtraError: The package that reduces embeddings is not installed.
            BrokenExtraError: It is installed, but cannot be imported.
        """
        if self.collect_loss and task != "detect":
            raise OptionError(
                f"collect_loss=True is for the task 'detect', not {task!r}.",
                hint="leave it out; classification collects the loss in any case.",
            )
        if self.reducer is not None:
            check_reducer(*self.reducer)

    @property
    def reducer(self) -> tuple[str, dict[str, Any]] | None:
        """Method and arguments that embeddings are to be reduced by; None if they are not."""
        method, dim = self.image_embeddings_reducer, self.image_embeddings_dim
        if not dim or method is None:
            return None
        return method, {**self.image_embeddings_reducer_args, "n_components": dim}

    def _check(self, fine: bool, name: str, wanted: str) -> None:
        if not fine:
            raise OptionError(f"{name} is {getattr(self, name)!r}.", hint=f"it is {wanted}.")

    def _changed(self, names: tuple[str, ...]) -> list[str]:
        """Return those of some settings that are not as they are by default."""
        by_name = {each.name: each for each in fields(self)}
        defaults = {name: by_name[name].default for name in names}
        assert MISSING not in defaults.values()
        return [name for name in names if getattr(self, name) != defaults[name]]
