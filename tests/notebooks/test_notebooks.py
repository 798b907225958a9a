"""Every notebook runs without the network, finds what it claims, and is stored as it ran.

`python -m notebooks` stores them; `expected.py` has what each has to find.
"""

from __future__ import annotations

import re
import resource

import pytest
from notebooks.execution import FOLDER, FULL, execute, paths, read
from notebooks.results import results
from notebooks.storing import faults, scrub
from tests.notebooks.expected import EXPECTED, misses

SECONDS, CELLS = 60, 30
NOTEBOOKS = pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)


@NOTEBOOKS
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of sockets of zmq and tornado
def test_a_notebook_finds_what_it_claims(path, tmp_path):
    notebook = read(path)
    before = processor_seconds()
    execute(notebook, tmp_path, cell_timeout=4 * SECONDS)
    assert processor_seconds() - before < 2 * SECONDS  # a minute of two cores
    assert misses(results(notebook), path.stem) == {}
    scrub(notebook, tmp_path)  # as it would be stored
    assert faults(notebook) == []


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@NOTEBOOKS
def test_a_notebook_is_stored_with_its_outputs(path):
    notebook = read(path)
    assert misses(results(notebook), path.stem) == {}
    assert faults(notebook) == []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("image/png" in o.get("data", {}) for cell in code for o in cell.outputs)


@NOTEBOOKS
def test_a_notebook_reads_as_a_text(path):
    """It is no longer than a person reads, and a heading says what it is about."""
    notebook = read(path)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert len(notebook.cells) <= CELLS
    assert notebook.cells[0].source.startswith("# ")
    assert len(texts) >= len(notebook.cells) // 3
    assert FULL in "".join(cell.source for cell in notebook.cells)


def test_every_notebook_has_a_line_in_the_readme():
    """In its order; and what it finds is known."""
    listed = re.findall(r"\]\((\d\d-[\w-]+)\.ipynb\)", (FOLDER / "README.md").read_text("utf-8"))
    assert listed == [path.stem for path in paths()] == sorted(EXPECTED)
