"""`PoseEstimationDataset`: poses of a table for SuperGradients' pose models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import IS_CROWD
from tlc.helpers import AnnotationType, KeypointHelper
from tlc.integration.super_gradients._framework import part
from tlc.integration.super_gradients.images import as_array
from tlc.integration.super_gradients.skeleton import Skeleton
from tlc.integration.super_gradients.table_dataset import (
    TableDataset,
    annotation_column,
    check_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.data_types import Keypoints2D
    from tlc.table import Table

__all__ = ["PoseEstimationDataset"]

_AT = "training.datasets.pose_estimation_datasets.abstract_pose_estimation_dataset"
_NAME = "AbstractPoseEstimationDataset"
_BASE = part(_AT, _NAME)
_AREA = "area"
_AREA_OF_BOX = 0.53  # what COCO's people cover of their boxes, as SuperGradients has it
_VISIBLE = 2


class PoseEstimationDataset(TableDataset, part(_AT, _NAME)):  # type: ignore[misc]
    """A pose estimation dataset of SuperGradients over a table.

    Samples are ``PoseEstimationSample``: the image in BGR, as of SuperGradients' dataset of COCO,
    joints of shape (N, K, 3) with their visibility, boxes, areas, and a mask that is 0 where the
    box of a crowd is (``iscrowd``). Joints without visibilities are visible; poses without boxes
    get those of their visible joints; without ``area``, 0.53 of the box counts. Row i is sample i,
    whatever a mixing transform adds to it, and rows without poses are samples, too.

    Args:
        table: The table.
        transforms: Transforms of SuperGradients for keypoints, or their names and parameters.
        image_column_name: Column of images.
        label_column_name: Column of keypoints; None for the first one.

    Attributes:
        num_joints: Number of joints of a pose, K.
        edge_links: Pairs of the numbers of joints that lines connect.
        edge_colors: Red, green and blue of each line, from 0 to 255.
        keypoint_colors: The same of each joint.

    Raises:
        OptionError: A table is needed, and something else is given.
        ColumnNotFoundError: There is no such column.
    """

    def __init__(
        self,
        table: Table,
        transforms: Sequence[Any] = (),
        *,
        image_column_name: str = "image",
        label_column_name: str | None = None,
    ) -> None:
        check_table(table)
        column = annotation_column(table, label_column_name, AnnotationType.KEYPOINTS).name
        TableDataset.__init__(self, table, image_column_name, column)
        skeleton = Skeleton.of(table, column)
        names = part("common.factories.list_factory", "ListFactory")(
            part("common.factories.transforms_factory", "TransformsFactory")()
        )
        _BASE.__init__(
            self,
            transforms=names.get(list(transforms)),
            num_joints=KeypointHelper.get_keypoint_shape_from_table(table, column)[0],
            edge_links=skeleton.links,
            edge_colors=skeleton.link_colors or [(0, 0, 0)],  # none at all it cannot have
            keypoint_colors=skeleton.point_colors,
        )
        self.edge_colors = skeleton.link_colors

    def __getitem__(self, index: int) -> Any:
        """Return a sample, after the transforms."""
        return _BASE.__getitem__(self, index)

    def load_sample(self, index: int) -> Any:
        """Return a sample before the transforms.

        Args:
            index: Number of the row.
        """
        value, poses = self.read(index, self.image_column_name, self.label_column_name)
        image = np.ascontiguousarray(as_array(value)[:, :, ::-1])
        joints = self._joints(poses)
        boxes = _boxes(poses, joints)
        boxes[:, 2:] -= boxes[:, :2]
        extras = poses.per_instance_extras
        crowd = np.array(extras.get(IS_CROWD, np.zeros(len(joints))), bool)
        areas = extras.get(_AREA, boxes[:, 2] * boxes[:, 3] * _AREA_OF_BOX)
        return part("training.samples", "PoseEstimationSample")(
            image=image,
            mask=_mask(image.shape[:2], boxes[crowd]),
            joints=joints,
            areas=np.array(areas, np.float32),
            bboxes_xywh=boxes,
            is_crowd=crowd,
            additional_samples=None,
        )

    def get_dataset_preprocessing_params(self) -> dict[str, Any]:
        """Return how a model is to treat RGB images so that they are like those of samples."""
        params: dict[str, Any] = _BASE.get_dataset_preprocessing_params(self)
        compose, reverse = (
            getattr(part("common.object_names", "Processings"), name)
            for name in ("ComposeProcessing", "ReverseImageChannels")
        )
        params["image_processor"][compose]["processings"].insert(0, {reverse: {}})
        return params

    def _joints(self, poses: Keypoints2D) -> np.ndarray[Any, Any]:
        shape = poses.num_instances, self.num_joints
        points = np.reshape(poses.keypoints, (*shape, 2))
        states = poses.keypoint_visibilities
        states = np.full(shape, _VISIBLE) if states is None else np.reshape(states, shape)
        return np.concatenate([points, states[..., None]], axis=2).astype(np.float32)


def _boxes(poses: Keypoints2D, joints: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a box (x_min, y_min, x_max, y_max) of each pose, of shape (N, 4)."""
    visible = joints[..., 2:] > 0
    points = joints[..., :2]
    low = points.min(axis=1, where=visible, initial=np.inf)
    high = points.max(axis=1, where=visible, initial=-np.inf)
    around = np.concatenate([low, high], axis=1)
    around[~visible.any(axis=(1, 2))] = 0  # of a pose that nothing is known of
    if poses.bounding_boxes is None:
        return around.astype(np.float32)
    known: np.ndarray[Any, Any] = np.where(
        np.isnan(poses.bounding_boxes), around, poses.bounding_boxes
    )
    return known.astype(np.float32)


def _mask(size: tuple[int, ...], crowds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return float32 of shape (H, W): 0 in the boxes (x, y, w, h) of crowds, else 1."""
    mask = np.ones(size, np.float32)
    for x, y, width, height in crowds:
        rows = slice(max(int(y), 0), int(np.ceil(y + height)))
        mask[rows, max(int(x), 0) : int(np.ceil(x + width))] = 0
    return mask
