"""What is left of a folder after a power cut."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["CrashState"]


@dataclass(frozen=True)
class CrashState:
    """One of the forms in which a folder may be found when the machine is on again.

    Attributes:
        after: How many steps had been done when the power went.
        acknowledged: What the program had said until then to be safe, in order.
        files: Path below the folder to content, or to None if it is a folder itself; folders stand
            before what is in them.
    """

    after: int
    acknowledged: tuple[Any, ...]
    files: Mapping[str, bytes | None]

    def write_to(self, folder: Path, before: CrashState | None = None) -> None:
        """Make this state real.

        Args:
            folder: Where; empty, or as the state `before` left it.
            before: The state that is there; only what differs is written.
        """
        present = before.files if before else {}
        for path, content in present.items():
            gone = path not in self.files or (self.files[path] is None) != (content is None)
            if gone and (folder / path).exists():
                _delete(folder / path)
        for path, content in self.files.items():
            if path in present and present[path] == content and (folder / path).exists():
                continue
            if content is None:
                (folder / path).mkdir(exist_ok=True)
            else:
                (folder / path).write_bytes(content)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        os.unlink(path)
