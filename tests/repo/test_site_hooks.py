"""What turns the repository's files into pages of the site: links, notebooks, docstrings."""

from __future__ import annotations

import base64
import importlib
from pathlib import Path

import griffe
import pytest

SITE = Path(__file__).parents[2] / "docs" / "_site"


@pytest.fixture
def hook(monkeypatch):
    """Return a function that imports one of the site's modules, as mkdocs does."""
    monkeypatch.syspath_prepend(str(SITE))
    return importlib.import_module


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("README.md", "[a](docs/tables.md#x)", "[a](tables.md#x)"),
        ("README.md", "![a](docs/images/a.png)", "![a](images/a.png)"),
        ("README.md", "[a](LICENSE)", "[a](licence.txt)"),
        ("docs/index.md", "[`a`](../README.md) [b](tables.md)", "[`a`](readme.md) [b](tables.md)"),
        ("docs/index.md", "[a](../notebooks/01-b.ipynb)", "[a](notebooks/01-b.md)"),
        ("docs/index.md", "[a](../notebooks/README.md)", "[a](notebooks/index.md)"),
        ("notebooks/01-b.ipynb", '[a](../docs/tables.md "t")', '[a](../tables.md "t")'),
        ("notebooks/README.md", "[a](01-b.ipynb) [c](../docs/x.md)", "[a](01-b.md) [c](../x.md)"),
        ("docs/index.md", "[a *b*](../core/tlc/errors.py)", "a *b*"),  # no page of the site
        ("docs/index.md", "[a](https://x.org/a.md) [b](#c)", "[a](https://x.org/a.md) [b](#c)"),
        ("docs/index.md", "`a[0](../b)`", "`a[0](../b)`"),
        ("docs/index.md", "```\na[0](../b)\n```", "```\na[0](../b)\n```"),
    ],
)
def test_links_lead_to_the_same_page_in_the_site(source, text, expected, hook):
    assert hook("site_links").redirected(text, source) == expected


def test_public_names_in_a_guide_become_links_but_in_no_block(hook):
    reference = hook("reference")
    names = {"Url": "tlc.Url"}
    text = "`Url.name` `tlc.init()` `x`\n```\n`Url`\n```\n[`Url`](u.md) [`Url` x](u.md) `Url`"
    assert reference.with_links(text, names) == (
        '<autoref optional identifier="tlc.Url.name">`Url.name`</autoref> '
        '<autoref optional identifier="tlc.init">`tlc.init()`</autoref> `x`\n```\n`Url`\n```\n'
        '[`Url`](u.md) [`Url` x](u.md) <autoref optional identifier="tlc.Url">`Url`</autoref>'
    )


def test_a_cell_of_a_notebook_is_shown_with_what_it_puts_out(hook):
    picture = base64.b64encode(b"picture").decode()
    outputs = [
        {"output_type": "stream", "text": ["1\n", "2\n"]},
        {"data": {"text/plain": ["ignored"], "text/html": ["<p>a\n", "\n", "b</p>"]}},
        {"data": {"image/png": picture, "text/plain": "ignored"}},
    ]
    code = {"cell_type": "code", "source": ["print(1)\n", "print(2)"], "outputs": outputs}
    pictures = {}
    assert list(hook("notebook_pages").parts(code, Path("01-a.ipynb"), pictures)) == [
        "````python\nprint(1)\nprint(2)\n````",
        "````text\n1\n2\n\n````",
        '<div class="output">\n<p>a\nb</p>\n</div>',
        "![what the cell above draws](01-a-1.png)",
    ]
    assert pictures == {"01-a-1.png": b"picture"}
    text = {"cell_type": "markdown", "source": ["# A\n", "[b](../docs/tables.md)"]}
    shown = list(hook("notebook_pages").parts(text, Path("01-a.ipynb"), pictures))
    assert shown == ["# A\n[b](../tables.md)"]


SOURCE = '''
def pick(rows, labels) -> dict[str, int]:
    """Pick rows, as `pack.Table` does; see `pack` and `rows`::

        pick([1], [2])

    Args:
        rows, labels: One of each,
            for each row.

    Returns:
        By name: an array.
    """

class Table: ...

def rows() -> Iterator[int]:
    """Count.

    Yields:
        Numbers: from 0.
    """

FIRST = SECOND = 1
"""As in `Table`."""
'''


def test_docstrings_are_made_ready(hook, tmp_path):
    """Arguments are told one by one, results have their type, code is code, and names are links."""
    docstrings = hook("docstrings")
    module = griffe.visit("pack", filepath=tmp_path / "pack.py", code=SOURCE)
    docstrings.rewrite(module, ["WeightError"])
    assert module["pick"].docstring.value.splitlines() == [
        'Pick rows, as <autoref optional identifier="pack.Table">`pack.Table`</autoref> does; '
        "see `pack` and `rows`:",
        "",
        "    pick([1], [2])",
        "",
        "Args:",
        "    rows: One of each,",
        "        for each row.",
        "    labels: One of each,",
        "        for each row.",
        "",
        "Returns:",
        "    dict[str, int]: By name: an array.",
    ]
    assert module["rows"].docstring.value.splitlines()[-1] == "    int: Numbers: from 0."
    for name in ("FIRST", "SECOND"):  # they share a docstring
        link = '<autoref optional identifier="pack.Table">`Table`</autoref>'
        assert module[name].docstring.value == f"As in {link}."
    assert module["WeightError"].target_path == "tlc.errors.WeightError"
