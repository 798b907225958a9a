"""A model of a file system that promises no more than POSIX does.

The content of a file is safe once the file was synced, a name in a folder once that folder was.
Whatever was not synced may be there after a power cut or not, each on its own: content may be
missing, torn, or zero in whole or in part while its name is there, and of two names that changed
one may be new.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Fate", "Volume"]


class Fate(Enum):
    """What becomes of something that was not synced when the power goes."""

    DROP = auto()
    KEEP = auto()
    TEAR = auto()
    ZERO = auto()
    HOLE = auto()


_CHANGE_FATES = (Fate.DROP, Fate.KEEP)
_CONTENT_FATES = tuple(Fate)


@dataclass(eq=False)
class _File:
    content: bytes = b""
    synced: bytes = b""

    def after(self, fate: Fate) -> bytes:
        """Return the content after a power cut in which what was not synced met its fate."""
        new = self.content[len(self.synced) :]
        if fate is Fate.KEEP:
            return self.content
        half = len(new) // 2
        left = {
            Fate.DROP: b"",
            Fate.TEAR: new[:half],
            Fate.ZERO: bytes(len(new)),
            Fate.HOLE: bytes(half) + new[half:],
        }
        return self.synced + left[fate]


@dataclass(eq=False)
class _Folder:
    names: dict[str, _File | _Folder] = field(default_factory=dict)
    synced: dict[str, _File | _Folder] = field(default_factory=dict)
    changes: list[dict[str, _File | _Folder | None]] = field(default_factory=list)

    def change(self, names: dict[str, _File | _Folder | None]) -> None:
        """Set names, or remove those that are None, in one step."""
        _set(self.names, names)
        self.changes.append(names)

    def sync(self) -> None:
        self.synced = dict(self.names)
        self.changes.clear()

    def reachable(self) -> Iterator[_File | _Folder]:
        """Yield all that may be there after a power cut."""
        yield from self.synced.values()
        for change in self.changes:
            yield from (node for node in change.values() if node is not None)


_Change = dict[str, _File | _Folder | None]


class Volume:
    """The model, with one folder that is on the disk.

    Args:
        root: Path of that folder.
        files: What it holds, in the form of `CrashState.files`.
    """

    def __init__(self, root: str, files: Mapping[str, bytes | None]) -> None:
        self._root = root
        self._top = _Folder()
        self._open: dict[int, _File] = {}
        for path, content in files.items():
            folder, name = self._place(os.path.join(root, path))
            folder.names[name] = _Folder() if content is None else _File(content, content)
            folder.sync()

    def open_new(self, path: str, handle: int) -> None:
        """Create a file; `handle` stands for it from now on."""
        self._open[handle] = _File()
        self._set(path, self._open[handle])

    def open_append(self, path: str, handle: int) -> None:
        """Open a file, or create it; `handle` stands for it from now on."""
        folder, name = self._place(path)
        present = folder.names.get(name)
        if isinstance(present, _File):
            self._open[handle] = present
        else:
            self.open_new(path, handle)

    def write(self, handle: int, data: bytes) -> None:
        """Write at the end."""
        self._open[handle].content += data

    def sync(self, handle: int) -> None:
        """Make the content of a file safe."""
        file = self._open[handle]
        file.synced = file.content

    def link(self, source: str, target: str) -> None:
        """Give a file a second name."""
        self._set(target, self._at(source))

    def replace(self, source: str, target: str) -> None:
        """Give a file another name in the same folder."""
        folder, name = self._place(source)
        folder.change({name: None, os.path.basename(target): folder.names[name]})

    def unlink(self, path: str) -> None:
        """Remove a name."""
        self._set(path, None)

    def make_folder(self, path: str) -> None:
        """Make a folder."""
        self._set(path, _Folder())

    remove_folder = unlink

    def remove_tree(self, path: str) -> None:
        """Remove a folder and all below it, name by name."""
        folder = self._at(path)
        for name in list(folder.names) if isinstance(folder, _Folder) else ():
            self.remove_tree(os.path.join(path, name))
        self.unlink(path)

    def sync_folder(self, path: str) -> None:
        """Make the names in a folder safe."""
        folder = self._at(path)
        assert isinstance(folder, _Folder)
        folder.sync()

    def fates(self) -> list[tuple[Fate, ...]]:
        """Return what may become of each thing that is not safe: changes, then contents."""
        changes, contents = self._unsafe()
        return [_CHANGE_FATES] * len(changes) + [_CONTENT_FATES] * len(contents)

    def after(self, fates: Sequence[Fate]) -> dict[str, bytes | None]:
        """Return the files that are left if those things meet these fates."""
        changes, contents = self._unsafe()
        kept = {id(c) for c, fate in zip(changes, fates, strict=False) if fate is Fate.KEEP}
        left = dict(zip(map(id, contents), fates[len(changes) :], strict=True))
        found: dict[str, bytes | None] = {}
        below: list[tuple[str, _Folder]] = [("", self._top)]
        while below:
            above, folder = below.pop()
            names = dict(folder.synced)
            for change in folder.changes:
                if id(change) in kept:
                    _set(names, change)
            for name, node in names.items():
                if isinstance(node, _Folder):
                    found[above + name] = None
                    below.append((f"{above}{name}/", node))
                else:
                    found[above + name] = node.after(left.get(id(node), Fate.KEEP))
        return found

    def _unsafe(self) -> tuple[list[_Change], list[_File]]:
        changes, contents = list[_Change](), dict[int, _File]()
        for folder in self._folders():
            changes += folder.changes
            for node in folder.reachable():
                if isinstance(node, _File) and node.content != node.synced:
                    contents[id(node)] = node
        return changes, list(contents.values())

    def _folders(self) -> Iterator[_Folder]:
        """Yield each folder that is there, or may be there after a power cut, once."""
        seen, below = set[int](), [self._top]
        while below:
            folder = below.pop()
            if id(folder) in seen:
                continue
            seen.add(id(folder))
            yield folder
            below += [node for node in folder.reachable() if isinstance(node, _Folder)]

    def _set(self, path: str, node: _File | _Folder | None) -> None:
        folder, name = self._place(path)
        folder.change({name: node})

    def _place(self, path: str) -> tuple[_Folder, str]:
        folder = self._at(os.path.dirname(path))
        assert isinstance(folder, _Folder)
        return folder, os.path.basename(path)

    def _at(self, path: str) -> _File | _Folder:
        node: _File | _Folder = self._top
        parts = os.path.relpath(path, self._root).split(os.sep)
        for part in parts if parts != ["."] else []:
            assert isinstance(node, _Folder)
            node = node.names[part]
        return node


def _set(names: dict[str, _File | _Folder], change: Mapping[str, _File | _Folder | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node
