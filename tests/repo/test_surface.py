"""The public surface is the documented one, in `surface.txt`; `surface_later.txt` is still to come.

Known programs depend on these names, parameters and defaults. Ours may have more parameters, each
with a default; never fewer, other names, another order or other defaults.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.version import Version

import tlc

HERE = Path(__file__).parent
LATER_HEADING = "== "
P = inspect.Parameter


@dataclass(frozen=True)
class Entry:
    """One documented name.

    `parameters` is None if it need not be callable; `issue` says who brings it, "" if it is there.
    """

    path: str
    parameters: str | None
    value: str
    issue: str = ""

    def __str__(self):
        return self.path


def read(name):
    """Return the entries of a surface file."""
    macros, entries, owner, issue = {}, [], "", ""
    lines = (HERE / name).read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("<"):
            macro, _, text = line.partition(" = ")
            macros[macro] = expanded(text, macros)
        elif line.startswith(LATER_HEADING):
            issue = line.removeprefix(LATER_HEADING)
        else:
            entry = parsed(expanded(line, macros), owner if line.startswith(" ") else "", issue)
            owner = owner if line.startswith(" ") else entry.path
            is_heading = line == entry.path and following.startswith(" ")
            entries += [] if is_heading else [entry]
    return entries


def expanded(text, macros):
    return re.sub(r"<\w+>", lambda found: macros[found.group()], text)


def parsed(line, owner, issue):
    pattern = r"\s*(?P<name>[\w.]+)(\((?P<parameters>.*)\))?( = (?P<value>.+))?"
    found = re.fullmatch(pattern, line)
    assert found, f"not a line of a surface: {line!r}"
    path = f"{owner}.{found['name']}" if owner else found["name"]
    return Entry(path, found["parameters"], found["value"] or "", issue)


NOW = read("surface.txt")
LATER = read("surface_later.txt")


# Looking names up


class Specimens:
    """Class path -> an instance, whose members are looked at in place of the class's."""

    def __init__(self, root):
        self._place = {"project_name": "p", "root_url": root}
        self._makers = {
            "tlc.Table": self._table,
            "tlc.TableView": lambda: self._table().with_transform(len),
            "tlc.Run": lambda: tlc.init(**self._place),
            "tlc.Schema": lambda: tlc.Schema(value=tlc.schemas.values.Int32Value()),
            "tlc.Url": lambda: self._table().url,
            "tlc.schemas.MapElement": lambda: tlc.schemas.MapElement("a"),
            "tlc.metrics.PredictorOutput": lambda: tlc.metrics.PredictorOutput([1]),
            "tlc.metrics.MetricsCollector": lambda: tlc.metrics.FunctionalMetricsCollector(dict),
            "tlc.configuration.Configuration": tlc.configuration.Configuration.instance,
        }

    def __contains__(self, path):
        return path in self._makers

    def __getitem__(self, path):
        return self._makers[path]()

    def _table(self):
        return tlc.Table.from_dict({"a": [1, 2]}, **self._place)


@pytest.fixture
def specimens(tmp_path):
    return Specimens(tmp_path)


def resolve(path, specimens=()):
    """Return what is at a dotted path.

    Raises:
        AttributeError: There is nothing.
    """
    owner, _, name = path.rpartition(".")
    if not owner:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise AttributeError(str(error)) from error
    parent = specimens[owner] if owner in specimens else resolve(owner)
    if isinstance(parent, types.ModuleType) and not hasattr(parent, name):
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError as error:
            raise AttributeError(f"{path} does not exist") from error
    return getattr(parent, name)


def fault(entry, specimens):
    """Return what is wrong with our version of a documented name; "" if nothing is."""
    try:
        ours = resolve(entry.path, specimens)
    except AttributeError as error:
        return f"{entry.path} does not exist: {error}"
    if entry.parameters is None:
        if inspect.ismethod(ours):
            return f"{entry.path} is a method, documented as an attribute"
        if entry.value and ours != ast.literal_eval(entry.value):
            return f"{entry.path} is {ours!r}, documented as {entry.value}"
        return ""
    if not callable(ours):
        return f"{entry.path} cannot be called"
    faults = list(signature_faults(ours, documented(entry.parameters), keywords_of(ours)))
    return f"{entry.path}: {'; '.join(faults)}" if faults else ""


def documented(text):
    arguments = ast.parse(f"def f({text}): ...").body[0].args
    positional = [
        (a.arg, P.POSITIONAL_OR_KEYWORD, ast.literal_eval(d) if d else P.empty)
        for a, d in zip(
            arguments.args,
            [None] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults,
            strict=True,
        )
    ]
    keyword_only = [
        (a.arg, P.KEYWORD_ONLY, ast.literal_eval(d) if d else P.empty)
        for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return [P(name, kind, default=default) for name, kind, default in positional + keyword_only]


def keywords_of(ours):
    """Return name -> default of the parameters behind ``**arguments: Unpack[...]``.

    A schema's defaults are what an instance made without arguments shows; others are not known.
    """
    typed = str(next((p.annotation for p in own_parameters(ours) if p.kind is P.VAR_KEYWORD), ""))
    if typed in ("", "Any"):  # none, or those that plug-ins have
        return {}
    found = re.search(r"Unpack\[(?:[\w.]+\.)?(\w+)\]", typed)
    assert found, f"{ours}: the keywords are not typed"
    homes = ["tlc.schemas.arguments", "tlc.samplers.sampler", ours.__module__]
    shared = next(
        getattr(importlib.import_module(home), found[1])
        for home in homes
        if hasattr(importlib.import_module(home), found[1])
    )
    made = ours() if inspect.isclass(ours) and issubclass(ours, tlc.Schema) else None
    return {name: getattr(made, name, ...) for name in shared.__annotations__}


def own_parameters(ours):
    """Return the parameters that a caller gives; a method looked up on its class shows `self`."""
    return [p for p in inspect.signature(ours).parameters.values() if p.name != "self"]


def signature_faults(ours, theirs, keywords):
    own = own_parameters(ours)
    order = [p.name for p in own if p.kind in (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD)]
    known = dict(keywords) | {p.name: p.default for p in own if p.kind not in VARIADIC}
    by_position_only = {p.name for p in own if p.kind is P.POSITIONAL_ONLY}
    met = set()
    for i, parameter in enumerate(theirs):
        name = parameter.name
        if parameter.kind is not P.KEYWORD_ONLY:
            if i >= len(order):
                yield f"{name!r} cannot be passed by position"
                continue
            if name.startswith("_"):
                name = order[i]
                by_position_only.discard(name)
            elif name != order[i]:
                yield f"parameter {i} is {order[i]!r}, documented as {name!r}"
        met.add(name)
        if name not in known or name in by_position_only:
            yield f"there is no keyword {name!r}"
        elif parameter.default is ... and known[name] is P.empty:
            yield f"{name!r} has no default"
        elif parameter.default not in (..., P.empty) and known[name] != parameter.default:
            yield f"{name!r} is {known[name]!r} by default, documented as {parameter.default!r}"
    for name, default in known.items():
        if name not in met and default is P.empty:
            yield f"{name!r} is not documented and has no default"


VARIADIC = (P.VAR_POSITIONAL, P.VAR_KEYWORD)


# The documented names


@pytest.mark.parametrize("entry", NOW, ids=str)
def test_a_documented_name_is_there_as_documented(entry, specimens):
    assert fault(entry, specimens) == ""


@pytest.mark.parametrize("entry", LATER, ids=str)
def test_a_name_of_a_later_issue_is_not_there_yet(entry, specimens):
    assert fault(entry, specimens), f"{entry.path} is built: move its line to surface.txt"
    assert entry.issue, f"{entry.path} stands under no heading"


def keys(entries):
    """Return the names, and the parameters of those that have any."""
    for entry in entries:
        parameters = documented(entry.parameters) if entry.parameters else []
        yield from [f"{entry.path}({p.name})" for p in parameters] or [entry.path]


def test_each_name_stands_in_one_list_once():
    for entries in (NOW, LATER):
        paths = [entry.path for entry in entries]
        assert sorted(paths) == sorted(set(paths))
    assert set(keys(NOW)) & set(keys(LATER)) == set()


# The checks themselves


def sample(a, b=1, *, c=None, d=()): ...


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("a, b=1, *, c=None", ""),
        ("a, *, d=...", ""),
        ("_x, _y=1", ""),
        ("*, b=1, a", ""),
        ("b", "parameter 0 is 'a', documented as 'b'; 'a' is not documented and has no default"),
        ("a, b=2", "'b' is 1 by default, documented as 2"),
        ("a=...", "'a' has no default"),
        ("a, *, e", "there is no keyword 'e'"),
        ("a, b, c", "'c' cannot be passed by position"),
        ("*, b=1", "'a' is not documented and has no default"),
    ],
)
def test_a_signature_is_compared_by_names_order_and_defaults(theirs, expected):
    assert "; ".join(signature_faults(sample, documented(theirs), {})) == expected


@pytest.mark.parametrize("path", ["tlc.nothing", "tlc.Table.nothing", "tlc.no.such", "nowhere.x"])
def test_a_missing_name_is_noticed(path, specimens):
    assert "does not exist" in fault(Entry(path, None, ""), specimens)


# What holds for the package as a whole


def test_the_version_is_one_that_known_programs_accept():
    assert Version(tlc.__version__) >= Version("2.16")
    assert tlc.__version__ >= "2.14.0", "one program compares strings"


def in_a_fresh_interpreter(code):
    command = [sys.executable, "-I", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


SUB_MODULES = [
    *("schemas", "schemas.values", "sample_types", "metrics", "metrics.predictor", "samplers"),
    *("metrics.semantic_segmentation", "constants", "url", "configuration", "objects", "errors"),
    *("testing", "integration", "export"),
]


def test_sub_modules_are_attributes_after_a_bare_import():
    for path in SUB_MODULES:  # each in its own process, so that none is found because of another
        done = in_a_fresh_interpreter(f"import tlc; tlc.{path}")
        assert done.returncode == 0, done.stderr


HOMES = {
    "ImageSchema": "tlc.schemas.ImageSchema",
    "MapElement": "tlc.schemas.MapElement",
    "Float32Value": "tlc.schemas.values.Float32Value",
    "SampleType": "tlc.sample_types.SampleType",
    "Predictor": "tlc.metrics.Predictor",
    "EmbeddingsMetricsCollector": "tlc.metrics.EmbeddingsMetricsCollector",
    "create_sampler": "tlc.samplers.create_sampler",
    "UrlAdapter": "tlc.url.UrlAdapter",
    "Configuration": "tlc.configuration.Configuration",
    "TlcError": "tlc.errors.TlcError",
    "EXAMPLE_ID": "tlc.constants.EXAMPLE_ID",
    "NUMBER_ROLE_LABEL": "tlc.constants.NUMBER_ROLE_LABEL",
}


@pytest.mark.parametrize(("name", "home"), HOMES.items())
def test_a_name_of_a_sub_module_says_where_it_lives(name, home):
    with pytest.raises(AttributeError, match=rf"no attribute '{name}'.*{re.escape(home)}\b"):
        getattr(tlc, name)
    assert resolve(home) is not None


def test_a_name_that_is_nowhere_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = tlc.Nothing
    assert not hasattr(tlc, "_nothing")


MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(tlc.__path__, "tlc.")
    if "._" not in found.name and not found.name.endswith("__main__")
]
WITH_ALL = [tlc, *(module for module in MODULES if hasattr(module, "__all__"))]


@pytest.mark.parametrize("module", WITH_ALL, ids=lambda module: module.__name__)
def test_all_lists_what_can_be_imported(module):
    names = module.__all__
    assert len(names) == len(set(names))
    missing = [name for name in names if not hasattr(module, name)]
    assert missing == []
    assert sorted(own_names(module) - set(names)) == [], "public, and not in __all__"


def test_dir_lists_what_a_person_may_use():
    assert set(tlc.__all__) <= set(dir(tlc))
    assert {"metrics", "samplers", "schemas", "url"} <= set(dir(tlc))


def own_names(module):
    """Return the public names that a module or package defines, and re-exports from its parts."""
    home = module.__name__
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith(("_", "pytest_"))  # pytest_...: hooks of a plugin
        and (inspect.isclass(value) or inspect.isroutine(value))
        and is_part(getattr(value, "__module__", ""), home, packages=hasattr(module, "__path__"))
    }


def is_part(path, home, *, packages):
    return path == home or (packages and path.startswith(f"{home}."))


def test_each_documented_module_says_what_it_has():
    paths = {entry.path for entry in NOW}
    modules = {
        m.__name__ for m in MODULES if any(p.rpartition(".")[0] == m.__name__ for p in paths)
    }
    assert sorted(modules - {m.__name__ for m in WITH_ALL}) == []
