"""What was written once is read forever; what a newer version writes is refused, or shown raw."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from tests.reliability import make_golden
from tests.reliability.mutations import sealed_manifest

import tlc
from tlc.catalog import list_projects, list_tables
from tlc.errors import UnsupportedFormatError
from tlc.upkeep import examine
from tlc.url import Url

FORMATS = sorted(path.name for path in make_golden.GOLDEN.iterdir())


@pytest.fixture(params=FORMATS)
def golden(request, tmp_path):
    """A copy of a golden project, so that nothing can change it."""
    return shutil.copytree(make_golden.GOLDEN / request.param, tmp_path / "golden")


def changed(golden, name, change):
    """Change what the manifest of a table says, with a digest that fits, and return its url."""
    folder = golden / "p/datasets/d/tables" / name
    path = folder / "manifest.json"
    value = json.loads(path.read_bytes())
    del value["digest"]
    change(value)
    path.write_bytes(sealed_manifest(json.dumps(value)[:-1]))
    return Url(folder)


def rows_of(golden, name):
    expected = json.loads((golden / make_golden.EXPECTED).read_text(encoding="utf-8"))
    return expected[f"p/datasets/d/tables/{name}"]["rows"]


def test_golden_projects_are_small():
    files = [path for path in make_golden.GOLDEN.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 200_000 * len(FORMATS)


def test_what_was_written_once_reads_as_ever(golden):
    expected = json.loads((golden / make_golden.EXPECTED).read_text(encoding="utf-8"))
    assert make_golden.contents(golden) == expected
    assert [url.name for url in list_projects(golden)] == ["p"]
    assert examine(golden / "p").damages == []


def test_an_old_table_can_be_revised(golden):
    old = tlc.Table.from_url(golden / "p/datasets/d/tables/first").latest()
    new = old.set_values("word", [0], ["new"])
    assert [row["word"] for row in new.table_rows][1:] == [r["word"] for r in old.table_rows][1:]
    assert new.table_rows[0]["word"] == "new"


NEWER = {
    "format": lambda value: value.update(format={"major": 99, "minor": 3}),
    "feature": lambda value: value.update(required_features=["layers", "holograms"]),
    "all": lambda value: [
        value.update(format={"major": 99, "minor": 0}, stack="of another kind"),
        value.pop("rows_schema"),
    ],
}


@pytest.mark.parametrize("change", NEWER)
def test_a_newer_format_is_refused_in_one_sentence(golden, change):
    url = changed(golden, "first", NEWER[change])
    with pytest.raises(UnsupportedFormatError) as caught:
        tlc.Table.from_url(url)
    message, _, hint = str(caught.value).partition(" Hint: ")
    assert str(url) in message
    assert "holograms" in message or "99" in message
    assert len(re.findall(r"\.(?:\s|$)", message)) == 1
    assert "upgrade" in hint
    faults = {entry.url.name: entry.fault for entry in list_tables(Url(golden / "p"))}
    assert [name for name, fault in faults.items() if fault] == ["first"]


def add_members(value):
    """Add members of which this version knows nothing, wherever there may be some."""
    if isinstance(value, dict):
        for item in list(value.values()):
            add_members(item)
        if not {"internal_name"} & value.keys() and "values" not in value:
            value["from_the_future"] = {"of": ["some", {"kind": 1}]}
    elif isinstance(value, list):
        for item in value:
            add_members(item)


def test_unknown_members_are_ignored(golden):
    def change(value):
        for part in ("format", "parents", "stack", "operation"):
            add_members(value[part])
        for schema in value["rows_schema"]["values"].values():
            schema["from_the_future"] = 1
            schema.get("value", {})["from_the_future"] = [1]
        value["from_the_future"] = {"deep": [{"er": None}]}

    for name in ("first", "first-r1", "joined", "squashed"):
        table = tlc.Table.from_url(changed(golden, name, change))
        assert [table.table_rows[n] for n in range(len(table))] == rows_of(golden, name)


def test_a_column_of_an_unknown_type_is_shown_as_text(golden):
    def change(value):
        columns = value["rows_schema"]["values"]
        columns["number"]["value"] = {"type": "int128", "unit": "stars"}
        columns["point"]["values"]["x"]["value"] = {"type": "quaternion"}

    table = tlc.Table.from_url(changed(golden, "first", change))
    for row, expected in zip(table.table_rows, rows_of(golden, "first"), strict=True):
        point = {**expected["point"], "x": str(expected["point"]["x"])}
        assert row == {**expected, "number": str(expected["number"]), "point": point}
    assert "number" in repr(table)
    revised = table.set_values("word", [0], ["new"])
    assert revised.rows_schema.to_dict() == table.rows_schema.to_dict()


def test_a_column_of_an_unknown_sample_type_is_shown_as_it_is_stored(golden):
    def change(value):
        value["rows_schema"]["values"]["pil_png"]["sample_type"] = "hologram"
        value["rows_schema"]["values"]["array"]["sample_type"] = "os.system"

    table = tlc.Table.from_url(changed(golden, "media", change))
    row = table.table_rows[0]
    assert (table[0]["pil_png"], table[0]["array"]) == (row["pil_png"], row["array"])
    assert table[0]["pil_jpeg"].size == (8, 8)
