"""The Makefile and the pinned requirements: what `make demo` and `make test` stand on."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PIN = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!+]+")
TARGETS = ["demo", "test", "lint", "bench", "docs", "notebooks", "clean", "env", "env-test", "help"]


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_what_to_do(target):
    command = ["make", "--dry-run", target, f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_make_refuses_an_unknown_target():
    command = ["make", "--dry-run", "no-such-target"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode != 0


def lines(name):
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    found = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [line for line in found if line]


def pins(name):
    return {
        canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in lines(name)
    }


@pytest.mark.parametrize("name", ["demo.txt", "test.txt"])
def test_a_pinned_file_holds_pins_only(name):
    assert [line for line in lines(name) if not PIN.fullmatch(line)] == []
    assert len(pins(name)) == len(lines(name)), "a package is pinned twice"


def needs(name):
    """Return the requirements that a pinned file must meet."""
    extras = PROJECT["project"]["optional-dependencies"]
    inputs = [*lines("common.in"), *lines(f"{name.removesuffix('.txt')}.in")]
    texts = [*PROJECT["project"]["dependencies"], *extras["demo"], *inputs]
    texts += PROJECT["build-system"]["requires"]
    texts += extras["pandas"] if name == "test.txt" else []
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("name", ["demo.txt", "test.txt"])
def test_every_dependency_is_pinned_at_a_version_that_the_project_allows(name):
    pinned = pins(name)
    bad = [
        f"{need}: {pinned.get(canonicalize_name(need.name), 'not pinned')}"
        for need in needs(name)
        if not need.specifier.contains(
            pinned.get(canonicalize_name(need.name), "0"), prereleases=True
        )
        or canonicalize_name(need.name) not in pinned
    ]
    assert bad == []


def test_the_demo_and_the_tests_run_on_the_same_versions():
    demo, test = pins("demo.txt"), pins("test.txt")
    differing = {name for name, version in demo.items() if test.get(name) != version}
    assert differing == {"torch"}  # the demo takes the small build for the CPU


def test_a_pin_is_told_from_a_range():
    assert PIN.fullmatch("torch==2.13.0")
    assert not any(PIN.fullmatch(line) for line in ("torch>=2", "torch", "-e .", "x @ file:///y"))
