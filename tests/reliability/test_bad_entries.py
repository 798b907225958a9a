"""A hundred damaged objects among a thousand are shown as damaged, and hide none of the others."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from pathlib import Path

import pytest
from tests.reliability.mutations import sealed_manifest

import tlc
from tlc.catalog import list_runs, list_tables
from tlc.cli.listing import list_project
from tlc.format.manifest import TableManifest, encode
from tlc.format.open import open_table
from tlc.upkeep import examine
from tlc.url import Url

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")

OBJECTS, EACH = 500, 5


def rewritten(change):
    """Return a damage that changes what a manifest says, with a digest that fits."""

    def damage(path):
        value = json.loads(path.read_bytes())
        del value["digest"]
        change(value)
        path.write_bytes(sealed_manifest(json.dumps(value)[:-1]))

    return damage


def replaced(content):
    return lambda path: path.write_bytes(content(path.read_bytes()))


def folder(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def flip(content):
    half = len(content) // 2
    return content[:half] + bytes([content[half] ^ 4]) + content[half + 1 :]


OF_ANY = [
    replaced(lambda content: b""),
    replaced(lambda content: content[: len(content) // 3]),
    replaced(lambda content: content[:-1]),
    replaced(flip),
    replaced(lambda content: bytes(len(content))),
    replaced(lambda content: b"\xef\xbb\xbf" + content),
    replaced(lambda content: content + content),
    rewritten(lambda value: value.update(format={"major": 2, "minor": 0})),
    rewritten(lambda value: value.update(required_features=["layers", "magic"])),
    rewritten(lambda value: value.update(id=7)),
]
OF_TABLES = [
    *OF_ANY,
    rewritten(lambda value: value.update(kind="run")),
    rewritten(lambda value: value["stack"].update(row_count=-1)),
    rewritten(lambda value: value["stack"]["layers"][0].update(type="magic")),
    rewritten(lambda value: value.pop("stack")),
    rewritten(lambda value: value.update(rows_schema=[])),
    pipe,
]
OF_RUNS = [OF_ANY[0], OF_ANY[1], rewritten(lambda value: value.update(kind="table")), pipe]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The folder of a project, and which of its objects are damaged."""
    root = Url(tmp_path_factory.mktemp("entries"))
    first = tlc.Table.from_dict({"n": [1, 2]}, table_name="t", project_name="p", root_url=root)
    run = tlc.init("p", "r", root_url=root, parameters={"lr": 0.1})
    tlc.close()
    damaged = set()
    for one, damages in ((first, OF_TABLES), (run, OF_RUNS)):
        copies = [_copy(one, number) for number in range(OBJECTS)]
        for number, damage in enumerate(damages * EACH):
            damage(copies[3 * number] / "manifest.json")
            damaged.add(str(copies[3 * number]))
    return root / "p", damaged


def _copy(one, number):
    """Copy the folder of an object; a table gets an id of its own, as if it had been written."""
    folder = Path(f"{one.url}-{number:03d}")
    shutil.copytree(str(one.url), folder)
    if isinstance(one, tlc.Table):
        manifest, _ = open_table(Url(folder))
        members = {name: getattr(manifest, name) for name in manifest.__struct_fields__}
        changed = TableManifest(**{**members, "id": f"id-{number}"})
        (folder / "manifest.json").write_bytes(encode(changed))
    return folder


def test_a_hundred_damaged_objects_among_a_thousand(project):
    place, damaged = project
    assert len(damaged) == 100
    with warnings.catch_warnings(record=True):
        entries = list_tables(place) + list_runs(place)
        lines = list_project("p", str(place.parent))
        damages = examine(place).damages
    assert len(entries) == 2 * OBJECTS + 2
    assert {str(entry.url) for entry in entries if entry.fault} == damaged
    assert all(len(entry.fault) > 20 for entry in entries if entry.fault)
    assert len(lines) == len(entries) + 3
    assert {str(finding.url) for finding in damages} == damaged
    assert all(finding.fault and finding.remedy for finding in damages)


def test_the_others_are_found_and_read(project):
    place, damaged = project
    first = tlc.Table.from_url(place / "datasets/default-dataset/tables/t")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        newer = first.set_values("n", [0], [5])
        assert first.latest() == newer
    named = {str(each.message).partition(" was passed over")[0] for each in caught}
    assert named
    assert named <= damaged
    shutil.rmtree(str(newer.url))
