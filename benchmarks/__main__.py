"""Run all measurements; with words, the modules, or else the cases, that have one in their name.

A module of this folder that has a function ``cases()`` takes part; ``ENVIRONMENT`` in it, a dict
of literals, is added to the environment of its process. Each runs in a process of its own, with a
project root that is removed at the end, so that one that fails does not take the others with it.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.harness import Outcome, run
from benchmarks.report import goals, write_markdown

_LONGEST = 1200


def main() -> None:
    arguments = _arguments()
    if arguments.results:
        _run_module(arguments.words[0], arguments.words[1:], arguments.results)
        return
    results, failed = {}, []
    modules = _modules()
    named = [name for name in modules if any(word in name for word in arguments.words)]
    for name in named or modules:
        outcomes, code = _in_process(name, modules[name], arguments.words)
        if outcomes:
            results[name] = outcomes
        if code:
            failed.append(f"{name} failed: {code}")
    print("\n".join(["", *goals(results), *failed]))
    if arguments.markdown:
        write_markdown(arguments.markdown, results)
    missed = any(each.met is False for part in results.values() for each in part)
    sys.exit(1 if arguments.check and (missed or failed) else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("words", nargs="*", help="run only these modules or cases")
    parser.add_argument("--markdown", type=Path, help="page to write the table of results into")
    parser.add_argument("--check", action="store_true", help="fail if a goal is missed")
    parser.add_argument("--results", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _modules() -> dict[str, dict[str, str]]:
    """Return the modules that have cases, and what each adds to its environment."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        if any(isinstance(node, ast.FunctionDef) and node.name == "cases" for node in body):
            found[path.stem] = {}
        for node in body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ENVIRONMENT":
                found[path.stem] = ast.literal_eval(node.value)
    return found


def _in_process(
    name: str, environment: dict[str, str], words: list[str]
) -> tuple[list[Outcome], str]:
    """Run a module in a process of its own; return what came out, and what went wrong."""
    with tempfile.TemporaryDirectory(prefix="tlc-bench-") as folder:
        results = Path(folder) / "results.jsonl"
        results.touch()
        command = [sys.executable, "-m", "benchmarks", "--results", str(results), name, *words]
        settings = {"TLC_DISPLAY_PROGRESS": "false", "TLC_DEFAULT_ROOT_DIR": folder}
        settings |= {"TMPDIR": folder, **environment}
        try:
            code = subprocess.run(command, env={**os.environ, **settings}, timeout=_LONGEST)
            problem = f"exit status {code.returncode}" if code.returncode else ""
        except subprocess.TimeoutExpired:
            problem = f"more than {_LONGEST} s"
        lines = results.read_text(encoding="utf-8").splitlines()
        return [Outcome(**json.loads(line)) for line in lines], problem


def _run_module(name: str, words: list[str], results: Path) -> None:
    """Run the cases of a module; write what comes out line by line."""
    for item in importlib.import_module(f"benchmarks.{name}").cases():
        if words and not any(word in name or word in item.name for word in words):
            continue
        lines, outcomes = run(item)
        print("\n".join(lines), flush=True)
        with results.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(outcome)) + "\n" for outcome in outcomes)


main()
