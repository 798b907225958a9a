"""Schemas of images and of masks that cover them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from tlc import constants
from tlc.errors import SchemaError
from tlc.schemas.columns import ColumnSchema
from tlc.schemas.labels import CategoricalLabelListSchema
from tlc.schemas.numbers import Int32Schema
from tlc.schemas.schema import Schema
from tlc.schemas.value_maps import Classes, MapElement, Number, ValueMap, make_value_map
from tlc.schemas.values import (
    ImageUrlStringValue,
    InstanceSegmentationRLEBytesStringValue,
    SegmentationMaskUrlStringValue,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas.arguments import BaseArguments, ColumnArguments


class ImageSchema(ColumnSchema):
    """Images. Rows hold their urls, whatever the sample type.

    Args:
        sample_type: ``"pil_png"``, ``"pil_jpeg"`` or ``"pil_webp"`` for samples that are PIL
            images; the format is that of files made for images that have none yet. ``"url"`` or
            None for samples that are the urls, so that nothing is opened.
        number_role_u: Number role of the horizontal pixel coordinate, for other columns to refer
            to.
        number_role_v: Number role of the vertical pixel coordinate.
        **arguments: `shape`, and those of `Schema`. `metadata` can hold what else is known about
            the images, such as the intrinsics of their camera.
    """

    def __init__(
        self,
        sample_type: str | None = "pil_png",
        *,
        number_role_u: str = "",
        number_role_v: str = "",
        **arguments: Unpack[BaseArguments],
    ) -> None:
        roles = {"number_role_u": number_role_u, "number_role_v": number_role_v}
        given = {name: role for name, role in roles.items() if role}
        arguments["metadata"] = {**(arguments.get("metadata") or {}), **given}
        super().__init__(ImageUrlStringValue(), sample_type=sample_type or "url", **arguments)


class SemanticSegmentationSchema(ColumnSchema):
    """Label images: PIL images whose pixels are class numbers. Rows hold their urls.

    Args:
        classes: Names of the classes, as of `CategoricalLabelSchema`.
        sample_type: ``"pil_png"`` or ``"pil_webp"`` for samples that are PIL images, ``"url"`` or
            None for urls.
        **arguments: `shape`, and those of `Schema`.

    Raises:
        SchemaError: The sample type would change pixels, or a class has no usable number or name.
    """

    def __init__(
        self,
        classes: Classes | None = None,
        *,
        sample_type: str | None = "pil_png",
        **arguments: Unpack[BaseArguments],
    ) -> None:
        if sample_type == "pil_jpeg":
            raise SchemaError(
                "JPEG changes pixels, which are class numbers here.", hint="Use 'pil_png'."
            )
        value = SegmentationMaskUrlStringValue(
            value_map=None if classes is None else make_value_map(classes)
        )
        super().__init__(value, sample_type=sample_type or "url", **arguments)


class SemanticSegmentationRleSchema(Schema):
    """Label maps of shape (H, W), stored as one run-length encoded mask for each class that occurs.

    The parts of a row are `image_height` and `image_width` in pixels, `rles`, and
    `instance_properties.label`, the class of each mask.

    Args:
        classes: Names of the classes, as of `CategoricalLabelSchema`.
        background: Number of pixels that belong to no class. It is no class itself: it is kept in
            the metadata, and not in the value map.
        void: Number of pixels that are not to be scored. In the value map it is the class whose
            internal name is `tlc.constants.VOID_CLASS`.
        **arguments: Those of `Schema`; no `shape`.

    Raises:
        SchemaError: Background and void are the same, or a class has no usable number or name.
    """

    def __init__(
        self,
        classes: Classes | None = None,
        *,
        background: int | None = None,
        void: int | None = None,
        **arguments: Unpack[ColumnArguments],
    ) -> None:
        value_map = None if classes is None else make_value_map(classes)
        if void is not None:
            value_map = _with_void(value_map or {}, void, background)
        given: dict[str, Any] = {"sample_type": "semantic_segmentation", **arguments}
        if background is not None:
            unnamed = (value_map or {}).pop(background, MapElement())
            names = {f"{constants.BACKGROUND}_class": unnamed.to_dict()} if unnamed.name else {}
            given["metadata"] = {
                **(given.get("metadata") or {}),
                constants.BACKGROUND: background,
                **names,
            }
        properties = {constants.LABEL: CategoricalLabelListSchema(value_map)}
        super().__init__(values=rle_parts(properties), **given)


def rle_parts(properties: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the parts of a column of masks: their image's size, their counts, and properties.

    Args:
        properties: Name to the schema of one item per mask.
    """
    return {
        constants.IMAGE_HEIGHT: Int32Schema(
            number_role=constants.NUMBER_ROLE_IMAGE_HEIGHT, writable=False
        ),
        constants.IMAGE_WIDTH: Int32Schema(
            number_role=constants.NUMBER_ROLE_IMAGE_WIDTH, writable=False
        ),
        constants.RLES: ColumnSchema(InstanceSegmentationRLEBytesStringValue(), shape=(-1,)),
        constants.INSTANCE_PROPERTIES: Schema(values=properties),
    }


def _with_void(value_map: ValueMap, void: int, background: int | None) -> dict[Number, MapElement]:
    if void == background:
        raise SchemaError(f"Both background and void are {void}.", hint="Give them two numbers.")
    named = value_map.get(void, MapElement("void"))
    element = MapElement(
        constants.VOID_CLASS,
        named.display_name or named.internal_name,
        named.description,
        named.display_color,
        named.url,
    )
    return {**value_map, void: element}
