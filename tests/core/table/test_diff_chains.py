"""Any two tables of a random family, compared beside plain lists."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.schemas import (
    CategoricalLabelSchema,
    Float32Schema,
    Float64Schema,
    Int32Schema,
    Int64Schema,
    Schema,
    StringSchema,
    UrlSchema,
)
from tlc.table import DropColumn, KeepRows, SetSchema, SetValues, Table
from tlc.table.diffing import cells as diffing_cells

NAN = math.nan
BOXES = Schema(
    values={
        "instances": Float32Schema(shape=(-1, 2)),
        "more": Schema(values={"label": Int32Schema(shape=(-1,)), "name": StringSchema()}),
    }
)
KINDS = {
    "int": (Int32Schema(), [None, 0, 1, -7, 2**31 - 1]),
    "float": (Float64Schema(), [None, NAN, 0.0, -0.0, 0.1, 0.1 + 2**-53, math.inf]),
    "text": (StringSchema(), [None, "", "a", "ä\n"]),
    "url": (UrlSchema(), [None, "/a", "s3://b/c"]),
    "list": (Float32Schema(shape=(-1,)), [None, [], [0.5], [NAN, 1.0], [NAN], [None]]),
    "pair": (Float32Schema(shape=(2,)), [None, [0.0, 1.0], [NAN, 1.0], [None, 1.0]]),
    "boxes": (
        BOXES,
        [
            None,
            {"instances": [], "more": {"label": [], "name": "x"}},
            {"instances": [[0.0, 1.0]], "more": {"label": [1], "name": "x"}},
            {"instances": [[0.0, 1.0]], "more": {"label": [2], "name": "x"}},
            {"instances": [[0.0, 1.0]], "more": {"label": [2], "name": None}},
            {"instances": [[0.0, NAN]], "more": None},
            {"instances": None, "more": {"label": [2], "name": None}},
        ],
    ),
    "label": (CategoricalLabelSchema(["cat", "dog"]), [0, 1]),
}
_names = count()


@dataclass(frozen=True)
class Model:
    """What a table holds: rows as dicts, their keys, and the names of its labels."""

    rows: tuple
    keys: tuple
    columns: tuple
    names: tuple = ("cat", "dog")
    wide: bool = False

    def choose(self, numbers):
        rows, keys = ([each[n] for n in numbers] for each in (self.rows, self.keys))
        return replace(self, rows=tuple(rows), keys=tuple(keys))


class Family:
    """Makes tables of each other at random, each with its model."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.held = [self.first()]

    def first(self):
        names = self.random.sample(sorted(KINDS), 3)
        rows = [{n: self.value(n) for n in names} for _ in range(self.random.randrange(1, 7))]
        columns = {n: [row[n] for row in rows] for n in names}
        schema = {n: KINDS[n][0] for n in names}
        table = Table.from_dict(columns, schema, table_name=f"t{next(_names)}")
        keys = tuple((table.id, n) for n in range(len(rows)))
        return table, Model(tuple(rows), keys, tuple(names))

    def value(self, name):
        return self.random.choice(KINDS[name][1])

    def grow(self, steps):
        for _ in range(steps):
            table, model = self.random.choice(self.held)
            step = self.random.choice(STEPS)
            made = step(self, table, model)
            if made is not None:
                self.held.append(made)

    def some(self, model):
        return [n for n in range(len(model.rows)) if self.random.random() < 0.4]

    def set_values(self, table, model):
        name, numbers = self.random.choice(model.columns), self.some(model)
        values = [self.value(name) for _ in numbers]
        rows = list(model.rows)
        for number, value in zip(numbers, values, strict=True):
            rows[number] = {**rows[number], name: value}
        return table.set_values(name, numbers, values), replace(model, rows=tuple(rows))

    def set_all(self, table, model):
        name = self.random.choice(model.columns)
        values = [self.value(name) for _ in model.rows]
        rows = [{**row, name: v} for row, v in zip(model.rows, values, strict=True)]
        edit = SetValues(name, range(len(values)), values)
        return table.revise(edit), replace(model, rows=tuple(rows))

    def delete(self, table, model):
        gone = self.some(model)
        left = [n for n in range(len(model.rows)) if n not in gone]
        return table.delete_rows(gone), model.choose(left)

    def shuffle(self, table, model):
        numbers = self.random.sample(range(len(model.rows)), len(model.rows))
        return table.revise(KeepRows(numbers)), model.choose(numbers)

    def part(self, table, model):
        numbers = self.some(model)
        return table.keep(numbers, table_name=f"t{next(_names)}"), model.choose(numbers)

    def join(self, table, model):
        other, its = self.random.choice(self.held)
        if set(its.columns) != set(model.columns) or its.names != model.names:
            return None
        if its.wide != model.wide:
            return None
        if len(model.rows) + len(its.rows) > 20:
            return None
        joined = Table.join_tables([table, other], f"t{next(_names)}")
        return joined, replace(model, rows=model.rows + its.rows, keys=model.keys + its.keys)

    def add(self, table, model):
        name = self.random.choice(sorted(KINDS))
        if name in model.columns:
            return None
        values = [self.value(name) for _ in model.rows]
        rows = [{**row, name: v} for row, v in zip(model.rows, values, strict=True)]
        made = table.add_column(name, values, KINDS[name][0])
        names = ("cat", "dog") if name == "label" else model.names
        columns = (*model.columns, name)
        wide = model.wide and name != "int"
        return made, replace(model, rows=tuple(rows), columns=columns, names=names, wide=wide)

    def drop(self, table, model):
        if len(model.columns) < 2:
            return None
        name = self.random.choice(model.columns)
        columns = tuple(each for each in model.columns if each != name)
        rows = tuple({each: row[each] for each in columns} for row in model.rows)
        return table.revise(DropColumn(name)), replace(model, rows=rows, columns=columns)

    def widen(self, table, model):
        if "int" not in model.columns:
            return None
        return table.revise(SetSchema("int", Int64Schema())), replace(model, wide=True)

    def rename(self, table, model):
        if "label" not in model.columns:
            return None
        names = (self.random.choice(["cat", "kitten"]), self.random.choice(["dog", "puppy"]))
        return table.set_value_map("label", names), replace(model, names=names)

    def squash(self, table, model):
        return table.squash(), model


STEPS = [Family.set_values] * 3 + [Family.delete, Family.shuffle, Family.part, Family.join]
STEPS += [Family.add, Family.drop, Family.widen, Family.rename, Family.squash, Family.set_all]


def same(a, b):
    """Whether two plain values are one, with NaN like NaN."""
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b and (a is None) == (b is None)


def pairs_of(old, new):
    """Return (row, row) of equal keys: the k-th of each with the k-th."""
    places = defaultdict(list)
    for number, key in enumerate(new.keys):
        places[key].append(number)
    found = []
    for number, key in enumerate(old.keys):
        if places[key]:
            found.append((number, places[key].pop(0)))
    return found


def longest_ascending(numbers):
    best = []
    for at, number in enumerate(numbers):
        best.append(1 + max((best[k] for k in range(at) if numbers[k] < number), default=0))
    return max(best, default=0)


def check(diff, old, new):
    """Assert that a diff says what differs between two models."""
    pairs = pairs_of(old, new)
    assert list(zip(diff.rows.old.tolist(), diff.rows.new.tolist(), strict=True)) == pairs
    assert diff.removed.tolist() == sorted(set(range(len(old.rows))) - {p[0] for p in pairs})
    assert diff.added.tolist() == sorted(set(range(len(new.rows))) - {p[1] for p in pairs})
    check_moved(diff, pairs)
    shared = [name for name in old.columns if name in new.columns]
    assert set(diff.dropped_columns) == set(old.columns) - set(shared)
    assert set(diff.added_columns) == set(new.columns) - set(shared)
    for name in shared:
        changed = [(a, b) for a, b in pairs if not same(old.rows[a][name], new.rows[b][name])]
        assert (name in diff.cells) == bool(changed)
        if changed:
            found = diff.cells[name].to_arrow().to_pydict()
            assert list(zip(found["old_row"], found["new_row"], strict=True)) == changed
            assert same(found["old"], [old.rows[a][name] for a, _ in changed])
            assert same(found["new"], [new.rows[b][name] for _, b in changed])
    assert list(diff.schemas) == ["int"] * (old.wide != new.wide and "int" in shared)
    renamed = [
        (value, was, now)
        for value, (was, now) in enumerate(zip(old.names, new.names, strict=True))
        if was != now and "label" in shared
    ]
    assert [(c.value, c.old_name, c.new_name) for c in diff.value_maps] == renamed


def check_moved(diff, pairs):
    moved = set(zip(diff.moved_from.tolist(), diff.moved_to.tolist(), strict=True))
    assert moved <= set(pairs)
    stays = [new for old, new in pairs if (old, new) not in moved]
    assert stays == sorted(stays)
    assert len(stays) == longest_ascending([new for _, new in pairs])


@pytest.mark.parametrize("at_once", [2, 1 << 17])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**20))
def test_a_diff_is_what_two_models_differ_in(seed, at_once, monkeypatch):
    monkeypatch.setenv("TLC_DURABILITY", "os")
    monkeypatch.setattr(diffing_cells, "_CELLS_AT_ONCE", at_once)
    family = Family(seed)
    family.grow(8)
    old, was = family.random.choice(family.held)
    for new, now in family.held:
        origins = [{key[0] for key in model.keys} for model in (was, now)]
        assert not all(origins) or origins[0] & origins[1]
        diff = Table.from_url(old.url).diff(new.url)
        check(diff, was, now)
        is_one = not any(diff.summary()["rows"][key] for key in ("added", "removed", "moved"))
        alike = "schemas", "value_maps", "cells", "added_columns", "dropped_columns"
        assert bool(diff) == (not is_one or any(diff.summary()[key] for key in alike))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**20))
def test_the_cells_of_a_diff_make_the_new_table_of_the_old_one(seed, monkeypatch):
    monkeypatch.setenv("TLC_DURABILITY", "os")
    family = Family(seed)
    family.grow(8)
    old = family.held[0][0]
    for new, _ in family.held[1:]:
        diff = old.diff(new)
        edits = [SetSchema(name, change.new) for name, change in diff.schemas.items()]
        edits += [SetValues(name, c.old_rows, c.new) for name, c in diff.cells.items()]
        edited = old.revise(*edits, name=f"t{next(_names)}")
        assert not edited.diff(new).cells
        assert not edited.diff(new).schemas
