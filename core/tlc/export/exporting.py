"""What ``table.export`` does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tlc.errors import OptionError
from tlc.export.registry import choose_exporter, find_exporter
from tlc.url import Url

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from tlc.table import Table


def export_table(
    table: Table,
    output_url: Url | str | os.PathLike[str],
    format: str | None,
    weight_threshold: float,
    options: Mapping[str, Any],
) -> Url:
    """Write a table in a format and return where; see `tlc.Table.export`."""
    if not math.isfinite(weight_threshold):
        raise OptionError(
            f"weight_threshold is {weight_threshold}.", hint="it is a number; 0 exports all rows."
        )
    place = Url(output_url).to_absolute()
    exporter = choose_exporter(table, place) if format is None else find_exporter(format)
    exporter.export(table, place, weight_threshold, options)
    return place
