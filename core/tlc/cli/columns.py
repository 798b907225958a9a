"""Lines of text in aligned columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[object]], *, indent: str = "") -> list[str]:
    """Return one line per row; columns are as wide as their widest cell, numbers to the right."""
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        indent + "  ".join(_cells(row, widths, values)).rstrip()
        for row, values in zip(cells, rows, strict=True)
    ]


def _cells(texts: Sequence[str], widths: Sequence[int], values: Sequence[object]) -> list[str]:
    return [
        text.rjust(width) if isinstance(value, int | float) else text.ljust(width)
        for text, width, value in zip(texts, widths, values, strict=True)
    ]


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
