"""Pages of the repository's root as pages of the site, under links that work in both places."""

from __future__ import annotations

from pathlib import Path

from mkdocs.structure.files import File
from site_links import RENAMED, address, redirected


def on_files(files, *, config):
    """Add the files that lie beside `docs/`."""
    root = Path(config.config_file_path).parent
    for source in filter(lambda name: (root / name).is_file(), RENAMED):
        text = (root / source).read_text(encoding="utf-8")
        content = redirected(text, source) if source.endswith(".md") else text
        files.append(File.generated(config, address(source), content=content))
    return files


def on_page_markdown(markdown, *, page, **_):
    """Lead links out of `docs/` to the pages that stand for the files there."""
    if page.file.generated_by:
        return markdown
    return redirected(markdown, f"docs/{page.file.src_uri}")
