"""Every adapter passes the contract of adapters; whichever are missing are found here."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tlc.integration
from tlc.testing import AdapterContract

TESTS = Path(__file__).parent
ADAPTERS = [
    found.name for found in pkgutil.iter_modules(tlc.integration.__path__) if found.name[0] != "_"
]
FRAMEWORKS = {
    "lightning": ("lightning", ["lightning", "lightning.pytorch", "pytorch_lightning"]),
    "hugging_face": ("huggingface", ["transformers"]),
    "torch": ("torch", ["torch"]),
    "detectron2": ("detectron2", ["detectron2"]),
    "super_gradients": ("super-gradients", ["super_gradients"]),
    "ultralytics": ("ultralytics", ["ultralytics"]),
}


def under_contract():
    """Return the adapters that test modules with a subclass of the contract import."""
    found = set()
    for path in TESTS.glob("test_*.py"):
        module = importlib.import_module(f"tests.integrations.{path.stem}")
        classes = [each for each in vars(module).values() if isinstance(each, type)]
        if any(
            issubclass(each, AdapterContract) and each is not AdapterContract for each in classes
        ):
            found |= {name for name in ADAPTERS if f"tlc.integration.{name}" in path.read_text()}
    return found


def test_each_adapter_has_a_subclass_of_the_contract():
    assert ADAPTERS
    assert under_contract() == set(ADAPTERS)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_missing_framework_is_told_with_its_extra(name):
    extra, missing = FRAMEWORKS[name]
    code = f"""
import sys
sys.modules.update(dict.fromkeys({missing!r}))
import tlc
from tlc.errors import MissingExtraError
import tlc.integration
try:
    from tlc.integration.{name} import *
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"opentlc[{extra}]" in done.stdout, done.stderr
