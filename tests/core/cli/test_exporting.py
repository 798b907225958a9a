"""``tlc export`` and ``tlc exporters list``."""

from __future__ import annotations

import sys

import pytest

import tlc
from tlc.cli import main
from tlc.export import RowExporter, register_exporter, registry


@pytest.fixture
def command(capsys, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tlc", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        found = capsys.readouterr()
        return ended.value.code or 0, found.out, found.err

    return run


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    columns = {"a": [1, 2], "weight": [1.0, 0.0]}
    return tlc.Table.from_dict(columns, {"weight": tlc.schemas.SampleWeightSchema()})


def test_a_table_is_exported(command, table, tmp_path):
    place = tmp_path / "a b.csv"
    assert command("export", table.url, place) == (0, f"{place}\n", "")
    assert place.read_text() == "a,weight\n1,1.0\n2,0.0\n"


def test_options_are_the_keywords_of_the_exporter(command, table, tmp_path):
    place = tmp_path / "o.csv"
    options = ["--csv-dialect=excel-tab", "--csv-exclude-header", "--weight-threshold", "0.5"]
    for arguments in ([*options, table.url, place], [table.url, place, *options]):
        assert command("export", *arguments) == (0, f"{place}\n", "")
        assert place.read_text() == "1\t1.0\n"


def test_the_format_can_be_named(command, table, tmp_path):
    assert (
        command("export", table.url, tmp_path / "o", "--format", "json", "--json-indent", 1)[0] == 0
    )
    assert (tmp_path / "o").read_text().startswith('[\n {\n  "a": 1')


def test_options_of_a_plug_in(command, table, tmp_path):
    @register_exporter
    class Own(RowExporter):
        supported_format = "own-lines"
        file_extensions = frozenset({".own"})

        def export_row(self, row, line_end="", many: list[str] | None = None, loud=False, **_):
            """Return a line.

            Args:
                row: The row.
                line_end: What a line
                    ends with.
                many: Words.
                loud: Whether to shout.
            """
            return f"{row['a']}{many}{'!' if loud else ''}{line_end}"

    help_text = command("export", "--help")[1]
    assert "--own-lines-line-end" in help_text
    assert "What a line ends with." in " ".join(help_text.split())
    place = tmp_path / "o.own"
    many = ["--own-lines-many", "x", "--own-lines-many", "y"]
    options = [*many, "--own-lines-loud", "--own-lines-line-end", "."]
    assert command("export", table.url, place, *options)[0] == 0
    assert place.read_text() == "1['x', 'y']!.\n2['x', 'y']!."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["o.csv", "--json-indent", "2"], "--json-indent is about the format 'json'"),
        (["o.xyz"], "No format can be told"),
        (["o.csv", "--format", "cvs"], "no exporter for the format 'cvs'"),
    ],
)
def test_what_cannot_be_done_is_one_line(command, table, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("export", table.url, *options)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert message in err


@pytest.mark.parametrize("arguments", [[], ["--no-such-option"], ["x"]])
def test_a_wrong_call_says_how_it_is_called(command, table, arguments):
    code, out, err = command("export", *arguments)
    assert (code, out) == (2, "")
    assert "Usage: tlc export" in err


def test_the_exporters_are_listed(command, table):
    code, out, _ = command("exporters", "list")
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert rows[0] == ["FORMAT", "CLASS", "MODULE", "SOURCE"]
    assert ["coco", "CocoExporter", "tlc.export.coco", "builtin"] in rows
    formats = [row[0] for row in rows[1:]]
    assert formats == sorted(formats)
    expected = {"coco", "csv", "huggingface", "image_folder", "json", "ndjson", "parquet", "voc"}
    assert expected | {"yolo"} == set(formats)
