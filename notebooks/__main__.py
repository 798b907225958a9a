"""Run the notebooks and store their outputs; with words, those that have one in their name.

They run as the tests run them: with the data that is at hand, without the network. With ``--full``
they take the full public data sets, and nothing is stored.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from notebooks.execution import FULL, execute, paths, read
from notebooks.results import results
from notebooks.storing import faults, scrub, write


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m notebooks", description=__doc__)
    parser.add_argument("words", nargs="*", help="run only these notebooks")
    parser.add_argument("--full", action="store_true", help="take the full public data sets")
    arguments = parser.parse_args()
    os.environ.pop(FULL, None)
    if arguments.full:
        os.environ[FULL] = "1"
    ends = [_run(path, store=not arguments.full) for path in paths(arguments.words)]
    sys.exit(1 if any(ends) or not ends else 0)


def _run(path: Path, *, store: bool) -> list[str]:
    """Execute a notebook and store it, unless its outputs have faults, which are returned."""
    started = time.monotonic()
    notebook = read(path)
    with TemporaryDirectory() as folder:
        execute(notebook, Path(folder).resolve())
        scrub(notebook, Path(folder).resolve())
    found = faults(notebook) if store else []
    if store and not found:
        write(notebook, path)
    print(f"{path.name}: {time.monotonic() - started:.0f} s", results(notebook), *found, sep="\n  ")
    return found


main()
