"""Running a notebook in a kernel of this interpreter, in a folder of its own."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbformat import NotebookNode

FOLDER = Path(__file__).parent
FULL = "TLC_NOTEBOOK_FULL"
"""Environment variable that makes notebooks take the full public data sets, from the network."""

WARNINGS = [
    "IProgress not found",  # of tqdm, where there is no ipywidgets
    "pkg_resources is deprecated",  # of torchmetrics 0.10, which the tests have
    "`isinstance(treespec",  # of lightning about itself
]
"""How those warnings start that are not shown: others' that a reader can do nothing about."""


def is_full() -> bool:
    """Return whether notebooks take the full public data sets."""
    return os.environ.get(FULL) == "1"


class ThisInterpreter(AsyncKernelManager):
    """Starts kernels with the interpreter that runs this, whatever kernels are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """What to start."""
        return KernelSpec(argv=make_ipkernel_cmd(), display_name="Python 3", language="python")


def paths(words: Iterable[str] = ()) -> list[Path]:
    """Return the notebooks in order; with `words`, those that have one of them in their name."""
    wanted = tuple(words)
    every = sorted(FOLDER.glob("[0-9][0-9]-*.ipynb"))
    return [path for path in every if not wanted or any(word in path.stem for word in wanted)]


def read(path: Path) -> NotebookNode:
    """Return a notebook as it is stored.

    Raises:
        ValidationError: It is none.
    """
    return nbformat.read(path, as_version=4)


def execute(notebook: NotebookNode, folder: Path, cell_timeout: float | None = None) -> None:
    """Run all cells, which replaces their outputs.

    Projects, caches and whatever else is written go to `folder`, which is also the working folder.
    The network is off unless they take the full public data sets.

    Args:
        notebook: Changed in place.
        folder: An empty folder.
        cell_timeout: Seconds that one cell may take; None for no limit.

    Raises:
        CellExecutionError: A cell has raised.
        CellTimeoutError: A cell took too long.
    """
    importlib.import_module("matplotlib.font_manager")  # says so when it does this the first time
    client = NotebookClient(
        notebook,
        kernel_manager_class=ThisInterpreter,
        timeout=cell_timeout,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]
    if not is_full():
        start = "--IPKernelApp.exec_lines=import notebooks.offline as _; del _"
        client.extra_arguments.append(start)
    client.execute(env=environment(folder))


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a kernel that keeps all it writes in `folder`."""
    sources = [str(FOLDER.parent), *(os.path.abspath(place) for place in sys.path if place)]
    # One thread gives the same numbers as in the tests, which share the cores.
    threads = {} if is_full() else {"OMP_NUM_THREADS": "1"}
    return {
        **os.environ,
        **threads,
        "PYTHONPATH": os.pathsep.join(sources),
        "TLC_PROJECT_ROOT_URL": str(folder / "projects"),
        "TLC_CACHE_FOLDER": str(folder / "cache"),
        "TLC_DISPLAY_PROGRESS": "false",
        "TLC_DURABILITY": "os",  # the folder is thrown away
        "PYTHONWARNINGS": ",".join(f"ignore:{start}" for start in WARNINGS),
        "IPYTHONDIR": str(folder / "ipython"),
        "HF_HOME": str(folder / "hugging-face"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
