"""Any sequence of edits, beside a list of dicts that is edited the same way."""

from __future__ import annotations

import random
import uuid

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule

from tlc.format.manifest import file_entries
from tlc.table import AddColumn, DeleteRows, DropColumn, SetValues, Table

KINDS = {
    "int": st.integers(-9, 9),
    "text": st.text("aä\n", max_size=3),
    "list": st.lists(st.integers(0, 3), max_size=2),
    "struct": st.fixed_dictionaries({"a": st.integers(0, 3), "b": st.none() | st.text("x")}),
}
SEEDS = {"int": 0, "text": "", "list": [0], "struct": {"a": 0, "b": "x"}}
NAMES = [f"{kind}{number}" for kind in KINDS for number in range(2)]


def cells(name):
    return st.none() | KINDS[name[:-1]]


class Tables(RuleBasedStateMachine):
    """Pairs of a table and its rows, as they should be."""

    pairs = Bundle("pairs")

    def __init__(self):
        super().__init__()
        self.place = {"dataset_name": uuid.uuid4().hex, "project_name": "machine"}

    @initialize(target=pairs, data=st.data())
    def make_two(self, data):
        return multiple(self._made(data, 3), self._made(data, 0))

    def _made(self, data, count):
        columns = {
            name: data.draw(st.lists(cells(name), min_size=count, max_size=count))
            for name in ("int0", "text0")
        }
        table = Table.from_dict(
            columns, _schemas("int0", "text0"), if_exists="rename", **self.place
        )
        return table, [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]

    @rule(target=pairs, pair=pairs, data=st.data())
    def set_values(self, pair, data):
        table, rows = pair
        if not rows or not table.columns:
            return pair
        name = data.draw(st.sampled_from(table.columns))
        numbers = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1), max_size=4))
        values = [data.draw(cells(name)) for _ in numbers]
        changed = [dict(row) for row in rows]
        for number, value in zip(numbers, values, strict=True):
            changed[number][name] = value
        return self._checked(table.set_values(name, numbers, values), changed)

    @rule(target=pairs, pair=pairs, data=st.data())
    def add_column(self, pair, data):
        table, rows = pair
        free = [name for name in NAMES if name not in table.columns]
        if not free:
            return pair
        name = data.draw(st.sampled_from(free))
        values = [data.draw(cells(name)) for _ in rows]
        added = table.add_column(name, values, _schemas(name)[name])
        return self._checked(
            added, [{**row, name: value} for row, value in zip(rows, values, strict=True)]
        )

    @rule(target=pairs, pair=pairs, data=st.data())
    def delete_column(self, pair, data):
        table, rows = pair
        if len(table.columns) < 2:
            return pair
        gone = data.draw(st.sampled_from(table.columns))
        kept = [{name: row[name] for name in row if name != gone} for row in rows]
        return self._checked(table.delete_column(gone), kept)

    @rule(target=pairs, pair=pairs, seed=st.integers(0, 99), subset=st.booleans())
    def delete_rows(self, pair, seed, subset):
        table, rows = pair
        gone = [row for row in range(len(rows)) if random.Random(seed + row).random() < 0.3]
        url = table.url.create_sibling(uuid.uuid4().hex) if subset else None
        kept = [row for number, row in enumerate(rows) if number not in gone]
        return self._checked(table.delete_rows(gone, table_url=url), kept)

    @rule(target=pairs, pair=pairs, data=st.data())
    def edit_at_once(self, pair, data):
        table, rows = pair
        if not rows or "int1" in table.columns:
            return pair
        values = [data.draw(cells("int1")) for _ in rows[1:]]
        edits = [DeleteRows([0]), AddColumn("int1", values, _schemas("int1")["int1"])]
        changed = [{**row, "int1": value} for row, value in zip(rows[1:], values, strict=True)]
        if len(rows) > 1:
            edits.append(SetValues("int1", [-1], [7]))
            changed[-1]["int1"] = 7
        if "text0" in table.columns:
            edits.append(DropColumn("text0"))
            changed = [{n: v for n, v in row.items() if n != "text0"} for row in changed]
        return self._checked(table.revise(*edits), changed)

    @rule(target=pairs, one=pairs, other=pairs)
    def join(self, one, other):
        if set(one[0].columns) != set(other[0].columns) or len(one[1]) + len(other[1]) > 40:
            return one
        return self._checked(Table.join_tables([one[0], other[0]]), one[1] + other[1])

    @rule(target=pairs, pair=pairs)
    def squash(self, pair):
        table, rows = pair
        squashed = table.squash()
        assert all(not e.path.startswith("..") for e in file_entries(squashed._manifest.stack))
        assert squashed.row_keys()[0].equals(table.row_keys()[0])
        return self._checked(squashed, rows)

    @rule(target=pairs, pair=pairs)
    def reopen(self, pair):
        return self._checked(Table.from_url(pair[0].url), pair[1])

    def _checked(self, table, rows):
        assert len(table) == len(rows)
        assert list(table.table_rows) == rows
        assert len(table.row_keys()[0]) == len(rows)
        assert table.to_arrow().num_rows == len(rows) or not table.columns
        return table, rows


def _schemas(*names):
    sample = Table.from_dict(
        {name: [SEEDS[name[:-1]]] for name in names}, table_name="-".join(names)
    )
    return sample.rows_schema.values


TestTables = Tables.TestCase
TestTables.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
