"""What a folder holds, to see that nobody has changed it."""

from __future__ import annotations

import hashlib
from pathlib import Path


def tree_digest(root):
    """Return the digest of all names and contents below a folder, or of one file."""
    root = Path(root)
    found = hashlib.sha256()
    for path in sorted([root, *root.rglob("*")]):
        found.update(f"{path}\0".encode("utf-8", "surrogateescape"))
        if path.is_file():
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
