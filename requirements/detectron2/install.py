"""Install Detectron2, pinned, into this Python environment.

There is no package of it under its own name. `sal-detectron2` holds it, in a wheel that says that
it is for Python 3.10, with a compiled part that is not needed and cannot be loaded by others: the
rest runs on later versions as well.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

PINNED = "sal-detectron2==0.7.2"
WHEEL = ["--python-version", "310", "--implementation", "cp", "--abi", "none", "--platform", "any"]


def install(site: Path) -> None:
    """Put Detectron2 into a folder of its own beside the packages of an environment."""
    folder = site.parent / "detectron2"
    shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", *WHEEL, "--target", str(folder)]
    subprocess.run([*pip, *options, PINNED], check=True)
    shutil.rmtree(folder / "tools", ignore_errors=True)
    for compiled in (folder / "detectron2").glob("_C*"):
        compiled.unlink()
    (site / "detectron2.pth").write_text(f"{folder}\n")


if __name__ == "__main__":
    install(Path(sysconfig.get_path("purelib")))
