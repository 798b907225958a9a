"""`collect_garbage`: whatever may need a file keeps it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.core.upkeep.conftest import (
    collect,
    contents,
    files_below,
    make_older,
    make_run,
    make_table,
    names,
)

import tlc
from tlc.errors import CorruptObjectError
from tlc.format.manifest import Format, TableManifest, encode, read
from tlc.schemas.values import DictValue
from tlc.url import Url

HOUR = 3600.0


def overwritten_but_needed(root, needing):
    """Let `needing` make something of a table that is then overwritten, and collect."""
    make_older(root, 10 * HOUR)
    before = contents(root)[str(needing.url)]
    make_table(root, rows=6)
    collect(root)
    opened = tlc.Table.from_url(needing.url)
    assert contents(root)[str(needing.url)] == before
    return opened


def test_revisions_and_joins_of_an_overwritten_table_keep_its_files(root, elsewhere):
    table = make_table(root)
    revision = table.set_values("n", [0], [7])
    joined = tlc.Table.join_tables([table, revision], table_name="both")
    overwritten_but_needed(root, joined)
    assert tlc.Table.from_url(revision.url)[0]["n"] == 7


def test_a_table_of_another_project_keeps_files(root, elsewhere):
    table = make_table(root)
    other = table.revise(table_url=root / "q/datasets/d/tables/other")
    overwritten_but_needed(root, other)


def test_a_table_at_any_place_below_the_root_keeps_files(root, elsewhere):
    table = make_table(root)
    table.revise(table_url=root / "p/attic/deep/other")
    before = table.table_rows[0]
    make_table(root, rows=6)
    collect(root)
    assert tlc.Table.from_url(root / "p/attic/deep/other").table_rows[0] == before


def test_a_table_outside_keeps_files_if_it_is_named(root, elsewhere, tmp_path):
    outside = make_table(root).revise(table_url=tmp_path / "elsewhere/other")
    make_table(root, rows=6)
    assert collect(root, also=[tmp_path / "elsewhere"]).deleted == 0
    assert outside[0]["n"] == 0
    assert collect(root).deleted == 4
    with pytest.raises(CorruptObjectError):
        tlc.Table.from_url(outside.url)[0]


def test_cells_of_another_table_keep_bulk_data(root, elsewhere):
    table = make_table(root)
    urls = [row["image"] for row in table.table_rows]
    mask = tlc.schemas.ImageSchema(sample_type="url")
    schema = {
        "image": tlc.schemas.ImageSchema(),
        "boxes": tlc.schemas.Schema(values={"mask": mask}),
    }
    other = tlc.Table.from_dict(
        {"image": [urls[0], None], "boxes": [{"mask": None}, {"mask": urls[1]}]},
        schema,
        table_name="other",
        dataset_name="d",
        project_name="q",
        root_url=root,
    )
    make_table(root, rows=6)
    garbage = collect(root)
    assert garbage.deleted == 2
    assert Url(urls[2]).name in names(garbage)
    assert other[0]["image"].size == (4, 4)
    assert Path(urls[1]).exists()


@pytest.mark.parametrize("how", ["in a list", "in text", "in a dictionary", "as codes"])
def test_cells_of_any_kind_keep_bulk_data(root, elsewhere, how):
    url = make_table(root).table_rows[1]["image"]
    values = {
        "in a list": [[], [url, "none"]],
        "in text": ["", f"see {url} and {url}"],
        "in a dictionary": [{}, {"see": {"this": [url]}}],
        "as codes": [url] * 100,
    }
    schema = {"c": tlc.schemas.Schema(value=DictValue())} if how == "in a dictionary" else None
    tlc.Table.from_dict(
        {"c": values[how]},
        schema,
        table_name="other",
        dataset_name="d",
        project_name="q",
        root_url=root,
    )
    make_table(root, rows=6)
    assert collect(root).deleted == 3
    assert Path(url).exists()


def test_an_alias_that_is_unknown_here_still_keeps_files(root, elsewhere, tmp_path):
    table = make_table(root)
    manifest = read(table.url, TableManifest)
    entry = manifest.stack.layers[0].files[0]
    path = f"<SOMEWHERE>/{entry.path}"
    layer = msgspec.structs.replace(
        manifest.stack.layers[0], files=(msgspec.structs.replace(entry, path=path),)
    )
    stack = msgspec.structs.replace(manifest.stack, layers=(layer,))
    other = root / "p/datasets/d/tables/other/manifest.json"
    other.write_bytes(encode(msgspec.structs.replace(manifest, stack=stack, id="other")))
    make_table(root, rows=6)
    assert collect(root).deleted == 0


def test_a_root_behind_a_link_is_the_same_root(root, elsewhere, tmp_path):
    table = make_table(root)
    (tmp_path / "link").symlink_to(tmp_path / "root")
    other = table.revise(table_url=tmp_path / "link/p/datasets/d/tables/other")
    make_table(root, rows=6)
    for each in (root, Url(tmp_path / "link")):
        assert collect(each).deleted == 0
    assert tlc.Table.from_url(other.url)[0]["n"] == 0


# What cannot be read


def newer(content, table):
    return encode(msgspec.structs.replace(read(table.url, TableManifest), format=Format(2, 0)))


@pytest.mark.parametrize(
    "damage", [lambda c, t: b"", lambda c, t: c[:-9], newer], ids=["empty", "cut", "newer"]
)
def test_a_manifest_that_cannot_be_read_keeps_whatever_it_may_refer_to(root, elsewhere, damage):
    table = make_table(root)
    revision = table.set_values("n", [0], [7])
    good = (revision.url / "manifest.json").read_bytes()
    make_table(root, rows=6)
    (revision.url / "manifest.json").write_bytes(damage(good, revision))
    kept = collect(root)
    assert (kept.deleted, kept.count, kept.held) == (0, 0, 5)
    assert list(kept.blocked) == [revision.url / "manifest.json"]
    (revision.url / "manifest.json").write_bytes(good)
    assert collect(root).count == 0
    assert tlc.Table.from_url(revision.url)[0]["n"] == 7


def test_a_manifest_of_somebody_else_is_not_a_damaged_table(root, elsewhere):
    make_table(root)
    make_table(root)
    (root / "p/web/manifest.json").write_bytes(b'{"name": "an app"}')
    assert collect(root).deleted == 4
    (root / "p/web/manifest.json").write_bytes(b"")
    make_table(root)
    assert collect(root).held == 4


def test_a_data_file_that_cannot_be_read_keeps_the_bulk_data_of_others(root, elsewhere):
    make_table(root)
    other = make_table(root, "other")
    make_table(root, rows=6)
    for path in files_below(other.url / "data"):
        path.write_bytes(b"PAR1")
    kept = collect(root)
    assert kept.deleted == 1  # the data file, which no manifest names
    assert kept.held == 3
    assert [url.parent.parent for url in kept.blocked] == [other.url]


def test_a_damaged_run_keeps_its_events(root, elsewhere):
    run = make_run(root, make_table(root))
    events = files_below(run.url / "events")
    (run.url / "manifest.json").write_bytes(b"")
    collect(root)
    assert files_below(run.url / "events") == events
