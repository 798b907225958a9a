"""What a user installs: an exact wheel, that works without any extra and imports nothing early."""

from __future__ import annotations

import configparser
import importlib.metadata
import json
import subprocess
import sys
import sysconfig
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ["core", "integrations", "samplers"]
HEAVY = """
    torch torchvision pandas PIL pyarrow numpy duckdb polars datasets lightning pytorch_lightning
    transformers sklearn yaml typer tqdm pytest
""".split()  # noqa: SIM905 - a list of names reads best without quotes


# The wheel


@pytest.fixture(scope="session")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_files_of_the_three_roots_each_once(names):
    expected = {
        path.relative_to(ROOT / root).as_posix()
        for root in SOURCE_ROOTS
        for path in (ROOT / root).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    package = Counter(name for name in names if ".dist-info/" not in name)
    assert set(package) == expected
    assert max(package.values()) == 1


def test_the_wheel_is_typed_and_has_the_core_s_init_and_no_tests(wheel, names):
    assert "tlc/py.typed" in names
    assert not [name for name in names if "test_" in Path(name).name or "conftest" in name]
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("tlc/__init__.py") == (ROOT / "core/tlc/__init__.py").read_bytes()


def test_the_wheel_s_metadata_is_what_the_project_says(wheel, names):
    folder = next(name for name in names if name.endswith("/METADATA")).rpartition("/")[0]
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{folder}/METADATA").decode()
        scripts = configparser.ConfigParser()
        scripts.read_string(archive.read(f"{folder}/entry_points.txt").decode())
    assert "Name: opentlc\n" in metadata
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    assert dict(scripts["console_scripts"]) == {"tlc": "tlc.cli:main"}
    assert f"{folder}/licenses/LICENSE" in names


# What is loaded when


def loaded_by(code):
    """Return the heavy modules that some code loads in a fresh interpreter."""
    report = f"\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    command = [sys.executable, "-I", "-c", code + report]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_import_tlc_loads_nothing_heavy():
    assert loaded_by("import tlc") == set()


def test_the_nouns_load_no_framework():
    code = """
import tlc
tlc.Table, tlc.TableView, tlc.Run, tlc.TableWriter, tlc.MetricsTableWriter, tlc.Url, tlc.init
tlc.schemas.ImageSchema(), tlc.schemas.CategoricalLabelSchema(["a"]), tlc.Schema()
tlc.sample_types.SampleType, tlc.constants.EXAMPLE_ID, tlc.configuration.Configuration.instance()
"""
    assert (
        loaded_by(code) & {"torch", "pandas", "PIL", "duckdb", "datasets", "typer", "tqdm"} == set()
    )


def test_the_check_sees_what_is_loaded():
    assert loaded_by("import yaml") == {"yaml"}


# Core only


def core_modules():
    """Return the top-level modules of the dependencies without extras, and of theirs."""
    wanted, known = ["opentlc"], set()
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in known:
            continue
        known.add(name)
        for line in importlib.metadata.requires(name) or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                wanted.append(need.name)
    owners = importlib.metadata.packages_distributions()
    return {
        module
        for module, names in owners.items()
        if known & {name.lower().replace("_", "-") for name in names}
    }


PRELUDE = """
import json, sys
tree, site_packages, hidden = json.loads(sys.argv.pop(1))
sys.path[:0] = [tree]
sys.path.append(site_packages)

class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing)
"""


@pytest.fixture(scope="session")
def core_only(installed):
    """Return a function that runs code where only the package and its dependencies are."""
    every = set(importlib.metadata.packages_distributions())
    hidden = sorted(every - core_modules() - {"tlc"})
    assert {"torch", "sklearn", "pandas", "pytest"} <= set(hidden)
    assert not {"numpy", "pyarrow", "PIL", "typer", "yaml"} & set(hidden)
    world = json.dumps([str(installed), sysconfig.get_path("purelib"), hidden])

    def run(code, *arguments):
        # -S: no site-packages but the one named, so neither .pth files nor the editable install.
        command = [
            sys.executable,
            "-E",
            "-S",
            "-W",
            "error",
            "-c",
            PRELUDE + code,
            world,
            *arguments,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


LOOP = """
import tlc
assert tlc.__file__.startswith(tree), tlc.__file__
table = tlc.Table.from_dict({"x": [1, 2, 3], "name": ["a", "b", "c"]}, project_name="core")
assert table[1] == {"x": 2, "name": "b"} and len(table) == 3
edited = table.set_values("x", [0], [9])
assert table.latest()[0]["x"] == 9
run = tlc.init("core", "first", parameters={"lr": 0.1})
run.add_metrics({"loss": [0.1, 0.2, 0.3]}, foreign_table_url=table.url)
assert run.metrics_tables[0].to_arrow()["loss"].to_pylist() == [0.1, 0.2, 0.3]
run.set_status_completed()
for name in ("torch", "pandas"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise AssertionError(name)
print("done")
"""
COMMAND = """
from tlc.cli import main
sys.argv[0] = "tlc"
main()
"""


def test_tables_and_runs_work_without_any_extra(core_only):
    done = core_only(LOOP)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


def test_the_command_works_without_any_extra(core_only):
    version = core_only(COMMAND, "--version")
    assert version.stdout.startswith("tlc 3."), version.stderr
    assert core_only(LOOP).returncode == 0
    projects = core_only(COMMAND, "ls")
    assert "core" in projects.stdout, projects.stderr
    one = core_only(COMMAND, "ls", "core")
    assert "first" in one.stdout, one.stderr


def test_the_demo_names_the_extra_that_it_needs(core_only):
    done = core_only(COMMAND, "demo")
    assert done.returncode == 1
    assert "opentlc[demo]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_framework_names_the_extra_that_brings_it(core_only):
    code = """
import tlc
try:
    tlc.Table.from_dict({"x": [1]}, project_name="core").to_pandas()
except tlc.errors.MissingExtraError as error:
    print(error)
"""
    assert "opentlc[pandas]" in core_only(code).stdout
