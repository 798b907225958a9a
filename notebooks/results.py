"""What a notebook claims, as numbers: the dict that its cell with the tag "results" shows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

TAG = "results"


def results(notebook: NotebookNode) -> dict[str, Any]:
    """Return the dict that is the output of the cell with the tag "results".

    Raises:
        ValueError: There is not one such cell, or it shows no dict of plain values.
    """
    cells = [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
    shown = [o.data["text/plain"] for c in cells for o in c.outputs if "data" in o]
    if len(shown) != 1:
        raise ValueError(f"One cell with the tag {TAG!r} that shows a dict, please: {shown}.")
    found = ast.literal_eval(shown[0])
    if not isinstance(found, dict):
        raise ValueError(f"The results are no dict: {shown[0]}")
    return found
