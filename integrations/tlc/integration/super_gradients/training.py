"""The place where checkpoints of SuperGradients know their run, and the table of a loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tlc.metrics._origin import Origin
from tlc.run.launch import this_rank
from tlc.table import Table

__all__ = ["earlier_run", "note_run", "table_of"]

_NOTE = "tlc_run.txt"


def note_run(folder: str | None, url: str) -> None:
    """Note the run beside the checkpoints of a training."""
    if folder and Path(folder).is_dir() and not this_rank().rank:
        Path(folder, _NOTE).write_text(url, encoding="utf-8")


def earlier_run(context: Any) -> str:
    """Return the url of the run that a training goes on with; empty if that is not known.

    Args:
        context: A ``PhaseContext`` of a training that goes on from a checkpoint.
    """
    path = getattr(context.training_params, "resume_path", None)
    folder = Path(path).parent if path else Path(context.ckpt_dir or ".")
    note = folder / _NOTE
    return note.read_text(encoding="utf-8") if note.is_file() else ""


def table_of(loader: Any) -> Table | None:
    """Return the table that the samples of a loader come from; None if that is not known."""
    found = Origin.of(getattr(loader, "dataset", None)).table
    return found if isinstance(found, Table) else None
