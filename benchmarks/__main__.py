"""Run all measurements, or those whose name holds one of the arguments."""

from __future__ import annotations

import os
import sys
import tempfile

os.environ.setdefault("TLC_DISPLAY_PROGRESS", "false")


def main(words: list[str]) -> None:
    from benchmarks import collecting, importing, sampling, tables
    from benchmarks.harness import run

    with tempfile.TemporaryDirectory() as folder:
        os.environ["TLC_DEFAULT_ROOT_DIR"] = folder
        for module in (importing, tables, sampling, collecting):
            for case in module.cases():
                if not words or any(word in case.name for word in words):
                    print("\n".join(run(case)), flush=True)


main(sys.argv[1:])
