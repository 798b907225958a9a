"""Images that are not on this machine, as Detectron2 opens them."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from tlc.integration.detectron2._package import detectron2
from tlc.sample_types.content import read_content
from tlc.url import Url

__all__ = ["make_readable"]

_files: Any = detectron2("utils.file_io")


@cache
def make_readable(scheme: str) -> None:
    """Have Detectron2 read urls of a scheme as `tlc` does, unless it knows the scheme already.

    Args:
        scheme: Such as ``"s3"``.
    """
    try:
        _files.PathManager.register_handler(_Reader(f"{scheme}://"), allow_override=False)
    except KeyError:
        return  # one that was registered before


class _Reader(_files.PathHandler):  # type: ignore[misc]
    """Reads whole files, and keeps them in the cache for remote media."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def _get_supported_prefixes(self) -> list[str]:
        return [self._prefix]

    def _open(self, path: str, mode: str = "r", buffering: int = -1, **_: Any) -> Any:
        content = read_content(Url(path))
        return io.BytesIO(content) if "b" in mode else io.StringIO(content.decode())
