"""Schemas of tables made from COCO files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tlc import constants
from tlc.data_types import BoundingBoxes2D, Keypoints2D, SegmentationMasks, SegmentationPolygons
from tlc.importers.coco_arrays import JSON
from tlc.schemas import ImageSchema, Int64Schema, MapElement, Schema
from tlc.schemas.arrow import schema_from_arrow_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.importers.coco_records import Category

IMAGE, IMAGE_ID = constants.IMAGE, "image_id"
ANNOTATION_ID, AREA = "annotation_id", "area"
JSON_TEXT = "json"
"""Member of the metadata of texts that are JSON."""

MEMBER = "coco_member"
"""Member of the metadata of what other members became, with their name in the file."""


@dataclass(frozen=True)
class Options:
    """What the caller wants of a COCO file.

    Attributes:
        task: ``"detect"``, ``"segment"`` or ``"pose"``.
        segmentation_format: ``"polygons"`` or ``"masks"``.
        include_iscrowd: Whether instances tell whether they are crowds.
        keep_crowd_annotations: Whether crowds are instances at all.
        skeleton: Arguments of `tlc.data_types.Keypoints2D.schema`, None for what is not given.
        check_images: Whether to compare sizes with those of the images.
        encoding: Encoding of the file; None for UTF-8.
    """

    task: str
    segmentation_format: str
    include_iscrowd: bool
    keep_crowd_annotations: bool
    skeleton: Mapping[str, Any]
    check_images: bool = False
    encoding: str | None = None


def annotation_name(task: str) -> str:
    """Return the name of the column of annotations."""
    return {
        "detect": constants.BOUNDING_BOXES,
        "segment": constants.SEGMENTATIONS,
        "pose": constants.KEYPOINTS_2D,
    }[task]


def annotation_schema(
    options: Options,
    categories: list[Category],
    keypoints: int,
    extras: Mapping[str, Schema],
    *,
    confidence: bool,
) -> Schema:
    """Return the schema of the column of annotations.

    Args:
        options: What the caller wants.
        categories: The categories of the file.
        keypoints: How many keypoints an instance has.
        extras: Schemas of what instances have besides.
        confidence: Whether instances have confidences.
    """
    classes = {
        each.id: MapElement(each.name, description=each.supercategory or "") for each in categories
    }
    given: dict[str, Any] = {
        "classes": classes,
        "per_instance_schemas": extras,
        "include_per_instance_confidence": confidence,
    }
    if options.task == "detect":
        return BoundingBoxes2D.schema(**given)
    if options.task == "pose":
        return Keypoints2D.schema(
            num_keypoints=keypoints,
            include_per_point_visibility=True,
            **given,
            **_skeleton(options.skeleton, categories, keypoints),
        )
    masks = options.segmentation_format == "masks"
    return (SegmentationMasks if masks else SegmentationPolygons).schema(**given)


def image_schemas(extras: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the schemas of the columns of images; all but the image are hidden from samples."""
    return {
        IMAGE: ImageSchema(sample_type="url"),
        IMAGE_ID: Int64Schema(sample_type="hidden", writable=False),
        **extras,
    }


def extra_schema(kind: pa.DataType, name: str, member: str) -> Schema:
    """Return the schema of a member that only some files have.

    Args:
        kind: Type of its cells.
        name: What it is called in the table.
        member: What it is called in the file.
    """
    schema = schema_from_arrow_type(pa.string() if kind == JSON else kind)
    if kind == JSON:
        schema.metadata[JSON_TEXT] = True
    schema.metadata[MEMBER] = member
    return schema


def free_name(member: str, taken: set[str]) -> str:
    """Return a name for a member that is not taken, and take it."""
    name = "".join(c if c.isprintable() else "_" for c in member) or "_"
    while name in taken:
        name = f"coco_{name}"
    taken.add(name)
    return name


def _skeleton(
    given: Mapping[str, Any], categories: list[Category], keypoints: int
) -> dict[str, Any]:
    """Return the arguments of the caller, with names and lines of a category in place of None."""
    known = {name: value for name, value in given.items() if value is not None}
    named = next((each for each in categories if each.keypoints), None)
    if named is None or len(named.keypoints or ()) != keypoints:
        return known
    known.setdefault("point_attributes", named.keypoints)
    # They count from 1; some files of a single point have the whole of something else.
    lines = [point - 1 for pair in named.skeleton or () for point in pair]
    if lines and all(0 <= point < keypoints for point in lines):
        known.setdefault("lines", lines)
    return known
