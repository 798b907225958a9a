"""A process that writes, reads or collects garbage in one project until it is told to stop.

``python keeper.py ROLE ROOT SEED SKEW`` says a line of JSON for each thing that it did, and stops
when its standard input ends. `SKEW` seconds are added to its clock.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
import warnings
from contextlib import suppress

from PIL import Image

import tlc
from tlc.catalog import list_projects, list_tables
from tlc.errors import ColumnNotFoundError, TlcError
from tlc.table import DropColumn, SetValues
from tlc.upkeep import collect_garbage
from tlc.url import Url

PROJECT, DATASET, GRACE = "p", "d", 0.05


class Writer:
    """Makes tables, revisions, joins, metrics and runs, over its own older ones, or gives up."""

    def __init__(self, root, seed):
        self.root, self.seed, self.random = Url(root), seed, random.Random()
        self.acts = [self.overwrite, self.overwrite, self.revise, self.revise, self.join]
        self.acts += [self.write_slowly, self.abandon, self.edit_badly, self.measure]

    def step(self):
        act = self.random.choice(self.acts)
        act()
        return {"did": act.__name__}

    def place(self, name):
        return {
            "table_name": f"w{self.seed}-{name}",
            "dataset_name": DATASET,
            "project_name": PROJECT,
            "root_url": self.root,
        }

    def overwrite(self):
        count = self.random.randint(1, 5)
        values = [self.random.randint(0, 255) for _ in range(count)]
        images = [Image.new("L", (4, 4), value) for value in values]
        schema = {"image": tlc.schemas.ImageSchema()}
        place = self.place(f"t{self.random.randint(0, 3)}")
        columns = {"value": values, "image": images}
        return tlc.Table.from_dict(columns, schema, if_exists="overwrite", **place)

    def revise(self):
        value = self.random.randint(0, 255)
        edits = [
            SetValues("value", [0], [value]),
            SetValues("image", [0], [Image.new("L", (4, 4), value)]),
        ]
        name = f"w{self.seed}-r{self.random.randint(0, 5)}"
        table = self.overwrite().revise(*edits)
        table.revise(table_url=table.url.create_sibling(name))

    def join(self):
        place = self.place(f"j{self.random.randint(0, 3)}")
        tables = [self.overwrite(), self.overwrite()]
        tlc.Table.join_tables(tables, **place, if_exists="overwrite")

    def abandon(self):
        writer = tlc.TableWriter(**self.place(f"a{self.random.randint(0, 9)}"))
        writer.add_batch({"image": [Image.new("L", (4, 4))] * 3, "value": [0] * 3})

    def write_slowly(self):
        """Publish a table whose files are older than the grace period."""
        writer = tlc.TableWriter(**self.place(f"s{self.random.randint(0, 3)}"))
        writer.add_batch({"image": [Image.new("L", (4, 4), 7)] * 3, "value": [7] * 3})
        writer._builder.flush()
        time.sleep(4 * GRACE)
        writer.finalize()

    def edit_badly(self):
        with suppress(ColumnNotFoundError):
            self.overwrite().revise(SetValues("value", [0], [1]), DropColumn("none"), name="bad")

    def measure(self):
        table = self.overwrite()
        run = tlc.init(PROJECT, f"run{self.seed}", root_url=self.root, if_exists="overwrite")
        run.add_metrics({"loss": [0.5] * len(table)}, foreign_table_url=table)
        tlc.close()


class Reader:
    """Reads tables in full. What is missing is lost only if the manifest still needs it."""

    def __init__(self, root, seed):
        self.root, self.random = Url(root), random.Random()

    def step(self):
        entries = [entry for entry in list_tables(self.root / PROJECT) if not entry.fault]
        if not entries:
            return {"read": 0}
        url = self.random.choice(entries).url
        identity = ""
        try:
            table = tlc.Table.from_url(url)
            identity = table.id
            return {"read": check(table)}
        except (TlcError, AssertionError) as error:
            if identity != identity_now(url):
                return {"overwritten": str(url)}
            return {"lost": f"{url}: {error!r}"}


class Collector:
    """Collects garbage."""

    def __init__(self, root, seed):
        self.root = root

    def step(self):
        if Url(self.root) / PROJECT not in list_projects(self.root):  # no writer got so far yet
            return {"deleted": 0}
        garbage = collect_garbage(PROJECT, self.root, delete=True, grace_seconds=GRACE)
        return {"deleted": garbage.deleted, "held": garbage.held}


ROLES = {"writer": Writer, "reader": Reader, "collector": Collector}


def check(table):
    """Assert that the images of a table are those of its rows, and return how many rows it has."""
    for sample in table:
        assert sample["image"].getpixel((0, 0)) == sample["value"]
    return len(table)


def identity_now(url):
    try:
        return tlc.Table.from_url(url).id
    except TlcError:
        return ""


def main():
    role, root, seed, skew = sys.argv[1:]
    real = time.time
    time.time = lambda: real() + float(skew)
    warnings.simplefilter("ignore")
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    worker = ROLES[role](root, int(seed))
    while not stop.is_set():
        sys.stdout.write(json.dumps(worker.step()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
