"""What a check of a project finds."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tlc.url import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from tlc.url import Url


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        url: The file or folder.
        fault: What is wrong with it.
        affects: What cannot be read because of it, or goes wrong; empty if nothing does.
        remedy: What can be done about it.
        is_damage: Whether something that was stored cannot be read any more; else it is a note.
        repair: Does what is safe to do, and returns what it did; None if nothing is.
    """

    url: Url
    fault: str
    affects: str = ""
    remedy: str = ""
    is_damage: bool = True
    repair: Callable[[], str] | None = None


@dataclass
class Report:
    """What `examine` looked at, and what it found.

    Attributes:
        tables: Number of tables, metrics tables among them.
        runs: Number of runs.
        files: Number of files of data and bulk data that were read in full.
        size: Bytes of those files.
        findings: What is wrong, in the order of the urls.
        repaired: What was done about it.
    """

    tables: int = 0
    runs: int = 0
    files: int = 0
    size: int = 0
    findings: list[Finding] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    @property
    def damages(self) -> list[Finding]:
        """What cannot be read any more."""
        return [finding for finding in self.findings if finding.is_damage]

    @property
    def notes(self) -> list[Finding]:
        """What is worth knowing, though nothing is lost."""
        return [finding for finding in self.findings if not finding.is_damage]


def removal(url: Url, *, is_file: bool = False) -> str:
    """Return the command that deletes a folder, or a file."""
    adapter, url = UrlAdapterRegistry.resolve(url)
    path = adapter.local_path(url)
    if path is None:
        return f"delete the {'file' if is_file else 'folder'} {url}"
    return f"rm {'' if is_file else '-r '}{shlex.quote(str(path))}"


def listed(names: list[str], most: int = 5) -> str:
    """Return names with commas, the first few of many."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
