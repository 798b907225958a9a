from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tlc.schemas import Schema, StringSchema
from tlc.table import Table

NASTY = "<script>alert('x')</script>&\""


def test_the_text_shows_schema_and_first_rows(table):
    lines = repr(table).splitlines()
    assert lines[0] == f"Table 'first': 3 rows, 4 columns, {table.url}"
    assert lines[1:5] == [
        "  n: int64",
        "  label: int32 (cat, dog)",
        "  boxes: float64[]",
        "  weight: float32 as hidden",
    ]
    assert lines[6] == "  0: 1, 0, [1], 1"
    assert str(table) == repr(table)


def test_long_tables_and_long_cells_are_cut():
    table = Table.from_dict({"path": [f"/long/{'x' * 100}/{n}.png" for n in range(100)]})
    lines = repr(table).splitlines()
    assert len(lines) < 10
    assert max(map(len, lines[2:])) < 60
    assert "4.png" in lines[-1]


def test_an_empty_table_has_a_text_too():
    table = Table.from_dict({})
    assert repr(table).startswith("Table 'table': 0 rows, 0 columns")
    assert "<table>" in table._repr_html_()


def test_html_is_escaped():
    schema = {NASTY: Schema(values={NASTY: StringSchema()})}
    table = Table.from_dict({NASTY: [{NASTY: NASTY}]}, schema)
    html = table._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@settings(max_examples=30, deadline=None)
@given(texts, texts)
def test_no_text_of_a_table_adds_tags_to_its_html(name, cell):
    table = Table.from_dict({name: [cell]}, if_exists="overwrite")
    tags = set(re.findall("</?([^ >]*)>", table._repr_html_()))
    assert tags == {"div", "b", "table", "thead", "tr", "th", "br", "small", "tbody", "td"}


def test_a_view_is_shown_with_its_table_and_function(table):
    assert repr(table.with_transform(len)) == f"TableView({table.url}, transform=len)"
    assert "transform=str" in repr(table.with_transform(len).with_transform(str))
