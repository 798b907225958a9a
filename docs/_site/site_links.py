"""Where a file of the repository is in the site, and links that lead there."""

from __future__ import annotations

import posixpath
import re

RENAMED = {
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "licence.txt",
    "notebooks": "notebooks/index.md",
    "notebooks/README.md": "notebooks/index.md",
}
LINK = re.compile(
    r"(?P<code>^ *(?P<fence>`{3,}).*?^ *(?P=fence)|`[^`\n]+`)"
    r"|(?P<text>!?\[[^\]]*\])\((?P<target>[^)\s#:]+)(?P<rest>[^)]*)\)",
    re.MULTILINE | re.DOTALL,
)


def address(path):
    """Return the address in the site of a file of the repository; "" if it is not there."""
    if path in RENAMED:
        return RENAMED[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"{path.removesuffix('.ipynb')}.md" if path.endswith(".ipynb") else ""


def redirected(text, source):
    """Return the Markdown of a file of the repository with its links as the site needs them.

    Links to what the site has not, such as a source file, become text.
    """
    return LINK.sub(lambda found: found["code"] or link(found, source), text)


def link(found, source):
    """Return a link as the page of `source` in the site needs it."""
    here = posixpath.dirname(source)
    target = address(posixpath.normpath(posixpath.join(here, found["target"])))
    if not target:
        return found["text"][1:-1]
    start = posixpath.dirname(address(source)) or "."
    return f"{found['text']}({posixpath.relpath(target, start)}{found['rest']})"
