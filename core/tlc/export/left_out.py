"""Instances that a format cannot hold."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

from tlc.errors import ExportWarning

if TYPE_CHECKING:
    from tlc.url import Url


class LeftOut:
    """Counts what is left out, to say so at the end.

    Args:
        table: Url of the table.
        format: What the format is called.
    """

    def __init__(self, table: Url, format: str) -> None:
        self._table = table
        self._format = format
        self._count = 0
        self._first = 0

    def add(self, row: int) -> Literal[False]:
        """Count an instance of a row; returns False, for conditions."""
        if not self._count:
            self._first = row
        self._count += 1
        return False

    def warn(self) -> None:
        """Warn if there is anything."""
        if self._count:
            warnings.warn(
                f"{self._count} instances of {self._table} have no area inside of their image and "
                f"were left out of the {self._format} files; the first is in row {self._first} of "
                "those exported.",
                ExportWarning,
                stacklevel=5,
            )
