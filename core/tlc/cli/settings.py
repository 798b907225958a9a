"""``tlc config``."""

from __future__ import annotations

from pathlib import Path

from tlc.cli.columns import aligned
from tlc.configuration import Configuration


def settings() -> list[str]:
    """Return the configuration file, and a line per setting: name, value, source, variable."""
    configuration = Configuration.instance()
    path = configuration.file_path
    there = "" if Path(path).exists() else " (does not exist; defaults are used)"
    rows = [
        (option.name, str(option.value), f"from {option.source}", option.env)
        for option in configuration.describe()
    ]
    return [f"{path}{there}", *aligned(rows, indent="  ")]
