"""Turns the notebooks, with what they put out, into pages of the site."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from mkdocs.structure.files import File
from site_links import address, redirected

FENCE = "`" * 4
INDEX = "notebooks/index.md"


def notebooks(config):
    """Return the notebooks in their order."""
    return sorted((Path(config.config_file_path).parent / "notebooks").glob("*.ipynb"))


def on_config(config):
    """Put all of them below their index in the navigation."""
    for item in config.nav:
        if item.get("Notebooks") == INDEX:
            pages = [address(f"notebooks/{path.name}") for path in notebooks(config)]
            item["Notebooks"] = [INDEX, *pages]
    return config


def on_files(files, *, config):
    """Add a page for each notebook, and its pictures."""
    for path in notebooks(config):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        uri = address(f"notebooks/{path.name}")
        pictures = {}
        content = "\n\n".join(part for cell in cells for part in parts(cell, path, pictures))
        files.append(File.generated(config, uri, content=content))
        for name, picture in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=picture))
    return files


def parts(cell, path, pictures):
    """Yield the Markdown of a cell and of what it puts out; pictures go into a dict by name."""
    text = "".join(cell["source"])
    if cell["cell_type"] != "code":
        yield redirected(text, f"notebooks/{path.name}")
        return
    yield f"{FENCE}python\n{text}\n{FENCE}"
    for output in cell["outputs"]:
        data = output.get("data", {"text/plain": output.get("text", "")})
        if "image/png" in data:
            name = f"{path.stem}-{len(pictures) + 1}.png"
            pictures[name] = base64.b64decode("".join(data["image/png"]))
            yield f"![what the cell above draws]({name})"
        elif "text/html" in data:
            lines = "".join(data["text/html"]).splitlines()
            yield "\n".join(['<div class="output">', *filter(str.strip, lines), "</div>"])
        else:
            yield f"{FENCE}text\n{''.join(data['text/plain'])}\n{FENCE}"
