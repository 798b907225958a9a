"""Revisions mean what they say: any sequence of operations, beside plain lists.

Each step checks what it has made; the end of a sequence checks every table ever made and all
lineages, and at the newest revisions all ways to read them.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.reliability.model import NAMES, Model, check, check_readings, schema
from tests.reliability.scale import size

from tlc.copying import copy_table
from tlc.errors import BranchWarning, RevisionConflictError
from tlc.format.manifest import file_entries
from tlc.schemas import Float64Schema, Int32Schema, Int64Schema
from tlc.table import (
    AddColumn,
    DeleteRows,
    DropColumn,
    SetSchema,
    SetValueMap,
    SetValues,
    Table,
)
from tlc.testing.disks import InterceptedDisk, use_disk
from tlc.upkeep.gc import collect_garbage

SEEDS = st.integers(0, 2**16).map(random.Random)
MOST_ROWS = 24
PARTS = 4  # for several cores
_names = count()


class Killed(BaseException):
    """The end of the process that was at work."""


class DyingDisk(InterceptedDisk):
    """Does nothing any more from one call on, as if the process were gone."""

    def __init__(self, calls):
        super().__init__()
        self.left = calls

    def intercept(self, operation, act, *arguments):
        if self.left == 0:
            raise Killed
        self.left -= 1
        return act(*arguments)


class Revisions(RuleBasedStateMachine):
    """Tables, and models of what they should be."""

    held = Bundle("held")

    def __init__(self):
        super().__init__()
        self.root = tempfile.mkdtemp(dir=FOLDER)
        self.models: dict[str, Model] = {}
        self.tables: dict[str, Table] = {}

    def teardown(self):
        parents = {model.parent for model in self.models.values()}
        for id_, model in self.models.items():
            look = check if id_ in parents else check_readings
            look(self.tables[id_], model)
        self.check_lineages(parents)
        shutil.rmtree(self.root)

    @initialize(target=held, generator=SEEDS)
    def make_two(self, generator):
        return multiple(self.make(generator, 4), self.make(generator, 0))

    def make(self, generator, rows):
        model = Model((), ({},) * rows, ((),) * rows)
        for name in ("int0", "text0", "label0"):
            model = model.with_column(name, model.generated(name, generator))
        table = Table.from_dict(
            {name: [row[name] for row in model.rows] for name in model.columns},
            {name: schema(name) for name in model.columns},
            project_name="p",
            root_url=self.root,
            if_exists="rename",
        )
        keys = tuple((table.id, number) for number in range(rows))
        return self.hold(table, Model(model.columns, model.rows, keys, model.maps))

    # Edits, of any revision: of one that has revisions already they make a branch

    @rule(target=held, id_=held, generator=SEEDS)
    def set_values(self, id_, generator):
        edit, model = self.cells_edit(self.models[id_], generator)
        return self.revised(id_, model, edit)

    @rule(target=held, id_=held, generator=SEEDS)
    def set_weights(self, id_, generator):
        table, model = self.tables[id_], self.models[id_]
        weights = model.generated("weight0", generator)
        if "weight0" not in model.columns:
            model = model.with_column("weight0", weights)
            return self.revised(id_, model, AddColumn("weight0", weights, schema("weight0")))
        model = model.with_cells("weight0", list(range(len(weights))), weights)
        made = table.set_values("weight0", range(len(weights)), weights)
        return self.hold(made, model.as_revision_of(table))

    @rule(target=held, id_=held, generator=SEEDS)
    def add_column(self, id_, generator):
        edit, model = self.column_edit(self.models[id_], generator)
        return self.revised(id_, model, edit)

    @rule(target=held, id_=held, generator=SEEDS)
    def delete_column(self, id_, generator):
        model = self.models[id_]
        if len(model.columns) < 2:
            return multiple()
        name = generator.choice(model.columns)
        return self.revised(id_, model.without_column(name), DropColumn(name))

    @rule(target=held, id_=held, generator=SEEDS)
    def delete_rows(self, id_, generator):
        edit, model = self.rows_edit(self.models[id_], generator)
        return self.revised(id_, model, edit)

    @rule(target=held, id_=held, generator=SEEDS)
    def change_value_map(self, id_, generator):
        model = self.models[id_]
        if "label0" not in model.columns:
            return multiple()
        names = [f"{generator.randrange(100)}-{number}" for number in range(3)]
        model = model.with_names("label0", names)
        return self.revised(id_, model, SetValueMap("label0", names))

    @rule(target=held, id_=held, generator=SEEDS)
    def change_schema(self, id_, generator):
        """The cells stay, or are written in another form of the same values."""
        model = self.models[id_]
        name = generator.choice(model.columns)
        changed = self.tables[id_].rows_schema[name]
        changed.description = str(generator.randrange(100))
        if name.startswith("int"):
            changed.value = generator.choice([Int32Schema, Int64Schema, Float64Schema])().value
        return self.revised(id_, model, SetSchema(name, changed))

    @rule(target=held, id_=held, generator=SEEDS, go_on=st.booleans())
    def edit_several_things_at_once(self, id_, generator, go_on):
        id_ = self.newest(id_) if go_on else id_
        model, edits = self.models[id_], []
        for _ in range(generator.randint(0, 6)):
            make = generator.choice([self.cells_edit, self.rows_edit, self.column_edit])
            edit, model = make(model, generator)
            edits.append(edit)
        return self.revised(id_, model, *edits)

    @rule(target=held, id_=held, generator=SEEDS)
    def edit_one_base_twice(self, id_, generator):
        pairs = [self.cells_edit(self.models[id_], generator) for _ in range(2)]
        return multiple(*(self.revised(id_, model, edit) for edit, model in pairs))

    @rule(target=held, id_=held, generator=SEEDS)
    def edit_a_named_base(self, id_, generator):
        table, model = self.tables[id_], self.models[id_]
        edit, changed = self.cells_edit(model, generator)
        newest = self.newest(id_)
        if newest == id_:
            made = table.revise(edit, base=table.url)
            return self.hold(made, changed.as_revision_of(table))
        with pytest.raises(RevisionConflictError) as caught, quiet_about_branches():
            table.revise(edit, base=table.url)
        assert (caught.value.base, caught.value.latest) == (table.url, self.tables[newest].url)
        return multiple()

    @rule(target=held, id_=held, generator=SEEDS)
    def edit_the_newest_beside_another(self, id_, generator):
        """Two at the same time: one comes first, the other edits what it has made."""
        newest = self.newest(id_)
        table, model = self.tables[newest], self.models[newest]
        if not model.rows or "int0" not in model.columns:
            return multiple()
        with ThreadPoolExecutor(2) as pool, quiet_about_branches():
            made = [
                pool.submit(table.revise_latest, lambda _, n=n: [SetValues("int0", [0], [n])])
                for n in range(2)
            ]
        first, second = sorted((each.result() for each in made), key=lambda t: t._manifest.revision)
        ids = []
        for above, child in ((table, first), (first, second)):
            value = Table.from_url(child.url).table_rows[0]["int0"]
            model = model.with_cells("int0", [0], [value]).as_revision_of(above)
            ids.append(self.hold(child, model))
        assert {self.models[each].rows[0]["int0"] for each in ids} == {0, 1}
        return multiple(*ids)

    # Tables made from others

    @rule(target=held, id_=held, generator=SEEDS)
    def take_a_subset(self, id_, generator):
        edit, model = self.rows_edit(self.models[id_], generator)
        url = self.tables[id_].url.create_sibling(f"subset {next(_names)}")
        subset = self.tables[id_].delete_rows(edit.rows, table_url=url)
        return self.hold(subset, model.as_origin())

    @rule(target=held, one=held, other=held)
    def join(self, one, other):
        models = self.models[one], self.models[other]
        if {*models[0].columns} != {*models[1].columns} or not _fit(*models):
            return multiple()
        tables = [self.tables[one], self.tables[other]]
        types = [{n: s.value for n, s in each.rows_schema.values.items()} for each in tables]
        if types[0] != types[1] or len(models[0].rows) + len(models[1].rows) > MOST_ROWS:
            return multiple()
        return self.hold(Table.join_tables(tables), models[0].joined(models[1]))

    @rule(target=held, id_=held, revision=st.booleans())
    def squash(self, id_, revision):
        table, model = self.tables[id_], self.models[id_]
        squashed = table.squash(None if revision else f"full {next(_names)}")
        assert all(not e.path.startswith("..") for e in file_entries(squashed._manifest.stack))
        return self.hold(squashed, model.as_revision_of(table) if revision else model.as_origin())

    # What happens to whole projects

    @rule(copied=st.booleans())
    def move(self, copied):
        """Move the folder of all projects, or copy it and remove it, and go on at its new place."""
        elsewhere = tempfile.mkdtemp(dir=FOLDER)
        new = f"{elsewhere}/of mine"
        if copied:
            shutil.copytree(self.root, new)
            shutil.rmtree(self.root)
        else:
            os.rename(self.root, new)
        self.tables = {
            id_: Table.from_url(str(table.url).replace(self.root, new, 1))
            for id_, table in self.tables.items()
        }
        self.root = new

    @rule(id_=held)
    def copy_one_with_its_lineage(self, id_):
        root = tempfile.mkdtemp(dir=FOLDER)
        copied = Table.from_url(copy_table(self.tables[id_].url, root).table)
        check(copied, self.models[id_])
        assert [each.id for each in copied.history()] == self.way_to(id_)
        shutil.rmtree(root)

    @rule(id_=held, generator=SEEDS, calls=st.integers(0, 30))
    def crash(self, id_, generator, calls):
        """End the work on a revision at any of its system calls: it is there in full or not."""
        table = self.tables[id_]
        make = generator.choice([self.cells_edit, self.rows_edit, self.column_edit])
        edit, model = make(self.models[id_], generator)
        before = {each.id for each in table.revisions()}
        with use_disk(DyingDisk(calls)), suppress(Killed):
            table.revise(edit)
        for each in table.revisions():
            if each.id not in before:
                self.hold(each, model.as_revision_of(table))

    @rule()
    def collect_garbage(self):
        collect_garbage(root_url=self.root, delete=True, grace_seconds=0)

    @rule(id_=held)
    def open_anew(self, id_):
        self.tables[id_] = Table.from_url(self.tables[id_].url)

    # Helpers

    def hold(self, table, model):
        check(table, model)
        assert table.id not in self.models
        self.tables[table.id], self.models[table.id] = table, model
        return table.id

    def revised(self, id_, model, *edits):
        table = self.tables[id_]
        return self.hold(table.revise(*edits), model.as_revision_of(table))

    def cells_edit(self, model, generator):
        name = generator.choice(model.columns[: generator.choice([1, 2, 9])])
        numbers = range(-len(model.rows), len(model.rows))
        rows = [generator.choice(numbers) for _ in range(generator.randint(0, 4)) if numbers]
        if generator.random() < 0.2:
            rows = list(range(len(model.rows)))
        values = Model((), ({},) * len(rows), ()).generated(name, generator)
        return SetValues(name, rows, values), model.with_cells(name, rows, values)

    def column_edit(self, model, generator):
        free = [name for name in NAMES if name not in model.columns]
        if not free:
            return self.cells_edit(model, generator)
        name = generator.choice(free)
        values = model.generated(name, generator)
        return AddColumn(name, values, schema(name)), model.with_column(name, values)

    def rows_edit(self, model, generator):
        gone = [row for row in range(len(model.rows)) if generator.random() < 0.2]
        return DeleteRows(gone), model.without_rows(gone)

    def newest(self, id_):
        """Return what `latest` should find: of the ends below, the one made last."""
        parents = {model.parent for model in self.models.values()}
        ends = [self.tables[each] for each in self.below(id_) if each not in parents]
        return max(ends, key=lambda table: (table.created, table.id)).id

    def check_lineages(self, parents):
        for id_, table in self.tables.items():
            with quiet_about_branches():
                assert table.latest().id == self.newest(id_)
            if id_ not in parents:
                assert [each.id for each in table.history()] == self.way_to(id_)
            elif not self.models[id_].parent:
                assert {each.id for each in table.revisions()} == self.below(id_)

    def below(self, id_):
        """Return a revision and all that were made from it."""
        family = {id_}
        for each, model in self.models.items():  # parents come before their children
            if model.parent in family:
                family.add(each)
        return family

    def way_to(self, id_):
        """Return the revisions that led to one."""
        way = [id_]
        while parent := self.models[way[0]].parent:
            assert parent not in way
            way.insert(0, parent)
        return way


def quiet_about_branches():
    return warnings.catch_warnings(category=BranchWarning, action="ignore")


def _fit(one, other):
    return all(one.maps[name] == other.maps[name] for name in one.maps)


FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.mark.parametrize("part", range(PARTS))
def test_revisions_mean_what_they_say(part, monkeypatch):
    monkeypatch.setenv("TLC_DURABILITY", "os")  # this is about meaning, and there is no power cut
    machine = type("Revisions", (Revisions,), {})
    run_state_machine_as_test(
        # Where examples are the same each time, those of the parts are to differ.
        seed(part)(machine) if "CI" in os.environ else machine,
        settings=settings(
            max_examples=size(500, 2000) // PARTS,
            stateful_step_count=size(50, 100),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
