"""Makes the golden project of this format, once: what it holds must be read forever.

``python -m tests.reliability.make_golden`` from the root of the repository, when the form on disk
has a new version. What is there already is never made anew: it stands for what users have.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from tests.reliability import sample_project

import tlc
from tlc.format.manifest import MAJOR, MINOR

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = "expected.json"
ROWS = 21


def main():
    folder = GOLDEN / f"format-{MAJOR}.{MINOR}"
    if folder.exists():
        sys.exit(f"{folder} is there already, and stands for what users have.")
    with tempfile.TemporaryDirectory() as made:
        sample_project.make(made, rows=ROWS)
        shutil.copytree(made, folder)
    text = json.dumps(contents(folder), sort_keys=True, ensure_ascii=False)
    (folder / EXPECTED).write_text(text + "\n", encoding="utf-8")


def contents(root):
    """Return all that the objects below a root say, as JSON data without the place of the root."""
    found = {}
    for path in sorted(root.rglob("*.json")):
        if path.name not in ("manifest.json", "opened.json"):
            continue
        name = path.parent.relative_to(root).as_posix()
        if path.parent.parent.name == "runs":
            found[name] = _plain(_run(str(path.parent)), str(root))
        else:
            found[name] = _plain(_table(str(path.parent)), str(root))
    return found


def _table(url):
    table = tlc.Table.from_url(url)
    origins, indices = table.row_keys()
    return {
        "id": table.id,
        "created": table.created,
        "description": table.description,
        "partial": table.is_partial,
        "schema": table.rows_schema.to_dict(),
        "rows": list(table.table_rows),
        "samples": list(table),
        "keys": [origins.to_pylist(), indices.tolist()],
        "inputs": [str(parent) for parent in table.input_tables],
        "revisions": [each.name for each in table.revisions()],
    }


def _run(url):
    run = tlc.Run.from_url(url)
    metrics = run.metrics()
    return {
        "id": run.id,
        "created": run.created,
        "constants": run.constants,
        "status": run.state.status.name,
        "inputs": [str(table) for table in run.input_tables],
        "metrics": metrics.to_pylist(),
    }


def _plain(value, root):
    """Return a value as JSON data: pixels and arrays by their digests, paths from the root."""
    if isinstance(value, Image.Image) and value.format == "JPEG":
        return [*value.size, value.mode]  # decoders may differ by a bit
    if isinstance(value, Image.Image | np.ndarray):
        return hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, dict):
        return {str(key): _plain(item, root) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, root) for item in value]
    return value.replace(f"{root}/", "") if isinstance(value, str) else value


if __name__ == "__main__":
    main()
