"""Sample types of values without files: as they are, urls, dictionaries as JSON text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tlc.errors import SchemaError
from tlc.sample_types.base import EncodedSample, ExternalizationContext, SampleType, written
from tlc.sample_types.registry import register_sample_type
from tlc.sample_types.row_urls import is_url_like, to_row_url, to_sample_url

if TYPE_CHECKING:
    from tlc.sample_types.row_urls import UrlLike


class Identity(SampleType):
    """Both forms are the same: the sample type of schemas that name none."""

    is_identity = True

    def accepts(self, value: Any) -> bool:
        """Return False: every value is in row form."""
        return False

    def to_row(self, sample: Any, context: ExternalizationContext) -> Any:
        """Return `sample`."""
        return sample

    def from_row(self, row: Any) -> Any:
        """Return `row`."""
        return row


@register_sample_type("hidden")
class Hidden(Identity):
    """The column is in rows, but not in samples."""

    is_included_in_sample = False


@register_sample_type("url")
class UrlSampleType(SampleType):
    """A url as a string: absolute or with an alias in rows, absolute without alias in samples.

    The content of a file, as an `EncodedSample`, is written to a file of the table.
    """

    elementwise = True

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a relative string, a `Path`, a `Url` or an `EncodedSample`."""
        return is_url_like(value) or isinstance(value, EncodedSample)

    def to_row(self, sample: UrlLike | EncodedSample, context: ExternalizationContext) -> str:
        """Return the url as rows have it. Relative ones are resolved from the working directory."""
        return written(sample, context) if isinstance(sample, EncodedSample) else to_row_url(sample)

    def from_row(self, row: str | None) -> str | None:
        """Return the absolute url; None for None."""
        return None if row is None else to_sample_url(row)


class DictSampleType(SampleType):
    """A dictionary as JSON text: the sample type of a `DictValue` that names none.

    A string is taken for JSON text in row form, so that only other values are converted.
    """

    elementwise = True

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is no string."""
        return not isinstance(value, str)

    def to_row(self, sample: Any, context: ExternalizationContext) -> str:
        """Return a dictionary as JSON text. Arrays become lists, and keys strings.

        Raises:
            SchemaError: JSON cannot hold something in it.
        """
        try:
            return json.dumps(sample, ensure_ascii=False, default=_as_list)
        except (TypeError, ValueError) as error:
            raise SchemaError(
                f"The dictionary cannot be stored as JSON: {error}.",
                hint="Use strings, numbers, lists and dictionaries.",
            ) from error

    def from_row(self, row: str | None) -> Any:
        """Return the dictionary of a JSON text; None for None."""
        return None if row is None else json.loads(row)


def _as_list(value: Any) -> Any:
    if callable(as_list := getattr(value, "tolist", None)):
        return as_list()
    raise TypeError(f"{type(value).__name__!r} is no type of JSON")
