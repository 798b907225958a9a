"""The import contracts of `pyproject.toml` hold, and break when the code breaks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


def verdicts(tree):
    """Return contract name -> whether it is kept, for the merged package in a folder."""
    done = subprocess.run(
        [LINT, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {name: f"{name} KEPT" in done.stdout for name in contracts()}
    assert all(f"{name} {kept_word(kept)}" in done.stdout for name, kept in found.items()), (
        done.stdout + done.stderr
    )
    assert (done.returncode == 0) == all(found.values()), done.stdout + done.stderr
    return found


def kept_word(kept):
    return "KEPT" if kept else "BROKEN"


def contracts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in project["tool"]["importlinter"]["contracts"]]


def test_all_contracts_are_kept(installed):
    assert len(contracts()) >= 2
    broken = [name for name, kept in verdicts(installed).items() if not kept]
    assert broken == [], "run: PYTHONPATH=<tree> lint-imports --verbose"


def test_a_framework_below_the_adapters_and_an_upward_import_are_noticed(installed, tmp_path):
    """The control: contracts that cannot break prove nothing."""
    tree = tmp_path / "broken"
    shutil.copytree(installed / "tlc", tree / "tlc")
    for module, line in [("table/table.py", "import torch"), ("errors.py", "import tlc.table")]:
        source = tree / "tlc" / module
        source.write_text(source.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    assert not any(verdicts(tree).values())
