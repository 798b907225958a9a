"""A small project with every kind of file, and how to read each object of it in full."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

import tlc
from tlc.errors import DamagedObjectWarning
from tlc.format.manifest import file_entries
from tlc.schemas import ExternalNumpyArraySchema, ImageSchema
from tlc.url import Url

PROJECT, DATASET, ROWS = "p", "d", 60
IMAGE_TYPES = ("pil_png", "pil_jpeg", "pil_webp")


@dataclass
class Sample:
    """A project, what its objects hold, and which of them need which file.

    Attributes:
        project: Its folder.
        objects: Content of each object, by url.
        users: Urls of the objects that need a file, by its path.
        kinds: Paths of files, by what they are.
    """

    project: Url
    objects: dict[str, object] = field(default_factory=dict)
    users: dict[Path, set[str]] = field(default_factory=dict)
    kinds: dict[str, list[Path]] = field(default_factory=dict)


def make(root, rows=ROWS):
    """Make a project whose tables have some rows, and return it with all that it holds."""
    project = Url(root) / PROJECT
    table = _tables(project, rows)
    _runs(project, table)
    sample = Sample(project)
    for path in sorted(Path(str(project)).rglob("*")):
        if path.is_file():
            sample.kinds.setdefault(_kind(path), []).append(path)
    folders = {
        path.parent for path in files(sample) if path.name in ("manifest.json", "opened.json")
    }
    for folder in sorted(folders):
        sample.objects[str(folder)] = read(str(folder))
        for path in _files_of(folder):
            sample.users.setdefault(path, set()).add(str(folder))
    assert set(files(sample)) == set(sample.users)
    return sample


def files(sample):
    return [path for paths in sample.kinds.values() for path in paths]


def read(url):
    """Return all that can be read of an object, as plain values."""
    if "metrics" not in url and "/runs/" in url:
        run = tlc.Run.from_url(url)
        return repr((run.state, run.id, run.created, run.description))
    table = tlc.Table.from_url(url)
    facts = (table.id, table.created, table.description, table.source, table.is_partial)
    lineage = (table._manifest.parents, table._manifest.operation, table._manifest.metrics)
    rows = [_plain(row) for row in (*table.table_rows, *table)]
    keys = [each.tolist() if hasattr(each, "tolist") else each for each in table.row_keys()]
    return repr((facts, lineage, table.rows_schema.to_dict(), rows, keys))


def read_aloud(url):
    """Return what `read` does, and the texts of warnings of damage."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = read(url)
    return value, [str(each.message) for each in caught if each.category is DamagedObjectWarning]


def _plain(row):
    return {
        name: value.tobytes() if isinstance(value, Image.Image | np.ndarray) else value
        for name, value in row.items()
    }


def _place(name):
    return {"table_name": name, "dataset_name": DATASET, "project_name": PROJECT}


def _tables(project, rows):
    random = np.random.default_rng(7)
    columns = {
        "number": random.integers(0, 1000, rows),
        "score": random.random(rows).astype(np.float32),
        "word": [f"word {number % 11}" for number in range(rows)],
        "flag": [number % 3 == 0 for number in range(rows)],
        "boxes": [[float(n) for n in range(number % 4)] for number in range(rows)],
        "point": [{"x": number, "label": None if number % 5 else "a"} for number in range(rows)],
    }
    table = tlc.Table.from_dict(columns, root_url=project.parent, **_place("first"))
    edited = table.set_values("word", [1, 5, 9], "edited", description="three")
    fewer = edited.delete_rows(list(range(0, rows, 7)))
    wider = fewer.add_column("more", random.random(len(fewer)))
    tlc.Table.join_tables([fewer, table], root_url=project.parent, **_place("joined"))
    wider.squash(table_name="squashed")
    _media(project)
    return table


def _media(project):
    pixels = np.random.default_rng(3).integers(0, 255, (2, 8, 8, 3), dtype=np.uint8)
    images = [Image.fromarray(each) for each in pixels]
    columns: dict = dict.fromkeys(IMAGE_TYPES, images)
    columns["array"] = [each.astype(np.float32) for each in pixels]
    schema = {name: ImageSchema(sample_type=name) for name in IMAGE_TYPES}
    schema["array"] = ExternalNumpyArraySchema()
    tlc.Table.from_dict(columns, schema, root_url=project.parent, **_place("media"))


def _runs(project, table):
    run = tlc.init(PROJECT, "run", root_url=project.parent, parameters={"lr": 0.1})
    for epoch in range(3):
        run.log({"epoch": epoch, "loss": 1 / (epoch + 1)})
    losses = np.random.default_rng(5).random(len(table))
    run.add_metrics({"loss": losses}, foreign_table_url=table, constants={"epoch": 0})
    with tlc.MetricsTableWriter(run, table, unique_ids=True) as writer:
        writer.add_batch({"example_id": [5, 3, 1], "loss": [0.5, 0.25, 0.125]})
        writer.flush()
        writer.add_batch({"example_id": [4, 3, 0], "loss": [0.75, 0.1, 0.2]})
    writer = tlc.MetricsTableWriter(run, table, constants={"epoch": 2})
    writer.add_batch({"example_id": list(range(20)), "loss": losses[:20]})
    writer.flush()
    writer.abort()
    run.set_status_completed()


def _files_of(folder):
    """Return the files that an object needs."""
    own = [path for path in folder.iterdir() if path.is_file()]
    if folder.parent.name == "runs":
        return [*own, *(folder / "events").rglob("*.jsonl")]
    table = tlc.Table.from_url(str(folder))
    needed = [
        Url(entry.path).to_absolute(table.url) for entry in file_entries(table._manifest.stack)
    ]
    cells = [cell for row in table.table_rows for cell in row.values()]
    bulk = [cell for cell in cells if isinstance(cell, str) and "/bulk_data/" in cell]
    return {*own, *(Path(str(url)) for url in [*needed, *bulk])}


def _kind(path):
    parts = path.parts
    if path.name in ("manifest.json", "opened.json"):
        return f"{path.stem} of {'a run' if parts[-3] == 'runs' else parts[-3]}"
    if "bulk_data" in parts:
        return path.suffix
    if path.suffix == ".jsonl":
        return "events"
    return "order" if path.name.startswith("order") else path.parent.name
