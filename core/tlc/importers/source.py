"""What every importer returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlc.importers.report import ImportReport
    from tlc.schemas import Schema

Batch = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """Columns to be made a table, read when they are needed.

    Attributes:
        kind: Name of the importer.
        batches: Gives the rows, as batches of columns of equal length.
        schema: Schemas of columns; those without one are inferred.
        fingerprint: Tells whether two imports had the same input, without reading it all. Empty for
            data in memory, which is compared itself.
        report: Tells, after all batches were taken, what was found on the way; None if the importer
            does not look for anything.
    """

    kind: str
    batches: Callable[[], Iterator[Batch]]
    schema: Mapping[str, Schema] = field(default_factory=dict)
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    report: Callable[[], ImportReport | None] = lambda: None
