"""New interpreters."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.harness import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cases() -> Iterator[Case]:
    yield Case(
        "import, in a new interpreter",
        {
            "pyarrow + parquet": _python("import pyarrow.parquet"),
            "tlc": _python("import tlc"),
            "tlc, nouns touched": _python(
                "import tlc; tlc.Table, tlc.Run, tlc.TableWriter, tlc.schemas"
            ),
            "pandas": _python("import pandas"),
        },
    )


def _python(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)
