"""The closed sets of words that urls know."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["IfExistsOption", "Scheme"]


class Scheme(StrEnum):
    """The schemes that `tlc` knows by name. An adapter may add others, which are plain strings."""

    FILE = "file"
    MEMORY = "memory"
    S3 = "s3"
    GS = "gs"
    ABFS = "abfs"
    HTTP = "http"
    HTTPS = "https"


class IfExistsOption(StrEnum):
    """What to do when something exists already where something is to be written."""

    OVERWRITE = "overwrite"
    """Replace it."""

    RAISE = "raise"
    """Raise an error."""

    RENAME = "rename"
    """Write to a similar url that is free."""

    REUSE = "reuse"
    """Use what is there and write nothing."""
