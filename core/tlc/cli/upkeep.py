"""``tlc doctor`` and ``tlc gc``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tlc.cli.columns import aligned
from tlc.errors import OptionError
from tlc.format.layout import project_root
from tlc.upkeep import collect_garbage, examine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.upkeep import Finding, Garbage

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def check(url: str | None, root: str | None, *, fix: bool) -> tuple[list[str], bool]:
    """Return what `examine` found, as lines, and whether nothing is damaged."""
    report = examine(url, root, repair=fix)
    lines = [
        f"{url or project_root(root)}: {report.tables:,} tables, {report.runs:,} runs, "
        f"{report.files:,} files, {report.size:,} bytes read"
    ]
    for title, findings in (("damaged", report.damages), ("notes", report.notes)):
        if findings:
            lines += [title, *(line for finding in findings for line in _told(finding))]
    if report.repaired:
        lines += ["done", *(f"  {text}" for text in report.repaired)]
    if not report.damages:
        lines.append("nothing is damaged")
    return lines, not report.damages


def collect(
    project: str | None, root: str | None, *, delete: bool, grace: str, also: Sequence[str]
) -> list[str]:
    """Return what `collect_garbage` found and did, as lines.

    Raises:
        OptionError: `grace` is no length of time.
    """
    garbage = collect_garbage(
        project, root, delete=delete, grace_seconds=_seconds(grace), also=also
    )
    lines = [f"{project_root(root)}{f'/{project}' if project else ''}"]
    lines += (
        aligned(
            [
                (kind, len(files), "files", sum(size for _, size in files), "bytes")
                for kind, files in sorted(garbage.files.items())
            ],
            indent="  ",
        )
        if garbage.files
        else ["  nothing that nobody needs"]
    )
    return lines + _kept(garbage, grace) + [_outcome(garbage, delete=delete)]


def _kept(garbage: Garbage, grace: str) -> list[str]:
    lines = []
    if garbage.young:
        lines.append(f"kept: {garbage.young:,} files that are not {grace} old yet")
    if garbage.running:
        lines.append(f"kept: {garbage.running:,} files of processes that still run")
    if garbage.held:
        lines.append(f"kept: {garbage.held:,} files that these may refer to, which are damaged:")
        lines += [f"  {url}: {reason}" for url, reason in sorted(garbage.blocked.items(), key=str)]
        lines.append("  `tlc doctor` says what can be done about them")
    return lines


def _outcome(garbage: Garbage, *, delete: bool) -> str:
    if delete:
        removed = f", {garbage.folders:,} empty folders and temporary files" * bool(garbage.folders)
        return f"deleted: {garbage.deleted:,} files{removed}"
    if garbage.count:
        return "nothing was deleted; `tlc gc --delete` deletes these files"
    return "nothing to delete"


def _told(finding: Finding) -> list[str]:
    lines = [f"  {finding.url}", f"    {finding.fault}"]
    lines += [f"    affects: {finding.affects}"] if finding.affects else []
    return lines + ([f"    what to do: {finding.remedy}"] if finding.remedy else [])


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if match is None:
        raise OptionError(f"{text!r} is no length of time.", hint="write 30m, 24h or 7d.")
    return float(match[1]) * _SECONDS[match[2]]
