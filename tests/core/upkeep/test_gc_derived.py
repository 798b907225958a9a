"""Garbage collection knows what tables made of parts of others need."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.core.upkeep.conftest import collect, make_older

from tlc.table import Table

HOUR = 3600.0


@pytest.fixture
def source(root):
    return Table.from_dict(
        {"n": [0, 1, 2, 3], "label": [0, 0, 1, 1], "x": [[1], [2, 3], [], [4]]},
        table_name="source",
        dataset_name="d",
        project_name="p",
        root_url=root,
    )


def derived(source):
    other = source.set_value_map("label", ["cat", "dog"])
    unnamed = other.set_value_map("label", ["dog", "cat"])
    unrolled = source.unroll("x", keep_empty=True)
    return [
        *source.split({"a": 0.5, "b": None}, strategy="stratified", by="label").values(),
        source.coreset(2, "label"),
        source.keep([3, 0]),
        source.sort("n", descending=True),
        source.filter("n > 1"),
        source.reduce("label"),
        unrolled,
        unrolled.roll_up(),
        unrolled.roll_up("label", "n"),
        Table.join_tables([other, unnamed]),
    ]


def test_nothing_that_a_derived_table_needs_is_deleted(root, source):
    tables = derived(source)
    expected = [list(table.table_rows) for table in tables]
    Path(str(source.url), "manifest.json").unlink()
    make_older(root, HOUR)
    collect(root)
    assert [list(Table.from_url(table.url).table_rows) for table in tables] == expected


def test_nothing_of_the_source_is_needed_after_a_squash(root, source):
    tables = derived(source)
    squashed = [table.squash(f"alone-{i}") for i, table in enumerate(tables)]
    expected = [list(table.table_rows) for table in squashed]
    for table in (source, *tables):
        shutil.rmtree(str(table.url))
    make_older(root, HOUR)
    collect(root)
    assert [list(Table.from_url(table.url).table_rows) for table in squashed] == expected
