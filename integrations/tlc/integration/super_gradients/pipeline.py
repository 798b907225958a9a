"""A model's own prediction pipeline, run over images of a table while it is trained."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc._optional import require
from tlc.errors import MetricsError, OptionError
from tlc.integration.super_gradients._framework import part
from tlc.integration.super_gradients.features import Features
from tlc.metrics import PredictorOutput

if TYPE_CHECKING:
    from tlc.integration.super_gradients.pipeline_params import PipelineParams

__all__ = ["KINDS", "ImagePipeline", "PipelineOutput"]

KINDS = {
    "detection": "DetectionPipeline",
    "pose": "PoseEstimationPipeline",
    "classification": "ClassificationPipeline",
    "segmentation": "SegmentationPipeline",
}
"""What a model finds, to the class of its pipeline."""

_OTHER_NAMES = {"max_predictions": "post_nms_max_predictions"}  # as pose models call it


@dataclass
class PipelineOutput(PredictorOutput):
    """What a pipeline made of images: `forward` is a list of SuperGradients' predictions of images.

    Attributes:
        raw: The logits of a classifier, of shape (B, C); None of other models.
        features: Pooled features, float32 of shape (B, D), if they were asked for.
    """

    raw: Any = None
    features: np.ndarray[Any, Any] | None = None


class ImagePipeline:
    """Predicts as ``model.predict`` does, but with the weights as they are now.

    Args:
        net: The model that is trained, which knows how images are prepared.
        model: The model that predicts: the same, or its moving average.
        params: Parameters of the pipeline.
        batch_size: Images that go through the model together.
        with_features: Whether features are asked for.
        fp16: Whether to predict in mixed precision.

    Raises:
        MetricsError: The model has no pipeline, or does not know how images are prepared.
        OptionError: Its pipeline has no such parameter.
    """

    def __init__(
        self,
        net: Any,
        model: Any,
        params: PipelineParams,
        *,
        batch_size: int,
        with_features: bool,
        fp16: bool,
    ) -> None:
        self._pipeline = _pipeline_of(net, params, fp16=fp16)
        self._pipeline.model = model
        self._batch_size = batch_size
        self._features = Features(model, self.kind) if with_features else None

    @property
    def model(self) -> Any:
        """The model that predicts."""
        return self._pipeline.model

    @property
    def kind(self) -> str:
        """What the model finds: one of `KINDS`."""
        for kind, name in KINDS.items():
            if isinstance(self._pipeline, part("training.pipelines.pipelines", name)):
                return kind
        raise MetricsError(
            f"The pipeline {type(self._pipeline).__name__!r} is not known.",
            hint="override compute_metrics, or give metrics_collectors.",
        )

    def __call__(self, images: list[np.ndarray[Any, Any]]) -> PipelineOutput:
        """Predict.

        Args:
            images: uint8 of shape (H, W, 3), in RGB.
        """
        predictions: list[Any] = []
        raw: list[Any] = []
        features: list[Any] = []
        hook = self.model.register_forward_hook(partial(_keep, raw))
        try:
            for start in range(0, len(images), self._batch_size):
                some = images[start : start + self._batch_size]
                predictions += self._predict(some, features)
                if self.kind != "classification":
                    raw.clear()
        finally:
            hook.remove()
        torch = require("torch", extra="torch", purpose="to predict")
        return PipelineOutput(
            predictions,
            raw=torch.cat(raw) if raw else None,
            features=np.concatenate(features) if features else None,
        )

    def _predict(self, images: list[Any], features: list[Any]) -> list[Any]:
        pipeline = self._pipeline
        try:
            if self._features is None:
                return list(pipeline._generate_prediction_result_single_batch(images))
            with self._features as found:
                made = list(pipeline._generate_prediction_result_single_batch(images))
                features.append(found.pooled())
            return made
        except ValueError as error:
            if "different shapes" in str(error):
                error.add_note("Hint: pass batch_size=1, or transforms that make sizes equal.")
            raise


def _pipeline_of(net: Any, params: PipelineParams, *, fp16: bool) -> Any:
    method = getattr(type(net), "_get_pipeline", None)
    if method is None:
        raise MetricsError(
            f"{type(net).__name__!r} has no prediction pipeline.",
            hint='give metrics_collectors and collect_on="validation", or a model of SuperGradients'
            " that can predict.",
        )
    for name in ("_edge_links", "_edge_colors"):
        if getattr(net, name, ()) is None:
            setattr(net, name, [])  # of a table without skeleton; the model takes that for unset
    made = inspect.unwrap(method)  # or it would be cached, and keep the model alive
    try:
        return made(net, fuse_model=False, fp16=fp16, **_arguments(made, params))
    except RuntimeError as error:
        raise MetricsError(
            f"{type(net).__name__!r} does not know how images are to be prepared.",
            hint="validate on a dataset of tlc.integration.super_gradients whose transforms are"
            " not random, or call model.set_dataset_processing_params.",
        ) from error


def _arguments(method: Any, params: PipelineParams) -> dict[str, Any]:
    known = inspect.signature(method).parameters
    found = {}
    for name, value in params.given().items():
        own = name if name in known else _OTHER_NAMES.get(name, name)
        if own not in known:
            raise OptionError(
                f"The prediction pipeline of the model has no {name!r}.",
                hint="leave it out of pipeline_params.",
            )
        found[own] = value
    return found


def _keep(found: list[Any], _model: object, _inputs: object, output: Any) -> None:
    found.append(output)
