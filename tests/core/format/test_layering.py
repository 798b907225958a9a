"""How few layers a chain of edits leaves, and that they still say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlc.format import layering
from tlc.format.manifest import Concat, Data, Patch, Take
from tlc.schemas import StringSchema
from tlc.table import AddColumn, DeleteRows, DropColumn, SetValues, Table
from tlc.url import UrlAdapterRegistry


def layers(table):
    return [type(layer) for layer in table._manifest.stack.layers]


def cells(table, name="n"):
    return Table.from_url(table.url).column(name).to_pylist()


@pytest.fixture
def numbers():
    return Table.from_dict({"n": range(1000)}, table_name="t")


ROWS = st.lists(st.integers(0, 5), max_size=4)
EDITS = st.lists(
    st.builds(lambda rows: ("set", rows), ROWS) | st.builds(lambda rows: ("delete", rows), ROWS),
    max_size=4,
)


@pytest.mark.parametrize("ratio", [0, layering._RATIO], ids=["never merged", "merged"])
@settings(max_examples=60)
@given(chain=st.lists(EDITS, min_size=2, max_size=6))
def test_any_chain_of_new_cells_and_deleted_rows_is_right(ratio, chain):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layering, "_RATIO", ratio)
        expected = list(range(12))
        table = Table.from_dict({"n": expected}, if_exists="rename", root_url="memory://layering")
        origin, keys, value = table.id, list(range(12)), 100
        for edits in chain:
            made = []
            for kind, picked in edits:
                rows = [row % len(expected) for row in picked] if expected else []
                if kind == "delete":
                    made.append(DeleteRows(rows))
                    expected = [n for row, n in enumerate(expected) if row not in rows]
                    keys = [n for row, n in enumerate(keys) if row not in rows]
                else:
                    made.append(SetValues("n", rows, range(value, value + len(rows))))
                    for row in rows:
                        expected[row], value = value, value + 1
            table = table.revise(*made)
            assert cells(table) == expected
            assert table.row_keys()[1].tolist() == keys
        assert set(table.row_keys()[0].to_pylist()) <= {origin}
        assert layers(table).count(Take) <= 2
    UrlAdapterRegistry.delete_tree(table.url.parent)


def test_a_patch_is_merged_with_the_ones_below_until_they_are_much_longer(numbers):
    table = numbers.set_values("n", range(900), 0)
    for row in range(40):
        table = table.set_values("n", [row, 999 - row], row)
        assert layers(table)[0] is Data
        assert len(layers(table)) <= 3
    assert cells(table) == [*range(40), *[0] * 860, *range(900, 960), *range(39, -1, -1)]


def test_all_cells_of_a_column_replace_it(numbers):
    table = numbers.set_values("n", [5], [0]).set_values("n", range(1000), 7)
    assert layers(table) == [Data, Data]  # the lower one has the keys of the rows
    assert cells(table) == [7] * 1000
    assert table.row_keys()[0].to_pylist() == [numbers.id] * 1000


def test_deleted_rows_make_one_selection_whatever_lies_between(numbers):
    table = numbers.set_values("n", [0, 999], -1)
    for step in range(30):
        table = table.delete_rows([step]).set_values("n", [0], [step])
    assert layers(table) == [Data, Patch, Take, Patch]
    assert cells(table)[:3] == [29, 31, 33] or len(table) == 970
    expected = [-1, *range(1, 999), -1]
    for step in range(30):
        del expected[step]
        expected[0] = step
    assert cells(table) == expected


def test_a_column_that_was_added_keeps_selections_apart(numbers):
    table = numbers.delete_rows([0]).add_column("m", range(999)).delete_rows([0])
    assert layers(table) == [Data, Take, Data, Take]
    assert (cells(table)[0], cells(table, "m")[0]) == (2, 1)
    table = table.delete_column("m")
    assert layers(table) == [Data, Take]
    assert cells(table) == list(range(2, 1000))


def test_selections_meet_when_what_lay_between_them_is_gone(numbers):
    table = numbers
    for step in range(20):
        table = table.delete_rows([0]).set_values("n", range(999 - step), step)
    assert layers(table) == [Data, Take, Data]
    assert cells(table) == [19] * 980
    assert table.row_keys()[1].tolist() == list(range(20, 1000))


def test_layers_that_no_column_needs_are_left_out(numbers):
    table = numbers.set_values("n", [3], [0]).add_column("m", range(1000))
    table = table.set_values("m", [3], [0]).delete_column("m")
    assert layers(table) == [Data, Patch]
    table = table.delete_column("n").add_column("n", ["x"] * 1000, StringSchema())
    assert layers(table) == [Data, Data]
    assert cells(table) == ["x"] * 1000
    assert table.row_keys()[1].tolist() == list(range(1000))


def test_edits_of_joined_tables_leave_the_parts_alone(numbers):
    table = Table.join_tables([numbers.set_values("n", [0], [5]), numbers.delete_rows([0])])
    table = table.set_values("n", [0], [6]).set_values("n", [1000], [7]).delete_rows([1])
    assert layers(table) == [Concat, Patch, Take]
    assert cells(table) == [6, *range(2, 1000), 7, *range(2, 1000)]


def test_edits_that_undo_each_other_in_one_revision_write_nothing(numbers):
    table = numbers.revise(
        SetValues("n", [999], [5]), DeleteRows([999]), AddColumn("m", range(999)), DropColumn("m")
    )
    assert layers(table) == [Data, Take]
    assert table.row_count == 999
    assert table.revise(SetValues("n", [], [])).url.name == "t-r2"


def test_a_million_rows_cost_what_is_edited():
    big = Table.from_dict({"n": np.arange(1_000_000), "x": np.zeros(1_000_000)}, table_name="big")

    def added(table):
        files = table.url.to_local_path().rglob("*")
        return sum(path.stat().st_size for path in files if path.is_file())

    few = big.set_values("n", range(0, 1_000_000, 1000), 0)
    assert added(few) < 12_000
    tenth = big.set_values("n", range(0, 1_000_000, 10), 0)
    assert added(tenth) < 250_000
    assert added(big.delete_rows(range(0, 1_000_000, 1000))) < 50_000
