"""What table.diff need not read, and what it says where it cannot."""

from __future__ import annotations

import shutil

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tlc.errors import CorruptObjectError, ObjectNotFoundError
from tlc.format.manifest import Stack, TableManifest, encode, read
from tlc.run import Run
from tlc.table import AddColumn, DeleteRows, SetValues, Table
from tlc.table.keys import row_codes
from tlc.writers import MetricsTableWriter


def files_of(table):
    return sorted((table.url / "data").to_local_path().iterdir())


def test_cells_that_no_edit_has_touched_are_not_read(table):
    new = table.delete_rows([1]).add_column("more", [1, 2])
    for file in files_of(table):
        file.unlink()
    diff = Table.from_url(table.url).diff(Table.from_url(new.url))
    assert diff.removed.tolist() == [1]
    assert diff.added_columns == ("more",)
    assert not diff.cells


def test_a_damaged_file_is_named(table):
    new = table.set_values("n", [0], [9])
    (file,) = files_of(table)
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 255
    file.write_bytes(content)
    with pytest.raises(CorruptObjectError, match=file.name):
        Table.from_url(table.url).diff(new.url)


@pytest.mark.parametrize("by", [None, "position"])
def test_damaged_row_numbers_are_named(table, by):
    new = table.delete_rows([0])
    (file,) = (new.url / "edits").to_local_path().iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(CorruptObjectError, match=file.name):
        table.diff(new.url, by)


def rewritten(table, change):
    """Return a table after its highest layer was changed by hand."""
    manifest = read(table.url, TableManifest)
    *below, top = manifest.stack.layers
    stack = Stack(manifest.stack.row_count, tuple(filter(None, [*below, change(top)])))
    content = encode(msgspec.structs.replace(manifest, stack=stack))
    (table.url / "manifest.json").write_bytes(content)
    return Table.from_url(table.url)


def with_rows(layer, rows):
    return msgspec.structs.replace(layer, file=msgspec.structs.replace(layer.file, rows=rows))


@pytest.mark.parametrize(
    ("edit", "change", "message"),
    [
        (SetValues("n", [0], [9]), lambda top: with_rows(top, 2), "it has 1 rows instead of 2"),
        (DeleteRows([0]), lambda top: with_rows(top, 1 << 40), "it has 2 rows instead of"),
        (AddColumn("m", [1, 2, 3]), lambda top: None, "do not make 3 cells of 'm'"),
        (AddColumn("m", range(3)), lambda top: msgspec.structs.replace(top, files=()), "'m'"),
    ],
)
def test_layers_that_contradict_each_other_are_damage(table, edit, change, message):
    new = table.revise(edit)
    other = rewritten(table.revise(edit), change)
    with pytest.raises(CorruptObjectError, match=message):
        new.diff(other, by="position")


@pytest.mark.parametrize("rows", [[-1, 0], [None, 0], [0, 3]])
def test_rows_that_are_not_there_have_no_keys(table, rows):
    new = table.delete_rows([0])
    (file,) = (new.url / "edits").to_local_path().iterdir()
    pq.write_table(pa.table({"row": pa.array(rows, pa.int64())}), file)

    def unsealed(layer):
        entry = msgspec.structs.replace(
            layer.file, length=file.stat().st_size, digest="", footer=""
        )
        return msgspec.structs.replace(layer, file=entry)

    with pytest.raises(CorruptObjectError, match="keys of the rows"):
        row_codes(rewritten(new, unsealed), {})


def test_more_rows_than_a_file_has_take_no_memory(table):
    def many(layer):
        entry = msgspec.structs.replace(layer.files[0], rows=1 << 50)
        return msgspec.structs.replace(layer, files=(entry,))

    with pytest.raises(CorruptObjectError, match="rows"):
        table.diff(rewritten(table.squash(), many), by="position")


def test_a_manifest_that_names_the_digest_of_another_file_is_not_believed(table):
    first, second = (
        Table.from_dict({"n": numbers}, table_name=f"t{numbers[0]}")
        for numbers in ([1, 2, 3], [7, 8, 9])
    )
    (entry,) = read(first.url, TableManifest).stack.layers[0].files

    def forged(layer):
        file = msgspec.structs.replace(entry, path=layer.files[0].path)
        return msgspec.structs.replace(layer, files=(file,))

    with pytest.raises(CorruptObjectError):
        first.diff(rewritten(second, forged), by="position")


def test_a_table_that_is_gone(table):
    new = table.set_values("n", [0], [9])
    shutil.rmtree(str(new.url))
    with pytest.raises(ObjectNotFoundError, match="no table at"):
        table.diff(new.url)


def test_values_are_read_when_they_are_asked_for(table):
    new = table.set_values("n", [0], [9])
    change = table.diff(new).cells["n"]
    for file in files_of(table):
        file.unlink()
    assert len(change) == 1
    assert change.new_rows.tolist() == [0]
    with pytest.raises(CorruptObjectError):
        change.old  # noqa: B018 - reads


def test_unfinished_metrics_tables_are_read(table):
    writer = MetricsTableWriter(Run.create("p", "run"), table)
    writer.add_batch({"example_id": [0, 1, 2], "loss": [1.0, 2.0, 3.0]})
    writer.flush()
    partial = Table.from_url(writer.url)
    assert partial.is_partial
    assert not partial.diff(Table.from_url(writer.url))
    writer.finalize()
    assert not partial.diff(writer.url)


def test_unfinished_metrics_tables_are_no_one_file(table):
    run, written = Run.create("p", "run"), []
    for losses in ([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]):
        writer = MetricsTableWriter(run, table)
        writer.add_batch({"example_id": [0, 1, 2], "loss": losses})
        writer.flush()
        written.append(Table.from_url(writer.url))
    assert written[0].is_partial
    diff = written[0].diff(written[1], by="position")
    assert {name: change.new.to_pylist() for name, change in diff.cells.items()} == {"loss": [4.0]}


@pytest.mark.parametrize("root", ["memory://diffs", "s3"])
def test_tables_in_other_stores(root, request):
    place = request.getfixturevalue("s3_root") if root == "s3" else root
    table = Table.from_dict({"n": list(range(9))}, root_url=place, table_name="t")
    new = table.revise(SetValues("n", [4], [40]), DeleteRows([0]))
    diff = Table.from_url(table.url).diff(str(new.url))
    assert diff.removed.tolist() == [0]
    assert diff.cells["n"].to_arrow().to_pylist() == [
        {"old_row": 4, "new_row": 3, "old": 4, "new": 40}
    ]
