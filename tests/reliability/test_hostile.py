"""Objects that somebody made to do harm are refused at little cost; nothing in them is run."""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.reliability import audited, hostile, mutations, sample_project
from tests.reliability.scale import size

import tlc
from tlc.configuration import Configuration
from tlc.errors import CorruptObjectError, ObjectKindError, UnsupportedOperationError
from tlc.upkeep import examine
from tlc.url import Url

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs limits of memory and time")

OBJECTS = size(100_000, 1_000_000)
AUDITED = size(2000, 50_000)
PROCESSES = 2
MOST_MEGABYTES = 700


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A file with all files of a project, and which object needs which."""
    root = tmp_path_factory.mktemp("good")
    sample = sample_project.make(root)

    def relative(path):
        return Path(path).relative_to(root).as_posix()

    files = {relative(path): path.read_bytes() for path in sample_project.files(sample)}
    users = {
        relative(path): sorted(relative(url) for url in urls) for path, urls in sample.users.items()
    }
    pickled = root / "files.pickle"
    pickled.write_bytes(pickle.dumps((files, users)))
    return pickled


def environment():
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # others reserve more than they use
        "TLC_MAX_DECODED_BYTES": str(256 << 20),
    }


class Process:
    """A process that reads hostile objects, until there are no more batches."""

    def __init__(self, good, log, batches, answers):
        self.log = log
        self._answers = answers
        self._batches = batches
        self._process = subprocess.Popen(
            [sys.executable, hostile.__file__, str(good), str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        with self._process as process:
            while True:
                try:
                    batch = self._batches.get_nowait()
                except queue.Empty:
                    return
                try:
                    process.stdin.write(f"{batch}\n")
                    process.stdin.flush()
                    self._answers.append(json.loads(process.stdout.readline()))
                except (OSError, ValueError):
                    process.kill()
                    at = self.log.read_text()
                    self._answers.append({"died": f"at {at}: {process.stderr.read()[-2000:]}"})
                    return


def test_hostile_objects_are_refused_with_our_own_errors(good, tmp_path):
    batches, answers = queue.Queue(), []
    for batch in range(OBJECTS // hostile.BATCH):
        batches.put(batch)
    processes = [
        Process(good, tmp_path / f"log-{number}", batches, answers) for number in range(PROCESSES)
    ]
    for process in processes:
        process.thread.join()
    assert [answer["died"] for answer in answers if "died" in answer] == []
    bad = [text for answer in answers for text in answer["bad"]]
    assert not bad, f"{len(bad)} objects:\n" + "\n".join(sorted(bad, key=len)[:20])
    seen = sum((Counter(answer["seen"]) for answer in answers), Counter())
    assert seen["manifest"] + seen["parquet"] + seen["events"] == OBJECTS
    assert min(seen["read"], seen["refused"]) > OBJECTS / 10
    assert max(answer["peak"] for answer in answers) < MOST_MEGABYTES


def test_nothing_but_reading_is_done(good):
    command = [sys.executable, audited.__file__, str(good), str(AUDITED)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["audit"] == {}
    assert min(answer["seen"]["read"], answer["seen"]["refused"]) > AUDITED / 10


# Bombs: files of a few bytes that decode to a lot

MEGABYTE = 1 << 20
LIMIT = 32 * MEGABYTE


@pytest.fixture
def limited(monkeypatch):
    monkeypatch.setenv("TLC_MAX_DECODED_BYTES", str(LIMIT))
    Configuration.instance().reset()


def dictionary_of_long_texts():
    """2,000 texts of a megabyte, of which one is stored."""
    indices = pa.array([0] * 2000, pa.int32())
    return pa.table({"c": pa.DictionaryArray.from_arrays(indices, ["x" * MEGABYTE])}), {}


def zeros():
    """More rows than a row group of ours ever has, in 300 bytes."""
    table = pa.table({"c": pa.repeat(pa.scalar(0, pa.int64()), 1 << 22)})
    return table, {"row_group_size": 1 << 22}


def one_long_text():
    return pa.table({"c": ["x" * (2 * LIMIT)]}), {"use_dictionary": False}


def lists_of_zeros():
    flat = pa.repeat(pa.scalar(0, pa.int64()), LIMIT // 4)
    offsets = pa.array(range(0, len(flat) + 1, len(flat) // 16), pa.int32())
    return pa.table({"c": pa.ListArray.from_arrays(offsets, flat)}), {}


def texts_that_share_their_start():
    texts = ["x" * MEGABYTE + str(number) for number in range(200)]
    return pa.table({"c": texts}), {
        "use_dictionary": False,
        "column_encoding": {"c": "DELTA_BYTE_ARRAY"},
    }


BOMBS = {
    **dict.fromkeys((dictionary_of_long_texts, one_long_text, texts_that_share_their_start), "x"),
    zeros: 0,
    lists_of_zeros: [0],
}


def encoded(table, options):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue().to_pybytes()


def put_in_place(table, content, rows):
    """Let the manifest of a table say of another file that it is the right one."""
    path = Path(str(table.url)) / table._manifest.stack.layers[0].files[0].path
    path.write_bytes(content)
    manifest = Path(str(table.url)) / "manifest.json"
    text = mutations.described(manifest.read_bytes(), content, lambda entry: entry in str(path))
    value = json.loads(text)
    del value["digest"]
    stack = value["stack"]
    stack["row_count"] = stack["layers"][0]["files"][0]["rows"] = rows
    manifest.write_bytes(mutations.sealed_manifest(json.dumps(value)[:-1]))


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_a_file_that_decodes_to_too_much_is_refused(bomb, limited):
    columns, options = bomb()
    sample = tlc.Table.from_dict({"c": [BOMBS[bomb]]})
    content = encoded(columns, options)
    assert len(content) < columns.nbytes / 50
    put_in_place(sample, content, len(columns))
    table, before = tlc.Table.from_url(sample.url), pa.total_allocated_bytes()
    assert len(table) == len(columns)
    with pytest.raises(CorruptObjectError, match=r"row group|decodes? to"):
        table[0]
    with pytest.raises(CorruptObjectError):
        table.column("c")
    assert pa.total_allocated_bytes() - before < LIMIT
    assert len(examine(table.url).findings) == 0  # it is what its manifest says


# Places that a manifest may name


def moved_to(table, path):
    """Let a manifest name another path for its file of data."""
    manifest = Path(str(table.url)) / "manifest.json"
    value = json.loads(manifest.read_bytes())
    del value["digest"]
    value["stack"]["layers"][0]["files"][0]["path"] = path
    manifest.write_bytes(mutations.sealed_manifest(json.dumps(value)[:-1]))
    return tlc.Table.from_url(table.url)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../../../../../../../../../etc/passwd", "/dev/zero", "/proc/self/mem", "/"],
)
def test_only_the_file_that_was_described_is_read(path):
    table = moved_to(tlc.Table.from_dict({"c": [1]}), path)
    with pytest.raises(CorruptObjectError) as caught:
        table[0]
    assert "root:" not in str(caught.value)


@pytest.mark.timeout(20)
def test_what_never_ends_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    table = moved_to(tlc.Table.from_dict({"c": [1]}), str(tmp_path / "pipe"))
    with pytest.raises(CorruptObjectError, match="is missing"):
        table[0]
    manifest = Path(str(table.url)) / "manifest.json"
    manifest.unlink()
    os.mkfifo(manifest)
    with pytest.raises(UnsupportedOperationError, match="neither a file nor a folder"):
        tlc.Table.from_url(table.url)


@pytest.mark.timeout(20)
def test_a_pipe_in_place_of_a_manifest_hides_nothing(tmp_path):
    good = tlc.Table.from_dict({"c": [1]}, table_name="good")
    bad = good.url.create_sibling("bad").to_local_path()
    bad.mkdir()
    os.mkfifo(bad / "manifest.json")
    project = Url(good.url.parent.parent.parent.parent)
    entries = tlc.catalog.list_tables(project)
    assert [(entry.url.name, bool(entry.fault)) for entry in entries] == [
        ("bad", True),
        ("good", False),
    ]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_manifest_sends_its_reader_to_a_web_server(scheme):
    table = moved_to(tlc.Table.from_dict({"c": [1]}), f"{scheme}://127.0.0.1:9/x.parquet")
    with pytest.raises(CorruptObjectError, match="a web server that it did not come from"):
        table[0]


def test_parents_in_a_circle_end():
    first = tlc.Table.from_dict({"c": [1]}, table_name="first")
    second = first.set_values("c", [0], [2])
    manifest = Path(str(first.url)) / "manifest.json"
    value = json.loads(manifest.read_bytes())
    del value["digest"]
    value["parents"] = [{"url": f"../{second.name}", "id": second.id, "relation": "revision"}]
    manifest.write_bytes(mutations.sealed_manifest(json.dumps(value)[:-1]))
    first = tlc.Table.from_url(first.url)
    assert {table.name for table in first.revisions()} == {"first", second.name}
    assert first.latest().name in {"first", second.name}


def test_a_stack_of_stacks_ends():
    table = tlc.Table.from_dict({"c": [1]})
    manifest = Path(str(table.url)) / "manifest.json"
    value = json.loads(manifest.read_bytes())
    del value["digest"]
    for _ in range(150):
        inner = {"type": "concat", "inputs": [value["stack"]]}
        value["stack"] = {"row_count": 1, "layers": [inner]}
    manifest.write_bytes(mutations.sealed_manifest(json.dumps(value)[:-1]))
    with pytest.raises((CorruptObjectError, ObjectKindError), match="nested"):
        tlc.Table.from_url(table.url)
