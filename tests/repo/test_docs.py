"""What the documentation shows works: code runs, commands succeed, links lead to files.

Blocks of one file run in order, in one namespace and one empty folder, after `python` blocks before
them and beside `console` and `sh` blocks, whose lines with `tlc` run. A block that cannot run here
stands below the comment `<!-- not run: why -->`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "notebooks/**/*.md", "benchmarks/**/*.md")
    for path in ROOT.glob(pattern)
)
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*$")
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.+?) -->")
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)[^)]*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, text, the line it starts on, and why it is not run, if so."""

    language: str
    text: str
    line: int
    not_run: str


def blocks(text):
    """Yield the fenced blocks of a page."""
    language, indent, start, body, before = "", "", 0, [], ""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and not inside:
            inside, language, indent = True, fence["language"], fence["indent"]
            start, body = number + 1, []
        elif fence and inside:
            reason = NOT_RUN.search(before)
            yield Block(language, "\n".join(body), start, reason["reason"] if reason else "")
            inside, before = False, ""
        elif inside:
            body.append(line.removeprefix(indent))
        elif line.strip():
            before = line
    assert not inside, f"the block at line {start} does not end"


def commands(block):
    """Return the lines of a console or sh block that call `tlc`, as lists of words.

    In a console block the commands stand behind "$", the rest is what they print.
    """
    prompt = "$ " if "$ " in block.text else ""
    text = block.text.replace("\\\n", " ")
    found = [line.removeprefix(prompt) for line in text.splitlines() if line.startswith(prompt)]
    return [shlex.split(line, comments=True) for line in found if line.startswith("tlc ")]


def run_page(text, name, module):
    """Run the blocks of a page in a module's namespace and the working folder."""
    for block in blocks(text):
        if block.not_run:
            continue
        if block.language == "python":
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, name, "exec"), vars(module))
        elif block.language in ("console", "sh", "shell", "bash"):
            for words in commands(block):
                run_command(words, f"{name}:{block.line}")


def run_command(words, place):
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{place}: {shlex.join(words)}\n{done.stdout}{done.stderr}"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a module that page code runs in, so that what it defines can be pickled."""
    made = types.ModuleType("page_under_test")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    (tmp_path / "page").mkdir()
    monkeypatch.chdir(tmp_path / "page")
    return made


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_blocks_of_a_page_run(page, module):
    run_page(page.read_text(encoding="utf-8"), str(page), module)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_of_a_page_lead_to_files(page):
    assert dead_links(page.read_text(encoding="utf-8"), page.parent) == []


def dead_links(text, folder):
    outside = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    targets = [found["target"] for found in LINK.finditer(re.sub(r"`[^`\n]*`", "", outside))]
    local = [t for t in targets if not re.match(r"[a-z][a-z+.-]*:|#", t)]
    return [t for t in local if not (folder / t.partition("#")[0]).exists()]


def test_there_is_a_readme():
    assert ROOT / "README.md" in PAGES


# The machinery itself


PAGE = """
# A page

```python
import tlc
table = tlc.Table.from_dict({"x": [1, 2]}, project_name="page")
```

Text between.

  ```python
  seen.append(len(table))
  ```

<!-- not run: needs a network -->
```python
raise RuntimeError
```

```json
{"not": "code"}
```

```console
$ tlc ls
page
$ make demo
```
"""


def test_blocks_run_in_order_in_one_namespace(module):
    module.seen = []
    run_page(PAGE, "page.md", module)
    assert module.seen == [2]
    assert [(b.language, b.line) for b in blocks(PAGE)][:2] == [("python", 5), ("python", 12)]
    assert [b.not_run for b in blocks(PAGE)] == ["", "", "needs a network", "", ""]


def test_a_block_that_fails_names_page_and_line(module):
    with pytest.raises(ZeroDivisionError) as caught:
        run_page("\n```python\na = 1\na / 0\n```\n", "page.md", module)
    last = caught.traceback[-1]
    assert (str(last.path), last.lineno + 1) == ("page.md", 4)


def test_a_command_that_fails_is_noticed(module):
    with pytest.raises(AssertionError, match=r"page\.md:2: tlc show nowhere"):
        run_page("```sh\ntlc show nowhere\n```\n", "page.md", module)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "$ tlc ls 'a b'\nout\n$ ls\n$ tlc config # all",
            [["tlc", "ls", "a b"], ["tlc", "config"]],
        ),
        ("tlc ls \\\n  x\npip install .", [["tlc", "ls", "x"]]),
        ("tlc is here\n$ make", []),
    ],
)
def test_commands_are_told_from_their_output(text, expected):
    assert commands(Block("console", text, 1, "")) == expected


def test_a_block_that_does_not_end_is_noticed():
    with pytest.raises(AssertionError, match="line 2"):
        list(blocks("```python\nx\n"))


def test_a_dead_link_is_noticed(tmp_path):
    (tmp_path / "there.md").touch()
    text = "[a](there.md#part) [b](gone.md) [c](https://x.org) [d](#part) `[e](code.md)`"
    assert dead_links(text, tmp_path) == ["gone.md"]
