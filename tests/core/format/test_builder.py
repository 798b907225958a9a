"""However rows come in, the table is the same."""

from __future__ import annotations

import errno
import math
import signal
import threading
import warnings
from collections import deque
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tlc
from tlc import schemas
from tlc.errors import CellError, ColumnError, StorageFullError, StorageFullWarning
from tlc.format.builder import RowBuilder
from tlc.format.bulk import NoFiles
from tlc.format.commit import commit
from tlc.format.encode import ColumnEncoder
from tlc.schemas import Schema
from tlc.schemas.values import BytesStringValue
from tlc.testing.disks import FaultyDisk, use_disk
from tlc.url import Url

# Columns, the values they may hold, and the type of NumPy arrays that hold them if None is none.

WIDE = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.floats(allow_nan=True, width=64)
FRACTIONS = st.integers(-(2**40), 2**40).map(lambda n: n + 0.5) | st.just(math.nan)
SINGLES = st.floats(allow_nan=True, width=32)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
COLUMNS = {
    "int64": (schemas.Int64Schema(), WIDE, "i8"),
    "int8": (schemas.Int8Schema(), st.integers(-128, 127), "i1"),
    "uint16": (schemas.Uint16Schema(), st.integers(0, 65_535), "u2"),
    "int32": (schemas.Int32Schema(), st.integers(-(2**31), 2**31 - 1), "i8"),
    "float64": (schemas.Float64Schema(), DOUBLES, "f8"),
    "float32": (schemas.Float32Schema(), SINGLES, "f4"),
    "half": (schemas.Float64Schema(), SINGLES, "f4"),
    "few": (schemas.Float64Schema(), st.sampled_from([0.0, -0.0, 1.5, math.nan]), "f8"),
    "bool": (schemas.BoolSchema(), st.booleans(), "?"),
    "limited": (
        schemas.Float32Schema(value_max=10.0, enforce_max=True),
        st.floats(-10, 10, width=32),
        "f4",
    ),
    "text": (schemas.StringSchema(), TEXTS, object),
    "word": (schemas.StringSchema(), st.sampled_from(["dog", "cat", "ä"]), object),
    "bytes": (Schema(value=BytesStringValue()), st.binary(max_size=4), None),
    "ragged": (schemas.Float32Schema(shape=(-1,)), st.lists(SINGLES, max_size=3), None),
    "vector": (schemas.Float32Schema(shape=(2,)), st.lists(SINGLES, min_size=2, max_size=2), "f4"),
    "dict": (
        Schema(values={"x": schemas.Int32Schema(), "t": schemas.StringSchema()}),
        st.fixed_dictionaries({"x": st.integers(0, 9), "t": TEXTS}),
        None,
    ),
}
FORMS = ["rows", "list", "array", "arrow"]


@st.composite
def deliveries(draw):
    """Return the names of some columns, their values, and how these come in, piece by piece."""
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=5, unique=True))
    count = draw(st.integers(1, 30))
    values = {}
    for name in names:
        cells = COLUMNS[name][1]
        if draw(st.booleans()):
            cells = st.none() | cells
        values[name] = draw(st.lists(cells, min_size=count, max_size=count))
    cuts = sorted({0, count, *draw(st.lists(st.integers(0, count), max_size=4))})
    forms = [draw(st.sampled_from(FORMS)) for _ in cuts[1:]]
    flushed = [draw(st.booleans()) for _ in cuts[1:]]
    return values, list(zip(cuts, cuts[1:], forms, flushed, strict=False))


def deliver(builder, values, pieces):
    for start, stop, form, flush in pieces:
        part = {name: column[start:stop] for name, column in values.items()}
        if form == "rows":
            for row in zip(*part.values(), strict=True):
                builder.add_row(dict(zip(part, row, strict=True)))
        else:
            builder.add_batch({name: formed(name, column, form) for name, column in part.items()})
        if flush:
            builder.flush()


def formed(name, values, form):
    schema, _, kind = COLUMNS[name]
    if form == "arrow":
        return pa.array(values, schema.arrow_type)
    if form == "array" and kind is not None and None not in values:
        array = np.array(values, kind)
        return array.reshape(len(values), *schema.shape)
    return values


def encoded(name, values):
    return ColumnEncoder(name, COLUMNS[name][0], NoFiles()).encode(values)


def same(left, right):
    """Whether cells are equal, NaN and the sign of zero included."""
    return left.type == right.type and repr(left.to_pylist()) == repr(right.to_pylist())


@given(deliveries(), st.sampled_from([40, 400, 1 << 20]))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_table_is_that_of_whole_columns(tmp_path_factory, delivery, bytes_per_file):
    values, pieces = delivery
    schema = {name: COLUMNS[name][0] for name in values}
    folder = Url(tmp_path_factory.mktemp("table"))
    builder = RowBuilder(folder, schema, bytes_per_file=bytes_per_file)
    deliver(builder, values, pieces)
    count = len(next(iter(values.values())))
    assert builder.row_count == count
    table = tlc.Table.from_url(commit(builder, "overwrite"))
    for name, column in values.items():
        assert same(table.column(name), encoded(name, column)), name


@given(st.lists(st.tuples(st.sampled_from(FORMS[:2]), st.lists(FRACTIONS | WIDE)), max_size=8))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_inferred_widens_while_nothing_is_on_disk(tmp_path_factory, parts):
    """Numbers that only floats can hold make floats of all that came before."""
    builder = RowBuilder(Url(tmp_path_factory.mktemp("table")), {})
    taken = []
    for form, numbers in parts:
        if form == "rows":
            for number in numbers:
                builder.add_row({"n": number, "m": 1})
        elif numbers:
            builder.add_batch({"n": numbers, "m": [1] * len(numbers)})
        taken += numbers
    if taken:
        table = tlc.Table.from_url(commit(builder, "overwrite"))
        kinds = {type(number) for number in taken}
        wanted = pa.int64() if kinds == {int} else pa.float64()
        assert table.column("n").type == wanted
        found, expected = table.column("n").to_pylist(), [kinds_as(wanted, n) for n in taken]
        assert repr(found) == repr(expected)
        assert table.column("m").to_pylist() == [1] * len(taken)


def kinds_as(wanted, number):
    return number if wanted == pa.int64() else float(number)


REFUSED = [
    ({"n": 2**31, "t": "a", "f": 0.5}, CellError, "column 'n'"),
    ({"n": 1, "t": "\ud800", "f": 0.5}, CellError, "column 't'"),
    ({"n": 1, "t": 5, "f": 0.5}, CellError, "column 't'"),
    ({"n": 1, "t": "a", "f": 1e39}, CellError, "column 'f'"),
    ({"n": 1.5, "t": "a", "f": 0.5}, CellError, "column 'n'"),
    ({"n": 1, "t": "a"}, ColumnError, "missing: 'f'"),
    ({"n": 1, "t": "a", "f": 0.5, "g": 1}, ColumnError, "unknown: 'g'"),
]


@pytest.mark.parametrize(("row", "error", "words"), REFUSED)
@pytest.mark.parametrize("others", [False, True])
def test_among_usual_rows_a_bad_one_is_refused_whole(tmp_path, row, error, words, others):
    schema = {
        "n": schemas.Int32Schema(),
        "t": schemas.StringSchema(),
        "f": schemas.Float32Schema(),
    }
    good, more = {"n": 1, "t": "ä", "f": 0.5}, {}
    if others:
        schema["v"] = schemas.Float32Schema(shape=(-1,))
        more = {"v": [1.0]}
    builder = RowBuilder(Url(tmp_path), schema)
    for _ in range(3):
        builder.add_row({**good, **more})
    with pytest.raises(error, match=words):
        builder.add_row({**row, **more})
    builder.add_row({"t": None, "n": np.int8(2), "f": 1, **more})
    table = tlc.Table.from_url(commit(builder, "overwrite"))
    rows = [{**good, **more}] * 3 + [{"n": 2, "t": None, "f": 1.0, **more}]
    assert list(table.table_rows) == rows


@pytest.mark.parametrize("form", FORMS[1:])
def test_an_array_may_be_filled_anew(tmp_path, form):
    schema = {"n": schemas.Int64Schema(), "v": schemas.Float32Schema(shape=(2,))}
    builder = RowBuilder(Url(tmp_path), schema)
    numbers, vectors = np.zeros(4, np.int64), np.zeros((4, 2), np.float32)
    for step in range(3):
        numbers[:], vectors[:] = step, step
        batch = {"n": numbers, "v": vectors}
        if form != "array":
            batch = {name: values.tolist() for name, values in batch.items()}
        builder.add_batch(batch)
    table = tlc.Table.from_url(commit(builder, "overwrite"))
    assert table.column("n").to_pylist() == [0] * 4 + [1] * 4 + [2] * 4
    assert table.column("v").to_pylist() == [[float(i)] * 2 for i in (0, 1, 2) for _ in range(4)]


def test_memory_that_was_written_is_used_again_and_nothing_of_it_is_left(tmp_path):
    builder = RowBuilder(Url(tmp_path), {"n": schemas.Int64Schema()})
    builder.add_batch({"n": [None] * 5})
    builder.flush()
    builder.add_batch({"n": np.arange(3)})
    builder.flush()
    builder.add_row({"n": 7})
    table = tlc.Table.from_url(commit(builder, "overwrite"))
    assert table.column("n").to_pylist() == [None] * 5 + [0, 1, 2, 7]


# Threads and signals


def test_another_thread_may_flush_at_any_time(tmp_path):
    builder = RowBuilder(Url(tmp_path), {"n": schemas.Int64Schema(), "t": schemas.StringSchema()})
    done = threading.Event()

    def flush():
        while not done.is_set():
            builder.flush()

    thread = threading.Thread(target=flush)
    thread.start()
    try:
        count = add_until_there_are_files(builder)
    finally:
        done.set()
        thread.join()
    table = tlc.Table.from_url(commit(builder, "overwrite"))
    assert table.column("n").to_pylist() == list(range(count))
    assert table.column("t").to_pylist() == [str(i) for i in range(count)]


def add_until_there_are_files(builder):
    """Add rows one by one and in batches, and return how many, when others have flushed often."""
    count = 0
    while len(builder.files) < 20:
        for i in range(count, count + 10):
            builder.add_row({"n": i, "t": str(i)})
        later = range(count + 10, count + 20)
        builder.add_batch({"n": np.array(later), "t": [str(i) for i in later]})
        count += 20
    return count


def test_a_signal_handler_may_flush_at_any_time(tmp_path):
    builder = RowBuilder(Url(tmp_path), {"n": schemas.Int64Schema(), "t": schemas.StringSchema()})
    before = signal.signal(signal.SIGALRM, lambda *_: builder.flush())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        count = add_until_there_are_files(builder)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    table = tlc.Table.from_url(commit(builder, "overwrite"))
    assert table.column("n").to_pylist() == list(range(count))
    assert table.column("t").to_pylist() == [str(i) for i in range(count)]


# Full disks


def test_rows_wait_for_space_with_one_warning_and_keep_their_order(tmp_path):
    builder = RowBuilder(Url(tmp_path), {"n": schemas.Int64Schema()}, bytes_per_file=90)
    full = FaultyDisk(errno.ENOSPC, ["open_new"], count=None)
    with use_disk(full), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for start in range(0, 100, 5):
            builder.add_batch({"n": np.arange(start, start + 5)})
        with pytest.raises(StorageFullError):
            builder.flush()
    assert [warning.category for warning in told] == [StorageFullWarning]
    assert full.failures == 2, "it does not try again with each batch"
    assert builder.files == []
    assert builder.row_count == 100
    builder.add_row({"n": 100})
    table = tlc.Table.from_url(commit(builder, "overwrite"))
    assert table.column("n").to_pylist() == list(range(101))


def test_no_more_is_taken_when_too_much_waits(tmp_path, monkeypatch):
    monkeypatch.setattr("tlc.format.segments.KEPT_BYTES", 1000)
    builder = RowBuilder(Url(tmp_path), {"n": schemas.Int64Schema()}, bytes_per_file=90)
    add = (partial(builder.add_batch, {"n": np.arange(10)}), partial(builder.add_row, {"n": 0}))
    with use_disk(FaultyDisk(errno.ENOSPC, ["open_new"], count=None)):
        with pytest.warns(StorageFullWarning), pytest.raises(StorageFullError):
            deque(iter(add[0], "never"), maxlen=0)
        taken = builder.row_count
        assert 125 <= taken <= 150
        for refused in (add[0], builder.flush):
            with pytest.raises(StorageFullError):
                refused()
        assert builder.row_count == taken
    for act in add:
        act()
    table = tlc.Table.from_url(commit(builder, "overwrite"))
    assert table.column("n").to_pylist() == list(range(10)) * (taken // 10 + 1) + [0]
