"""Writes the pages of the API reference: one for each class and module that the navigation names.

A name is told in full on its own page, else on that of the first module that has it; other pages
refer to that. Where a guide names something public in backticks, it becomes a link.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import griffe
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

ROOTS = ("integrations", "samplers", "core")
EXTEND = '__path__ = __import__("pkgutil").extend_path(__path__, __name__)\n'
FOLDER = "reference/"
CODE = re.compile(
    r"(?P<block>^ *(?P<fence>`{3,}).*?^ *(?P=fence))"
    r"|(?<![`\[])`(?P<name>[A-Za-z_][\w.]*)(?:\([^`\n]*\))?`(?![`\]])",
    re.MULTILINE | re.DOTALL,
)
BARE = {"show_root_heading": "false", "show_root_toc_entry": "false", "members": "[]"}


@event_priority(100)  # before mkdocstrings takes its settings
def on_config(config):
    """Show mkdocstrings the package in one folder, as it is once installed."""
    merged = Path(tempfile.mkdtemp(prefix="tlc-docs-"))
    atexit.register(shutil.rmtree, merged)
    merge(Path(config.config_file_path).parent, merged)
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [str(merged)]
    config.extra["merged"] = str(merged)
    return config


def merge(root, target):
    """Copy the three roots into one; the last one's files win.

    Griffe takes a package whose path is extended for one without a file of its own.
    """
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ROOTS:
        shutil.copytree(root / name, target, ignore=ignore, dirs_exist_ok=True)
    start = target / "tlc" / "__init__.py"
    start.write_text(start.read_text(encoding="utf-8").replace(EXTEND, ""), encoding="utf-8")


def on_files(files, *, config):
    """Add the pages."""
    package = griffe.load("tlc", search_paths=[config.extra["merged"]])
    uris = [uri for uri in pages(config.nav) if uri.startswith(FOLDER)]
    reference = Reference(package, [uri[len(FOLDER) : -len(".md")] for uri in uris])
    for uri, path in zip(uris, reference.subjects, strict=True):
        files.append(File.generated(config, uri, content=reference.page(path)))
    config.extra["addresses"] = reference.addresses()
    return files


def on_page_markdown(markdown, *, page, config, **_):
    """Make links of public names in backticks."""
    if page.file.src_uri.startswith(FOLDER):
        return markdown
    return with_links(markdown, config.extra["addresses"])


def with_links(markdown, addresses):
    """Return Markdown with links of public names, outside of blocks of code."""
    return CODE.sub(lambda found: found["block"] or linked(found, addresses), markdown)


def linked(found, addresses):
    """Return code with a link to what its first name is the name of, if that is public."""
    first, _, rest = found["name"].partition(".")
    address = found["name"] if first == "tlc" and rest else addresses.get(first)
    if address is None:
        return found.group()
    address += f".{rest}" if rest and first != "tlc" else ""
    return f'<autoref optional identifier="{address}">{found.group()}</autoref>'


def pages(nav):
    """Yield the pages that a navigation names."""
    if isinstance(nav, str):
        yield nav
    else:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from pages(item)


class Reference:
    """The pages, and which of them tells what."""

    def __init__(self, package, subjects):
        self.package, self.subjects = package, subjects
        modules = [path for path in subjects if self.find(path).is_module]
        self.homes = {self.target(path): path for path in subjects}
        for path in (path for module in modules for path in self.paths(module)):
            self.homes.setdefault(self.target(path), path)

    def find(self, path):
        """Return what is at a dotted path."""
        found = self.package
        for part in path.split(".")[1:]:
            found = found[part]
        return found.final_target if found.is_alias else found

    def target(self, path):
        """Return where the thing is defined that a dotted path leads to."""
        return self.find(path).path

    def paths(self, module):
        """Yield the paths of a module's public names, after that of a module those in it."""
        for name in public(self.find(module)):
            path = f"{module}.{name}"
            yield path
            if self.find(path).is_module and path not in self.subjects:
                yield from self.paths(path)

    def addresses(self):
        """Return name -> path of all classes whose name no other has."""
        paths = [path for path in self.homes.values() if self.find(path).is_class]
        names = Counter(path.rpartition(".")[2] for path in paths)
        return {name: path for path in paths if names[name := path.rpartition(".")[2]] == 1}

    def page(self, path):
        """Return the page of a class or module as Markdown."""
        found = self.find(path)
        if not found.is_module:
            return self.full(path, heading_level="1", show_root_full_path="true", summary="true")
        start = f"# {path} {{: #{path} }}\n\n{directive(path, **BARE)}"
        if not found.exports:  # none, or made by a program, as those of the constants are
            return "\n".join([start, *constants(path, found)])
        names = sorted(self.paths(path), key=lambda name: name not in self.subjects)
        return "\n".join([start, *map(self.entry, names)])

    def entry(self, path):
        """Return what the page of a module says about one name."""
        found, home = self.find(path), self.homes[self.target(path)]
        if path in self.subjects:
            return reference_to(path, home, found, anchor="")
        if home != path:
            return reference_to(path, home, found, anchor=f" {{: #{path} }}")
        if found.is_module:
            return directive(path, show_root_full_path="true", members="[]")
        return self.full(path)

    def full(self, path, **options):
        """Return the lines that tell all about a class, a function or a value."""
        found = self.find(path)
        if not found.is_class:
            return directive(path, inherited_members="false", **options)
        hidden = [base for base in found.mro() if base.path not in self.homes]
        names = {name for base in hidden for name in base.members if not name.startswith("_")}
        options["inherited_members"] = f"[{', '.join(sorted(names - set(found.members)))}]"
        parts = sum(base in hidden for base in found.resolved_bases)
        options["show_bases"] = str(parts < len(found.bases)).lower()
        return directive(path, **options)


def public(found):
    """Return the public names of a module."""
    if found.exports:
        return [str(name) for name in found.exports]
    return [name for name, member in found.members.items() if is_constant(name, member)]


def is_constant(name, member):
    return not member.is_alias and member.is_attribute and not name.startswith("_")


def directive(path, **options):
    """Return the lines that mkdocstrings turns into the documentation of a path."""
    lines = [f"::: {path}", "    options:"]
    return "\n".join([*lines, *(f"      {name}: {value}" for name, value in options.items()), ""])


def reference_to(path, home, found, anchor):
    """Return an entry for what is told in full elsewhere."""
    summary = found.docstring.value.partition("\n")[0] if found.docstring else ""
    return f"## {path.rpartition('.')[2]}{anchor}\n\n{summary} See [`{home}`][{home}].\n"


def constants(module, found):
    """Yield the lines of a table of constants, if there are any."""
    if not public(found):
        return
    yield "| name | value | |\n| --- | --- | --- |"
    for name in public(found):
        member = found[name]
        text = member.docstring.value.replace("\n", " ") if member.docstring else ""
        anchor = f'<span id="{module}.{name}"></span>'
        yield f"| {anchor}`{name}` | `{member.value}` | {text} |"
