"""`obstore`, loaded when it is first needed, also in a process that was forked.

The runtime of `obstore` lives in threads, which a fork does not copy: in the child every call
would wait forever. PyTorch's DataLoader forks its workers, though. So a child loads the extension
a second time, from a copy in memory, since the same file would give it the parent's dead runtime.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib.machinery import ExtensionFileLoader, PathFinder
from threading import Lock
from typing import Any

from tlc.errors import UnsupportedOperationError

__all__ = ["load_obstore"]

_EXTENSION = "obstore._obstore"


class _State:
    """What this process knows of `obstore`."""

    def __init__(self, *, forked: bool) -> None:
        self.forked = forked
        self.lock = Lock()
        self.module: Any = None


_state = _State(forked=False)
# What a parent has loaded is never freed in a child: that would ask the parent's threads.
_of_parents: list[Any] = []


def load_obstore() -> Any:
    """Return the module `obstore` as it works in this process.

    Raises:
        UnsupportedOperationError: The process was forked after its parent had loaded `obstore`, on
            a system that cannot load it again.
    """
    state = _state
    if state.module is None:
        with state.lock:
            if state.module is None:
                if state.forked and _EXTENSION in sys.modules:
                    _load_again()
                importlib.import_module("obstore.store")
                state.module = importlib.import_module("obstore")
    return state.module


def _load_again() -> None:
    path = _path_of_extension()
    stale = [name for name in sys.modules if name.partition(".")[0] == "obstore"]
    _of_parents.extend(sys.modules.pop(name) for name in stale)
    copy = _copy_in_memory(path)
    loader = ExtensionFileLoader(_EXTENSION, copy)
    spec = importlib.util.spec_from_file_location(_EXTENSION, copy, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_EXTENSION] = module
    loader.exec_module(module)


def _path_of_extension() -> str:
    # The module itself may name a copy that its process had made.
    spec = PathFinder.find_spec(_EXTENSION, sys.modules["obstore"].__path__)
    assert spec is not None
    assert spec.origin is not None
    return spec.origin


def _copy_in_memory(path: str) -> str:
    if sys.platform != "linux":
        raise UnsupportedOperationError(
            "Urls of stores cannot be used in this process: it was forked from one that used them.",
            hint='start processes with the method "spawn" or "forkserver".',
        )
    # Stays open: a later copy must not get the same name, which the loader would take for the
    # same library.
    descriptor = os.memfd_create("obstore")
    with open(path, "rb") as file:
        rest = os.fstat(file.fileno()).st_size
        while rest:
            rest -= os.sendfile(descriptor, file.fileno(), None, rest)
    return f"/proc/self/fd/{descriptor}"


def _forget() -> None:
    global _state
    _of_parents.append(_state)
    _state = _State(forked=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
