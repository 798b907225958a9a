"""The documentation as a site: it is complete, all its links lead somewhere, and it asks no server.

`make docs` builds the same. What a page shows there is compared with what a code host makes of it.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import yaml
from markdown_it import MarkdownIt

import tlc

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOURCE_ROOTS = [ROOT / "core", ROOT / "integrations", ROOT / "samplers"]
# Packages behind the public ones; what is public of them has its place there.
INNER = {"cli", "demo", "format", "format.parquet", "importers", "writers"}
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Page(HTMLParser):
    """A page of the site: its ids, its links, what it loads, and how many elements of each kind."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.tags, self.content_tags = Counter(), Counter(), Counter()
        self.links, self.loaded, self._in_content = [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self._in_content |= tag == "article"
        self.tags[tag] += 1
        self.content_tags[tag] += self._in_content
        self.ids[values.get("id")] += 1
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag in LOADED and values.get("rel") not in ("prev", "next") and values.get(LOADED[tag]):
            self.loaded.append(values[LOADED[tag]])

    def handle_endtag(self, tag):
        self._in_content &= tag != "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the site, built where warnings are errors."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Return path in the site -> page; that for wrong addresses is made for a server's root."""
    return {
        path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
        if path.name != "404.html"
    }


@cache
def nav():
    # Tags such as `!ENV` would need mkdocs' own loader; the file has none.
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return list(leaves(settings["nav"])) + [f"notebooks/{path.stem}.md" for path in NOTEBOOKS]


def leaves(item):
    if isinstance(item, str):
        yield item
    else:
        for part in item.values() if isinstance(item, dict) else item:
            yield from leaves(part)


# What is there


def test_each_page_is_in_the_navigation_once(pages):
    written = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert written - set(nav()) == set()
    assert len(nav()) == len(set(nav()))
    assert {f"{name.removesuffix('.md')}.html" for name in nav()} == set(pages)


def test_every_link_leads_to_a_place_that_exists(site, pages):
    dead = [
        f"{name}: {link}"
        for name, page in pages.items()
        for link in {*page.links, *page.loaded}
        if not re.match(r"[a-z]+:", link) and not leads(site, pages, name, link)
    ]
    assert dead == []


def leads(site, pages, name, link):
    target, fragment = urldefrag(link)
    path = ((site / name).parent / unquote(target)).resolve() if target else site / name
    if not path.is_file() or not path.is_relative_to(site):
        return False
    there = pages.get(path.relative_to(site).as_posix())
    return not fragment or there is None or unquote(fragment) in there.ids


def test_a_dead_link_is_noticed(site, pages):
    assert leads(site, pages, "tables.html", "index.html#data")
    for link in ("gone.html", "index.html#gone", "../tables.html", "#gone"):
        assert not leads(site, pages, "tables.html", link)


def test_getting_started_names_every_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = re.findall(r"`([\w-]+)`", (ROOT / "docs" / "getting-started.md").read_text("utf-8"))
    assert set(project["optional-dependencies"]) - set(told) == set()


# Nothing is asked for elsewhere


def test_no_page_loads_anything_from_elsewhere(pages):
    foreign = {name: elsewhere(page.loaded) for name, page in pages.items()}
    assert {name: found for name, found in foreign.items() if found} == {}
    assert all(page.loaded for page in pages.values())


def test_no_style_sheet_loads_anything_from_elsewhere(site):
    for path in site.rglob("*.css"):
        found = re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""", path.read_text("utf-8"))
        assert elsewhere(found) == [], path.name


def elsewhere(addresses):
    return [address for address in addresses if re.match(r"(?!data:)[a-z]+:|//", address)]


def test_addresses_elsewhere_are_noticed():
    page = Page('<link href="https://x.org/a.css"><script src="//y"></script><img src="a.png">')
    assert elsewhere(page.loaded) == ["https://x.org/a.css", "//y"]
    assert elsewhere(["data:image/svg+xml,<svg>"]) == []


def test_the_search_works_from_disk(site, pages):
    index = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert index.startswith("var __index = {")
    assert "tlc.Table.from_coco" in index
    assert "_site/iframe-worker.js" in pages["index.html"].loaded


def test_no_page_tells_where_it_was_built(site):
    told = [path.name for path in site.rglob("*.html") if str(ROOT) in path.read_text("utf-8")]
    assert told == []


# Pages are the same as on a code host

STRUCTURE = {"h2": "h2", "h3": "h3", "li": "li", "tr": "tr", "pre": "pre", "img": "img"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/*.md")), ids=lambda path: path.stem)
def test_a_page_has_the_parts_that_a_code_host_shows(path, pages):
    html = MarkdownIt("commonmark").enable("table").render(path.read_text(encoding="utf-8"))
    there, here = Page(f"<article>{html}").content_tags, pages[f"{path.stem}.html"].content_tags
    assert {tag: here[tag] for tag in STRUCTURE} == {tag: there[tag] for tag in STRUCTURE}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_shown_with_what_it_draws(path, pages, site):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    drawn = sum("image/png" in output.get("data", {}) for output in outputs)
    page = pages[f"notebooks/{path.stem}.html"]
    assert len(list((site / "notebooks").glob(f"{path.stem}-*.png"))) == drawn
    assert page.content_tags["img"] >= drawn
    assert page.content_tags["pre"] >= sum(cell["cell_type"] == "code" for cell in cells)


# The reference


def subjects():
    """Return the classes and modules that have a page of their own."""
    return [name[10:-3] for name in nav() if name.startswith("reference/")]


def source(module):
    """Return the file of a module; None for what is no module."""
    relative = Path(*module.split("."))
    for root in reversed(SOURCE_ROOTS):
        for path in (root / relative / "__init__.py", root / relative.with_suffix(".py")):
            if path.is_file() and (root.name == "core" or relative != Path("tlc")):
                return path
    return None


def exports(path):
    """Return the names in ``__all__`` of a file, as far as they are written there."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        target = getattr(node, "target", None) or getattr(node, "targets", [None])[0]
        if getattr(target, "id", "") == "__all__":
            return ast.literal_eval(node.value) if isinstance(node.value, ast.List) else []
    return []


def test_every_public_name_is_told_once_where_its_address_says(pages):
    faults = []
    modules = [name for name in subjects() if source(name)]
    for module in modules:
        for path in (f"{module}.{name}" for name in exports(source(module))):
            page = pages[f"reference/{path if path in subjects() else module}.html"]
            if page.ids[path] != 1:
                faults.append(f"{path}: {page.ids[path]} times")
    assert faults == []
    assert len(modules) > 30


def test_every_package_has_a_page():
    packages = {
        ".".join(path.parent.relative_to(root).parts)
        for root in SOURCE_ROOTS
        for path in (root / "tlc").rglob("__init__.py")
        if exports(path) and "._" not in ".".join(path.relative_to(root).parts)
    }
    assert packages - {f"tlc.{name}" for name in INNER} - set(subjects()) == set()
    assert {f"tlc.{name}" for name in tlc._SUBMODULES} - {"tlc.integration"} <= set(subjects())


@pytest.mark.parametrize("name", ["Table", "TableView", "Run", "Schema", "Url", "TableWriter"])
def test_what_a_class_inherits_is_told_too(name, pages):
    page = pages[f"reference/{f'tlc.{name}' if f'tlc.{name}' in subjects() else 'tlc'}.html"]
    kind = getattr(tlc, name)
    members = [name for name in dir(kind) if not name.startswith("_") and is_told(kind, name)]
    assert [member for member in members if f"tlc.{name}.{member}" not in page.ids] == []


def is_told(kind, name):
    """Return whether a member has a text: methods and properties do, fields may not."""
    return callable(getattr(kind, name)) or isinstance(getattr(kind, name), property)


def test_constants_are_told(pages):
    shown = pages["reference/tlc.constants.html"].ids
    names = [name for name in dir(tlc.constants) if name.isupper()]
    assert len(names) > 50
    assert [name for name in names if shown[f"tlc.constants.{name}"] != 1] == []


def test_names_are_links_in_docstrings_and_guides(pages):
    links = pages["reference/tlc.Table.html"].links
    assert "tlc.errors.html#tlc.errors.ObjectNotFoundError" in links  # what is raised
    assert "#tlc.Table.latest" in links
    links = pages["annotations.html"].links
    assert "reference/tlc.data_types.html#tlc.data_types.BoundingBoxes2D" in links
    assert not [name for name, page in pages.items() if page.tags["autoref"]]
