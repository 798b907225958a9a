"""Projects with every kind of object, and what was left behind."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
from PIL import Image

import tlc
from tlc.catalog import list_runs, list_tables
from tlc.format import writer_name
from tlc.upkeep import collect_garbage
from tlc.url import Url

COLOURS = [(number, 0, 0) for number in range(3)]


@pytest.fixture
def elsewhere(monkeypatch):
    """Let all files look as if another machine had written them, whose processes nobody sees."""
    monkeypatch.setattr(writer_name, "_process", lambda: "0000p1")


@pytest.fixture
def root(tmp_path):
    return Url(tmp_path / "root")


def images(count=3):
    return [Image.new("RGB", (4, 4), COLOURS[number % 3]) for number in range(count)]


def make_table(root, name="t", rows=3, project="p", **options):
    columns = {"n": list(range(rows)), "image": images(rows)}
    schema = {"image": tlc.schemas.ImageSchema()}
    return tlc.Table.from_dict(
        columns,
        schema,
        table_name=name,
        dataset_name="d",
        project_name=project,
        root_url=root,
        if_exists="overwrite",
        **options,
    )


def make_run(root, table, name="r", project="p", **options):
    run = tlc.init(project, name, root_url=root, **options)
    run.log({"loss": 1.0})
    run.add_metrics({"loss": [0.5] * len(table)}, foreign_table_url=table)
    tlc.close()
    return run


def files_below(folder):
    return sorted(path for path in Path(str(folder)).rglob("*") if path.is_file())


def contents(root):
    """Return all that can be read below a root, by url."""
    found = {}
    for project in sorted(Path(str(root)).iterdir()):
        for entry in list_tables(Url(project)):
            if not entry.fault:
                found[str(entry.url)] = everything(tlc.Table.from_url(entry.url))
        for entry in list_runs(Url(project)):
            run = tlc.Run.from_url(entry.url)
            found[str(run.url)] = repr(run.state)
            for table in run.metrics_tables:
                found[str(table.url)] = everything(table)
    return found


def everything(table):
    samples = [
        {
            name: value.tobytes() if isinstance(value, Image.Image) else value
            for name, value in sample.items()
        }
        for sample in table
    ]
    return samples, list(table.table_rows)


def make_older(folder, seconds):
    """Move the times of all files and folders back."""
    for path in [*Path(str(folder)).rglob("*"), Path(str(folder))]:
        status = path.lstat()
        times = (status.st_atime - seconds, status.st_mtime - seconds)
        os.utime(path, times, follow_symlinks=False)


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


def collect(root, project="p", **options):
    return collect_garbage(project, root, **{"grace_seconds": 0, "delete": True, **options})


def names(garbage):
    return sorted(url.name for files in garbage.files.values() for url, _ in files)
