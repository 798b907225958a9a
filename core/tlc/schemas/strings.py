"""Schemas of texts, and of urls whose files samples do not open."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Unpack, cast

from tlc import constants
from tlc.schemas.columns import ColumnSchema
from tlc.schemas.values import StringValue

if TYPE_CHECKING:
    from tlc.schemas.arguments import ColumnArguments


class StringSchema(ColumnSchema):
    """Texts.

    Args:
        string_role: What the texts are: one of `tlc.constants.STRING_ROLE_*`, or ``"URL/..."`` with
            a word of one's own; the usual role of the class if not given.
        **arguments: `shape`, and those of `Schema`.
    """

    usual: ClassVar[ColumnArguments] = {}
    """Arguments that the caller need not give."""

    usual_role: ClassVar[str] = constants.STRING_ROLE_NONE
    """String role if none is given."""

    def __init__(
        self, *, string_role: str | None = None, **arguments: Unpack[ColumnArguments]
    ) -> None:
        value = StringValue(self.usual_role if string_role is None else string_role)
        super().__init__(value, **cast("ColumnArguments", {**self.usual, **arguments}))


class DatetimeStringSchema(StringSchema):
    """Dates, or dates and times, as ISO 8601 text. Arguments: see `StringSchema`."""

    usual_role = constants.STRING_ROLE_DATETIME


class UrlSchema(StringSchema):
    """Urls of anything. Rows and samples hold strings. Arguments: see `StringSchema`."""

    usual: ClassVar[ColumnArguments] = {"sample_type": "url"}
    usual_role = constants.STRING_ROLE_URL


class VideoUrlSchema(UrlSchema):
    """Urls of videos. Rows and samples hold strings. Arguments: see `StringSchema`."""

    usual_role = constants.STRING_ROLE_VIDEO_URL


class ExternalNumpyArraySchema(StringSchema):
    """NumPy arrays of any shape, in a `.npy` file each. Arguments: see `StringSchema`.

    Rows hold the urls of the files. Arrays of a shape known before fit better in the row itself,
    with ``Float32Schema(shape=..., sample_type="numpy_array")``.
    """

    usual: ClassVar[ColumnArguments] = {"sample_type": "external_numpy_array"}
    usual_role = constants.STRING_ROLE_ARRAY_URL


class ExternalTorchTensorSchema(StringSchema):
    """Torch tensors of any shape, in a `.npy` file each. Arguments: see `StringSchema`.

    Rows hold the urls of the files. Tensors of a shape known before fit better in the row itself,
    with ``Float32Schema(shape=..., sample_type="torch_tensor")``.
    """

    usual: ClassVar[ColumnArguments] = {"sample_type": "external_torch_tensor"}
    usual_role = constants.STRING_ROLE_ARRAY_URL
