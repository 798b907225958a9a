"""Files are read in pieces; where one ends makes no difference to the table."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.reliability.scale import size

from tlc import schemas
from tlc.errors import AnnotationFileError
from tlc.importers import files, text_pieces
from tlc.importers.report import EXAMPLES
from tlc.importers.text_pieces import CsvRecords
from tlc.table import Table
from tlc.url import Url

FACTORIES = {"a.csv": files.from_csv, "a.ndjson": files.from_ndjson}
SCHEMAS = [
    None,
    {"a": schemas.Float32Schema()},
    {"a": schemas.StringSchema(), "b": schemas.Int32Schema()},
    {"b": schemas.Int32Schema(shape=(-1,))},
]


def outcome(path, schema, on_error, **options):
    """Return rows, types and report of a file, or which records are wrong."""
    columns, types = {}, {}
    try:
        source = FACTORIES[path.name](Url(path), schema, on_error=on_error, **options)
        for batch in source.batches():
            for name, cells in batch.items():
                is_list = isinstance(cells, list)
                columns.setdefault(name, []).extend(cells if is_list else cells.to_pylist())
                types.setdefault(name, set()).add("list" if is_list else str(cells.type))
    except AnnotationFileError as error:
        return str(error).split(":")[0], places(error.problems)
    report = source.report()
    found = [each for examples in report.examples.values() for each in examples]
    kinds = {name: type(each) for name, each in source.schema.items()}
    return str(columns), types, kinds, (report.rows, report.skipped, report.counts), places(found)


def places(problems):
    """Return which rules are broken where; only some problems are told if they are many."""
    return {(each.code, each.record) for each in problems} if len(problems) < EXAMPLES else None


def same_in_pieces(path, schema=None, on_error="raise", sizes=(32, 57, 100), **options):
    whole = outcome(path, schema, on_error, **options)
    for piece in sizes:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_pieces, "PIECE", piece)
            assert outcome(path, schema, on_error, **options) == whole
    return whole


numbers = st.one_of(
    st.integers(-1, 2).map(str),
    st.sampled_from(
        ["007", "01", "1.5", "1e999", "inf", "nan", "12345678901234567890", "9007199254740993"]
    ),
)
cells = st.one_of(
    numbers,
    st.sampled_from(["", "NA", "true", "false", "1,5", "x", 'a "quoted" word', "two\nlines", "é"]),
    st.sampled_from(["2020-01-02", "2020-01-02 03:04:05", "2020-01-02T03:04:05.5", "03:04:05"]),
)


def columns_of(values):
    """Return columns that are mostly of a kind, with something else somewhere."""
    usual = st.sampled_from(["1", "0.5", "true", "x", "2020-01-02", "", "1,5"])
    return usual.flatmap(
        lambda each: st.lists(st.one_of(st.just(each), st.just(each), values), min_size=12)
    )


@settings(max_examples=size(25, 2000), deadline=None)
@given(
    columns=st.tuples(columns_of(cells), columns_of(cells)),
    schema=st.sampled_from(SCHEMAS),
    on_error=st.sampled_from(["raise", "skip"]),
    ragged=st.booleans(),
    new_line=st.sampled_from(["\n", "\r\n"]),
)
def test_csv_does_not_depend_on_pieces(
    tmp_path_factory, columns, schema, on_error, ragged, new_line
):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=new_line)
    writer.writerows([("a", "b"), *zip(*columns, strict=False)])
    if ragged:
        writer.writerow(["1", "2", "3"])
    path = tmp_path_factory.mktemp("pieces") / "a.csv"
    path.write_bytes(text.getvalue().encode())
    same_in_pieces(path, schema, on_error)


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 2**53 + 1, 2**64, 1e300, "x", "é", "2020-01-02 03:04:05", "2020-01-02"]),
    st.lists(st.sampled_from([1, 0.5, None]), max_size=2),
    st.dictionaries(st.sampled_from("xy"), st.sampled_from([1, 0.5, "t", None]), max_size=2),
)


@settings(max_examples=size(25, 2000), deadline=None)
@given(
    usual=st.sampled_from([1, 0.5, True, "x", "2020-01-02", None, [1], {"x": 1}]),
    others=st.lists(st.one_of(st.none(), values), min_size=12),
    broken=st.sampled_from([None, "{", '{"a": 1, "a": 2}', "null", '{"a": 1e999}', ""]),
    on_error=st.sampled_from(["raise", "skip"]),
)
def test_ndjson_does_not_depend_on_pieces(tmp_path_factory, usual, others, broken, on_error):
    lines = [json.dumps({"a": usual if each is None else each, "n": 1}) for each in others]
    if broken is not None:
        lines.insert(len(lines) // 2, broken)
    path = tmp_path_factory.mktemp("pieces") / "a.ndjson"
    path.write_text("\n".join(lines))
    same_in_pieces(path, None, on_error)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252", "utf-32-le"])
@pytest.mark.parametrize("new_line", ["\n", "\r\n", "\r"])
def test_encodings_do_not_depend_on_pieces(tmp_path, encoding, new_line):
    path = tmp_path / "a.csv"
    text = new_line.join(["a,b", *(f'é{number},"x{new_line}y"' for number in range(30)), ""])
    path.write_bytes(text.encode(encoding))
    found = same_in_pieces(path, encoding=encoding)
    assert (found[0].count("é29"), found[-2]) == (1, (30, 0, {}))


def test_bytes_that_are_no_text_are_told_with_their_place_in_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\n" + b"x\n" * 100 + b"\xff\n")
    assert same_in_pieces(path)[1] == {("ENCODING", "line 102, byte 202")}
    path.write_bytes(("a\n" + "é\n" * 100).encode("utf-16") + b"\xff")
    found = same_in_pieces(path, encoding="utf-16")
    assert found[1] == {("ENCODING", "line 102, byte 406")}


@pytest.mark.parametrize(
    "text",
    [
        'a,b\n1,"x\n\n',  # quotes that never end
        'a,b\n5" disk,"x\ny"\n"p""\nq",6" disk\n',
        'a,b\n"",""\n"""\n""",2\n',
        '"a\n""x""",b\n1,2\n',
        "\n\n\na,b\n\n1,2\n\n",
    ],
)
def test_quotes_are_seen_through(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text + "3,4\n" * 20)
    same_in_pieces(path, None, "skip", sizes=(32, 33, 34, 35, 36, 37, 38, 39, 40))


@settings(max_examples=size(200, 20_000), deadline=None)
@given(st.lists(st.sampled_from(['"', ",", "\n", "x"]), max_size=12).map("".join))
@example('"x""\n"\n')
def test_records_end_where_a_plain_reader_says(text):
    data = (text + "\n").encode()
    end = CsvRecords(",").last_end(data)
    rows = list(csv.reader(io.StringIO(text + "\n", newline="")))
    parts = [list(csv.reader(io.StringIO(part.decode()))) for part in (data[:end], data[end:])]
    assert parts[0] + parts[1] == rows


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson"])
def test_a_record_without_end_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(text_pieces, "PIECE", 64)
    monkeypatch.setattr(text_pieces, "LONGEST", 1 << 20)
    path = tmp_path / name
    path.write_bytes(b'a,b\n1,2\n3,"' + b"x" * (3 << 20))
    with pytest.raises(AnnotationFileError) as caught:
        FACTORIES[name](Url(path), None)
    (problem,) = caught.value.problems
    assert (problem.code, problem.record) == ("TOO_LONG", "line 3")


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(text_pieces, "PIECE", 64)
    path = tmp_path / "a.csv"
    path.write_text("a\n" + "1\n" * 100)
    source = files.from_csv(Url(path), None)
    path.write_text("a\n" + "2\n" * 100)
    with pytest.raises(AnnotationFileError, match="FILE_CHANGED"):
        list(source.batches())


def test_parquet_comes_in_batches(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": range(200_000), "t": ["x", None] * 100_000}), path)
    batches = list(files.from_parquet(Url(path), None).batches())
    assert max(len(batch["n"]) for batch in batches) <= 65_536
    table = Table.from_parquet(path)
    assert (len(table), table[199_999]) == (200_000, {"n": 199_999, "t": None})
