"""Rules that hold for every source file; each failure names file and line."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

from tlc import errors

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = [ROOT / "core", ROOT / "integrations", ROOT / "samplers"]
MAX_FILE, MAX_FUNCTION = 400, 40

CODE = sorted(path for root in SOURCE_ROOTS for path in root.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
AROUND = sorted((ROOT / "benchmarks").rglob("*.py")) + sorted((ROOT / "notebooks").glob("*.py"))
DOCS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile"]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def at(path, node=None):
    place = path.relative_to(ROOT).as_posix()
    return place if node is None else f"{place}:{node.lineno}"


def test_there_is_something_to_check():
    assert len(CODE) > 100
    assert len(TESTS) > 10


# Sizes


def test_a_file_has_at_most_400_lines():
    lengths = {
        at(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in CODE + TESTS + AROUND
    }
    assert {path: n for path, n in lengths.items() if n > MAX_FILE} == {}


def test_a_function_has_at_most_40_lines():
    """Lines of the body count, from the first statement after the docstring to the last.

    The signature and the docstring do not, so that nobody saves on those.
    """
    long = {
        f"{at(path, function)} {function.name}": body_lines(function)
        for path in CODE + TESTS + AROUND
        for function in ast.walk(tree(path))
        if isinstance(function, FUNCTIONS) and body_lines(function) > MAX_FUNCTION
    }
    assert long == {}


def body_lines(function):
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return statements[-1].end_lineno - statements[0].lineno + 1 if statements else 0


def test_signature_and_docstring_do_not_count():
    function = ast.parse('def f(\n    a,\n    b,\n):\n    """x.\n\n    y\n    """\n    a\n    b\n')
    assert body_lines(function.body[0]) == 2
    assert body_lines(ast.parse('def f():\n    """x."""\n').body[0]) == 0


# Documentation


def public_nodes(path):
    """Yield dotted name and node of the module and every public definition in it."""
    module = path.relative_to(ROOT).with_suffix("").parts[1:]
    parts = [part for part in module if part != "__init__"]
    if any(part.startswith("_") for part in parts):
        return
    yield ".".join(parts), tree(path)
    yield from public_definitions(tree(path), ".".join(parts))


def public_definitions(parent, prefix):
    for node in parent.body:
        if isinstance(node, DEFINITIONS) and not node.name.startswith("_") and not is_extra(node):
            yield f"{prefix}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node, f"{prefix}.{node.name}")


def is_extra(node):
    """Return whether a definition is told elsewhere: an overload, a property's setter."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(text.endswith((".setter", ".deleter", "overload")) for text in decorators)


PUBLIC = [(path, name, node) for path in CODE for name, node in public_nodes(path)]


def test_every_public_name_has_a_docstring():
    missing = [
        name for path, name, node in PUBLIC if not ast.get_docstring(node) and not is_marker(path)
    ]
    assert missing == []


def is_marker(path):
    """Return whether a file only marks a further root of the package; the wheel lacks it."""
    return path.parent in (ROOT / "integrations" / "tlc", ROOT / "samplers" / "tlc")


def docstrings():
    for path, name, node in PUBLIC:
        if text := ast.get_docstring(node):
            yield path, name, node, text


def test_the_first_line_of_a_docstring_is_a_sentence():
    bad = [name for _, name, _, text in docstrings() if not text.splitlines()[0].endswith(".")]
    assert bad == []


SECTION = re.compile(r"^(?P<title>[A-Z][a-z]+):\n(?P<body>(?:(?: +.*)?\n?)*)", re.MULTILINE)
ITEM = re.compile(r"^ {4}(?P<names>\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*):", re.MULTILINE)


def section(text, title):
    """Return the names that a section of a docstring tells about."""
    for found in SECTION.finditer(text + "\n"):
        if found["title"] == title:
            return [
                name.strip("* ") for f in ITEM.finditer(found["body"]) for name in f[1].split(",")
            ]
    return []


def test_raises_names_errors_that_exist():
    known = {*errors.__all__, *dir(builtins)}
    unknown = [
        f"{name}: {error}"
        for _, name, _, text in docstrings()
        for error in section(text, "Raises")
        if error not in known
    ]
    assert unknown == []


def test_what_is_told_to_be_raised_can_be_raised():
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, (errors.TlcError, Warning)), name
        if issubclass(kind, errors.TlcError) and kind is not errors.TlcError:
            assert set(inspect.getmro(kind)) - set(inspect.getmro(errors.TlcError)) - {kind}, name


def test_args_names_parameters_that_exist():
    unknown = [
        f"{name}: {argument}"
        for path, name, node, text in docstrings()
        for argument in section(text, "Args")
        if argument not in parameters(path, node)
    ]
    assert unknown == []


def parameters(path, node):
    """Return the names a caller may pass to a function or class, as far as the source says."""
    if isinstance(node, ast.ClassDef):
        fields = {n.target.id for n in node.body if isinstance(n, ast.AnnAssign)}
        makers = [n for n in node.body if isinstance(n, FUNCTIONS) and n.name == "__init__"]
        bases = {ast.unparse(base) for base in node.bases}
        parents = [n for n in tree(path).body if getattr(n, "name", "") in bases]
        return fields.union(*(parameters(path, part) for part in makers + parents))
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    variadic = [arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every + variadic if argument}


def test_sections_of_a_docstring_are_found():
    text = (
        "Do.\n\nArgs:\n    a: One,\n        b: no.\n    c, d: Two.\n\nRaises:\n    ValueError: Bad."
    )
    assert section(text, "Args") == ["a", "c", "d"]
    assert section(text, "Raises") == ["ValueError"]
    assert section(text, "Returns") == []


# What must not be in the code


def test_no_error_is_swallowed():
    """A bare `except` and `except Exception` hide faults; `BaseException` may clean up, no more.

    Where other people's code is called that may raise anything, the line says so: `# noqa: BLE001 -
    why`.
    """
    bad = [
        at(path, handler)
        for path in CODE
        for handler in ast.walk(tree(path))
        if isinstance(handler, ast.ExceptHandler) and not is_narrow(handler)
        if not REASON.search(path.read_text(encoding="utf-8").splitlines()[handler.lineno - 1])
    ]
    assert bad == []


REASON = re.compile(r"# noqa: BLE001 - \w+")


def is_narrow(handler):
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {"" if kind is None else ast.unparse(kind) for kind in kinds}
    if names == {"BaseException"}:
        return isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return not names & {"", "Exception", "BaseException"}


@pytest.mark.parametrize(
    ("clause", "narrow"),
    [
        ("except ValueError: pass", True),
        ("except: pass", False),
        ("except Exception as e: pass", False),
        ("except (OSError, Exception): pass", False),
        ("except BaseException: x(); raise", True),
        ("except BaseException: x()", False),
    ],
)
def test_a_broad_handler_is_noticed(clause, narrow):
    tried = ast.parse(f"try:\n    pass\n{clause}\n").body[0]
    assert is_narrow(tried.handlers[0]) is narrow


def test_only_the_demo_prints():
    prints = [
        at(path, node)
        for path in CODE
        if "demo" not in path.parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    assert prints == []


def imported(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, node.module or ""


def test_no_code_imports_tests():
    bad = [
        at(path, node)
        for path in CODE
        for node, name in imported(path)
        if name.partition(".")[0] in ("tests", "conftest", "benchmarks")
        or (name.partition(".")[0] in ("pytest", "hypothesis") and "testing" not in path.parts)
    ]
    assert bad == []


OPEN_ENDS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
MACHINE_PATHS = re.compile(
    r"(?<![\w.<}])/(work|root|Users/\w+|home/(?!me\b)\w+)/|[A-Z]:\\\\Users\\\\"
)
LICENCE_HEADS = re.compile(r"(?i)copyright (\(c\)|\d{4})|all rights reserved|SPDX-|licensed under")


@pytest.mark.parametrize(
    "pattern", [OPEN_ENDS, MACHINE_PATHS, LICENCE_HEADS], ids=lambda p: p.pattern
)
def test_no_file_has_loose_ends_or_marks_of_another_place(pattern):
    """No notes to oneself, no path of one machine, no head of a file that came from elsewhere."""
    found = [
        f"{at(path)}:{number}: {line.strip()}"
        for path in CODE + TESTS + AROUND + DOCS
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


# Where tests are


OWN_FOLDERS = {"common", "repo", "reliability", "notebooks"}
MIRRORS = {"core": "core/tlc", "samplers": "samplers/tlc/samplers"}
MIRRORS["integrations"] = "integrations/tlc/integration"


def test_each_folder_of_tests_mirrors_one_of_code():
    bad = []
    for path in TESTS:
        top, *folders = path.relative_to(ROOT / "tests").parts[:-1] or [""]
        if top in OWN_FOLDERS or path.name == "conftest.py":
            continue
        code = ROOT.joinpath(MIRRORS.get(top, "nowhere"), *folders)
        if not (code.is_dir() or code.with_suffix(".py").is_file()):
            bad.append(at(path))
    assert bad == []


def test_a_test_file_is_named_so_that_pytest_finds_it():
    lost = [
        at(path)
        for path in TESTS
        if not path.name.startswith("test_")
        and any(n.name.startswith("test_") for n in tree(path).body if isinstance(n, FUNCTIONS))
    ]
    assert lost == []
