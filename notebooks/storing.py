"""Making of an executed notebook what is kept: no trace of machine or time, and small."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

PICTURE_BYTES, NOTEBOOK_BYTES = 60_000, 400_000
_COLORS = 255
_NOISE = {
    "an error": re.compile(r"Traceback \(most recent call last\)"),
    "a warning": re.compile(r"\b\w*Warning\b"),
    "a progress bar": re.compile(r"\r(?!\n)|\d+(it|s|steps?)/s\b|\d+%\|"),
    "a path of one machine": re.compile(
        r"(?<![\w.<}:/])/(tmp|root|work|mnt|var|opt|Users/|home/)|[A-Z]:\\"
    ),
    "an address in memory": re.compile(r"\bat 0x[0-9a-f]{6,}"),
}


def scrub(notebook: NotebookNode, folder: Path) -> None:
    """Take out what another run would give otherwise, and make the pictures small.

    Args:
        notebook: Changed in place.
        folder: Where it was executed: its name is taken out of all texts.
    """
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: value for key, value in cell.metadata.items() if key == "tags"}
        )
        for output in cell.get("outputs", []):
            _scrub_output(output, str(folder))


def _scrub_output(output: NotebookNode, folder: str) -> None:
    if "metadata" in output:
        output.metadata = nbformat.from_dict({})
    if "text" in output:
        output.text = _without(output.text, folder)
    data = output.get("data", {})
    if "image/png" in data:
        data.pop("image/jpeg", None)  # PIL gives the same picture as both
    for kind, value in data.items():
        data[kind] = _small(value) if kind == "image/png" else _without(value, folder)


def _without(text: Any, folder: str) -> Any:
    return text.replace(f"{folder}/", "") if isinstance(text, str) else text


def _small(encoded: str) -> str:
    """Return a PNG in base64 with at most 255 colours, if that is smaller."""
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
    buffer = io.BytesIO()
    picture.quantize(_COLORS, Image.Quantize.MEDIANCUT).save(buffer, "PNG", optimize=True)
    small = base64.b64encode(buffer.getvalue()).decode()
    return min(small, encoded, key=len)


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook, in the form that Jupyter gives it."""
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def faults(notebook: NotebookNode) -> list[str]:
    """Return what keeps the outputs of a notebook from being stored."""
    found = _sizes(notebook)
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            where = f"cell {number}"
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append(f"{where}: an error or a warning")
            found += [
                f"{where}: {what}: {match[0]!r}"
                for text in _texts(output)
                for what, pattern in _NOISE.items()
                if (match := pattern.search(text))
            ]
    return found


def _texts(output: NotebookNode) -> list[str]:
    """Return what is text in an output; pictures inside HTML left out."""
    data = output.get("data", {})
    texts = [output.get("text", ""), *(v for k, v in data.items() if not k.startswith("image/"))]
    return [re.sub(r"base64,[\w+/=]+", "", text) for text in texts if isinstance(text, str)]


def _sizes(notebook: NotebookNode) -> list[str]:
    total = len(nbformat.writes(notebook))
    found = [f"{total} bytes, at most {NOTEBOOK_BYTES} wanted"] if total > NOTEBOOK_BYTES else []
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            size = len(output.get("data", {}).get("image/png", "")) * 3 // 4
            if size > PICTURE_BYTES:
                found.append(f"cell {number}: a picture of {size} bytes, {PICTURE_BYTES} wanted")
    return found
