"""Files of columns that are wrong: each with the rule that it breaks, and where."""

from __future__ import annotations

import gzip
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.common.trees import tree_digest
from tests.reliability.scale import size

from tlc import schemas
from tlc.constants import STRING_ROLE_DATETIME
from tlc.errors import AnnotationFileError, CellError, NameNotAllowedError, OptionError, SchemaError
from tlc.table import Table


def parquet_file(cut=0):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": list(range(100))}), sink)
    content = sink.getvalue().to_pybytes()
    return content[: len(content) - cut]


INT = {"n": schemas.Int32Schema()}
FLOAT = {"n": schemas.Float32Schema()}
LIST = {"n": schemas.Int32Schema(shape=(-1,))}

# Name of the file, its content, the schema, the rule, and the place in the file.
WHOLE = [
    ("a.csv", "", None, "CSV", ""),
    ("a.csv", "\n\n", None, "CSV", ""),
    ("a.csv", "a,b,a\n1,2,3\n", None, "CSV_HEADER", "line 1"),
    ("a.csv", ",a\n0,1\n", None, "CSV_HEADER", "line 1"),
    ("a.csv", "\n\na,\n0,1\n", None, "CSV_HEADER", "line 3"),
    ("a.csv", "a;b\n1;2\n", None, "CSV_HEADER", "line 1"),
    ("a.csv", "a\tb\n1\t2\n", None, "CSV_HEADER", "line 1"),
    ("a.csv", "a,b\n1,ä\n".encode("utf-16"), None, "ENCODING", "byte 0"),
    ("a.csv", "a,b\n1,ä\n".encode("utf-16-le"), None, "ENCODING", "byte 0"),
    ("a.csv", "a,b\n1,ä\n".encode("utf-16-be"), None, "ENCODING", "byte 0"),
    ("a.csv", "a,b\n1,ä\n".encode("utf-32"), None, "ENCODING", "byte 0"),
    ("a.csv", "a,b\n1,ä\n2,€\n".encode("cp1252"), None, "ENCODING", "line 2, byte 6"),
    ("a.csv", b"a\nx\n\x81\n", None, "ENCODING", "line 3, byte 4"),
    ("a.csv", gzip.compress(b"a\n1\n", mtime=0), None, "NOT_TEXT", ""),
    ("a.csv", b"PK\x03\x04 a workbook", None, "NOT_TEXT", ""),
    ("a.csv", parquet_file(), None, "NOT_TEXT", ""),
    ("a.ndjson", "", None, "JSON", ""),
    ("a.ndjson", "\n \n", None, "JSON", ""),
    ("a.ndjson", "{}\n{}\n", None, "JSON", ""),
    ("a.ndjson", '{"a": "ä"}'.encode("utf-16"), None, "ENCODING", "byte 0"),
    ("a.ndjson", '{"a": "x"}\n{"a": "ä"}'.encode("latin-1"), None, "ENCODING", "line 2, byte 18"),
    ("a.ndjson", gzip.compress(b'{"a": 1}', mtime=0), None, "NOT_TEXT", ""),
    ("a.parquet", b"", None, "PARQUET", ""),
    ("a.parquet", b"PAR1 is not enough", None, "PARQUET", ""),
    ("a.parquet", parquet_file(cut=10), None, "PARQUET", ""),
    ("a.parquet", b"a,b\n1,2\n", None, "PARQUET", ""),
]
# The same, of which one record is wrong and those with a = 1 and a = 2 are not.
RECORDS = [
    ("a.csv", "a,b\n1,x\n9\n2,y\n", None, "CSV_RAGGED", "line 3"),
    ("a.csv", "a,b\n1,x\n9,x,y\n2,y\n", None, "CSV_RAGGED", "line 3"),
    ("a.csv", 'a,b\n1,"x\ny"\n\n9\n2,y\n', None, "CSV_RAGGED", "line 5"),
    ("a.csv", "a,n\r\n1,5\r\n9,x\r\n2,5\r\n", INT, "CSV_TYPE", "line 3, column 'n'"),
    ("a.csv", 'a,n,t\n1,5,"p\nq"\n9,1.5,r\n2,,s\n', INT, "CSV_TYPE", "line 4, column 'n'"),
    ("a.csv", "a,n\n1,5\n9,99999999999\n2,5\n", INT, "CSV_TYPE", "line 3, column 'n'"),
    ("a.csv", 'a,n\n1,5\n9,"1,5"\n2,5\n', FLOAT, "CSV_TYPE", "line 3, column 'n'"),
    ("a.csv", 'a,n\n1,"[1, 2]"\n9,[1\n2,[]\n', LIST, "CSV_TYPE", "line 3, column 'n'"),
    ("a.csv", "a,n\n1,0.5\n9,1e999\n2,inf\n", None, "NUMBER_RANGE", "line 3, column 'n'"),
    ("a.csv", "a,n\n1,0.5\n9,1e39\n2,inf\n", FLOAT, "NUMBER_RANGE", "line 3, column 'n'"),
    ("a.csv", 'a,b\n1,x\n2,y\n9,"cut off\nin a cell', None, "CSV_TRUNCATED", "line 4"),
    ("a.ndjson", '{"a": 1}\n{"a": 2}\n{"a": 9, "b', None, "NDJSON_TRUNCATED", "line 3, byte 18"),
    ("a.ndjson", '{"a": 1}\r\n{"a": 2}\r\n{"a":', None, "NDJSON_TRUNCATED", "line 3, byte 20"),
    ("a.ndjson", '{"a": 1}\n\n{"a": }\n{"a": 2}\n', None, "JSON_SYNTAX", "line 3, byte 10"),
    ("a.ndjson", '{"a": 1}\n{\'a\': 9}\n{"a": 2}\n', None, "JSON_SYNTAX", "line 2, byte 9"),
    ("a.ndjson", '{"a": 1}\n{"a": 09}\n{"a": 2}\n', None, "JSON_SYNTAX", "line 2, byte 9"),
    ("a.ndjson", '{"a": 1}\n[9]\n{"a": 2}\n', None, "JSON_TYPE", "line 2, byte 9"),
    ("a.ndjson", '{"a": 1}\n null\n{"a": 2}\n', None, "JSON_TYPE", "line 2, byte 9"),
    ("a.ndjson", '{"a": 1}\n{"a": 9}null\n{"a": 2}\n', None, "JSON_SYNTAX", "line 2, byte 9"),
    ("a.ndjson", '{"a": 1}\n9\n{"a": 2}\n', None, "JSON_TYPE", "line 2, byte 9"),
    ("a.ndjson", '{"a": 1}\n{"a": "9"}\n{"a": 2}\n', None, "JSON_TYPE", "line 2, byte 9"),
    ("a.ndjson", '{"a": 1}\n{"a": true}\n{"a": 2}\n', None, "JSON_TYPE", "line 2, byte 9"),
    (
        "a.ndjson",
        '{"a": 9, "n": "x"}\n{"a": 1, "n": 5}\n{"a": 2, "n": 5}\n',
        INT,
        "JSON_TYPE",
        "line 1, byte 0",
    ),
    (
        "a.ndjson",
        '{"a": 1, "b": {"c": [1]}}\n{"a": 2, "b": {"c": null}}\n{"a": 9, "b": {"c": ["x"]}}\n',
        None,
        "JSON_TYPE",
        "line 3, byte 53",
    ),
    ("a.ndjson", '{"a": 1}\n{"a": 9, "a": 8}\n{"a": 2}\n', None, "JSON_DUP_KEY", "line 2, byte 9"),
    ("a.ndjson", '{"a": 1}\n{"a": 1e999}\n{"a": 2}\n', None, "NUMBER_RANGE", "line 2, byte 9"),
    (
        "a.ndjson",
        '{"a": 1}\n{"a": 12345678901234567891}\n{"a": 2}\n',
        None,
        "NUMBER_RANGE",
        "line 2, byte 9",
    ),
    (
        "a.ndjson",
        '{"a": 1}\n{"a": 2, "x": [0.5]}\n{"a": 9, "x": [9007199254740993]}\n',
        None,
        "NUMBER_RANGE",
        "line 3, byte 30",
    ),
    (
        "a.ndjson",
        '{"a": 1}\n{"a": 9, "t": "\\ud800"}\n{"a": 2}\n',
        None,
        "JSON_SURROGATE",
        "line 2, byte 9",
    ),
    (
        "a.ndjson",
        '{"a": 1}\n{"a": 9, "\\udc00": 1}\n{"a": 2}\n',
        None,
        "JSON_SURROGATE",
        "line 2, byte 9",
    ),
    (
        "a.ndjson",
        '{"a": 1}\n{"a": 9, "x": ' + "[" * 100_000 + "]" * 100_000 + '}\n{"a": 2}\n',
        None,
        "JSON_DEPTH",
        "line 2, byte 9",
    ),
]
FACTORIES = {
    "a.csv": Table.from_csv,
    "a.ndjson": Table.from_ndjson,
    "a.parquet": Table.from_parquet,
}


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(("name", "content", "schema", "code", "record"), WHOLE + RECORDS)
def test_a_file_that_is_wrong_is_refused(write, name, content, schema, code, record):
    path = write(name, content)
    before = tree_digest(path)
    with pytest.raises(AnnotationFileError) as caught:
        FACTORIES[name](path, schema)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.record) == (code, str(path), record)
    assert tree_digest(path) == before


@pytest.mark.parametrize(("name", "content", "schema", "code", "record"), RECORDS)
def test_a_record_that_is_wrong_can_be_left_out(write, name, content, schema, code, record):
    table = FACTORIES[name](write(name, content), schema, on_error="skip")
    assert [row["a"] for row in table] == [1, 2]
    report = table.import_report
    assert (report.rows, report.skipped, report.counts) == (2, 1, {code: 1})
    assert report.examples[code][0].record == record


def test_a_row_far_down_is_told_by_its_line(write):
    text = "a,n\n" + "1,1234567\n" * 200_000 + "1\n" + "2,7\n" * 200_000 + "3,x\n"
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_csv(write("a.csv", text), INT)
    places = [problem.record for problem in caught.value.problems]
    assert places == ["line 200002", "line 400003, column 'n'"]


def test_all_problems_of_a_file_are_told_at_once(write):
    path = write("a.csv", "a,n\n1,x\n2\n3,y\n4,5\n")
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_csv(path, INT)
    places = [(problem.code, problem.record) for problem in caught.value.problems]
    assert places == [
        ("CSV_RAGGED", "line 3"),
        ("CSV_TYPE", "line 2, column 'n'"),
        ("CSV_TYPE", "line 4, column 'n'"),
    ]
    table = Table.from_csv(path, INT, on_error="skip")
    assert list(table) == [{"a": 4, "n": 5}]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1"])
def test_a_file_of_another_encoding_is_read_if_that_is_said(write, encoding):
    path = write("a.csv", "a,b\n1,ä\n".encode(encoding))
    assert list(Table.from_csv(path, encoding=encoding)) == [{"a": 1, "b": "ä"}]
    path = write("a.ndjson", '{"b": "ä"}\n'.encode(encoding))
    assert list(Table.from_ndjson(path, encoding=encoding)) == [{"b": "ä"}]


def test_the_guess_of_an_encoding_is_what_reads_the_file(write):
    path = write("a.csv", "a\ncafé\n".encode("cp1252"))
    with pytest.raises(AnnotationFileError, match="cp1252") as caught:
        Table.from_csv(path)
    assert caught.value.hint.startswith('pass encoding="cp1252"')


def test_numbers_whose_text_says_more_stay_text(write):
    text = "zip,id,version,n,f\n007,12345678901234567890,01.10,1,0.5\n123,5,2,0,-0.25\n"
    table = Table.from_csv(write("a.csv", text))
    assert list(table) == [
        {"zip": "007", "id": "12345678901234567890", "version": "01.10", "n": 1, "f": 0.5},
        {"zip": "123", "id": "5", "version": "2", "n": 0, "f": -0.25},
    ]


def test_times_stay_as_they_are_written(write):
    times = ["2020-01-02T03:04:05+02:00", "2020-01-02 03:04:05", "2020-01-02", "03:04"]
    header = ",".join(f"t{i}" for i in range(len(times)))
    table = Table.from_csv(write("a.csv", f"{header}\n{','.join(times)}\n"))
    assert list(table[0].values()) == times
    assert table.rows_schema.values["t0"].value.string_role == STRING_ROLE_DATETIME
    lines = "".join(json.dumps({"t": t, "l": [{"t": t}]}) + "\n" for t in times[1:2])
    table = Table.from_ndjson(write("a.ndjson", lines))
    assert table[0] == {"t": times[1], "l": [{"t": times[1]}]}


def test_nan_is_a_number_and_nothing_is_none(write):
    table = Table.from_csv(write("a.csv", "f,t\nNaN,NA\n,\n1,x\n"))
    assert str(table.column("f").to_pylist()) == "[nan, None, 1.0]"
    assert table.column("t").to_pylist() == ["NA", "", "x"]
    table = Table.from_ndjson(write("a.ndjson", '{"f": NaN}\n{"f": -Infinity}\n{}\n'))
    assert str(table.column("f").to_pylist()) == "[nan, -inf, None]"


def test_decimal_commas_are_read_where_they_are_asked_for(write):
    path = write("a.csv", "a;b\n1,5;x\n-2;y\n")
    table = Table.from_csv(path, delimiter=";", decimal_point=",")
    assert list(table) == [{"a": 1.5, "b": "x"}, {"a": -2.0, "b": "y"}]


def test_decimal_commas_that_were_not_asked_for_are_reported(write):
    table = Table.from_csv(write("a.csv", 'a,b\n"1,5",x\n"2,0",y\n'))
    assert list(table) == [{"a": "1,5", "b": "x"}, {"a": "2,0", "b": "y"}]
    assert table.import_report.counts == {"CSV_DECIMAL_COMMA": 1}
    assert table.import_report.skipped == 0


def test_one_column_may_have_a_delimiter_in_its_name(write):
    table = Table.from_csv(write("a.csv", "a;b\n1;2\n"), delimiter=",")
    assert list(table) == [{"a;b": "1;2"}]


def test_lists_and_dictionaries_of_csv_are_json(write):
    schema = {
        "v": schemas.Float32Schema(shape=(2,)),
        "d": schemas.Schema(values={"x": schemas.Int32Schema()}),
    }
    text = 'v,d\n"[1, 2.5]","{""x"": 3}"\n,\n'
    table = Table.from_csv(write("a.csv", text), schema)
    assert list(table) == [{"v": [1.0, 2.5], "d": {"x": 3}}, {"v": None, "d": None}]
    with pytest.raises(CellError, match="Row 0, column 'v'"):
        Table.from_csv(write("b.csv", 'v\n"[1, 2, 3]"\n'), {"v": schema["v"]})


def test_large_whole_numbers_of_ndjson_are_kept_under_a_schema(write):
    path = write("a.ndjson", '{"n": 18446744073709551615}\n{"n": 1}\n')
    table = Table.from_ndjson(path, {"n": schemas.Uint64Schema()})
    assert table.column("n").to_pylist() == [2**64 - 1, 1]


def test_dictionaries_without_keys_are_kept(write):
    table = Table.from_ndjson(write("a.ndjson", '{"a": {}}\n{"a": null}\n'))
    assert [row["a"] for row in table] == [{}, None]


def test_deep_but_not_too_deep_texts_are_no_fault(write):
    text = json.dumps({"a": "[{" * 50_000})
    assert Table.from_ndjson(write("a.ndjson", text))[0]["a"] == "[{" * 50_000


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": "ab"},
        {"delimiter": '"'},
        {"decimal_point": "\n"},
        {"delimiter": ",", "decimal_point": ","},
        {"encoding": "no such"},
        {"on_error": "ignore"},
    ],
)
def test_options_that_cannot_be_are_refused(write, options):
    with pytest.raises(OptionError):
        Table.from_csv(write("a.csv", "a\n1\n"), **options)


def test_another_option_makes_another_table(write):
    path = write("a.csv", "a\n1\n")
    first = Table.from_csv(path)
    assert Table.from_csv(path) == first
    assert Table.from_csv(path, encoding="latin-1") != first


cells = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["007", "1,5", "NA", "", '"', "\n", "2020-01-01", "1e999", "nan", " 1"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_texts_come_back_from_csv_as_they_are(tmp_path_factory, rows):
    import csv

    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    schema = {"a": schemas.StringSchema(), "b": schemas.StringSchema()}
    table = Table.from_csv(path, schema, if_exists="overwrite")
    assert [(row["a"], row["b"]) for row in table] == rows


SEEDS = {
    "a.csv": b'a,b,c\n1,x,0.5\n2,"y\nz",\n3,,1e5\n',
    "a.ndjson": b'{"a": 1, "b": {"c": [1.5, null]}, "t": "\\u00e4"}\n{"a": 2, "b": null}\n',
    "a.parquet": parquet_file(),
}


@pytest.mark.parametrize("name", SEEDS)
def test_mutated_files_give_tables_or_typed_errors(write, name):
    chance = random.Random(7)
    seed = SEEDS[name]
    tokens = [b'"', b",", b"\n", b"{", b"}", b"[", b"]", b"\xff", b"\0", b"1e999", b"null", b"NaN"]
    for _ in range(size(150, 20_000)):
        content = bytearray(seed)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(content) + 1)
            content[at : at + chance.randint(0, 3)] = chance.choice(tokens)
        path = write(name, bytes(content))
        try:
            FACTORIES[name](path, if_exists="overwrite")
        except (AnnotationFileError, CellError, SchemaError, NameNotAllowedError):
            continue
