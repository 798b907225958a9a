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


class LateFingerprint(Mapping[str, Any]):
    """A fingerprint that an import finds in passing, or that is made when it is asked for.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make
        self._content: Mapping[str, Any] | None = None

    def note(self, content: Mapping[str, Any]) -> None:
        """Take what an import found, so that it need not be made."""
        self._content = content

    def _wanted(self) -> Mapping[str, Any]:
        if self._content is None:
            self._content = self._make()
        return self._content

    def __getitem__(self, name: str) -> Any:
        return self._wanted()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._wanted())

    def __len__(self) -> int:
        return len(self._wanted())
