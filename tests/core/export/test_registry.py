"""Exporters of one's own, and which of all exporters takes a table to a url."""

from __future__ import annotations

import sys

import pytest

import tlc
from tlc.errors import ConfigurationError, OptionError, TlcWarning
from tlc.export import (
    Exporter,
    RowExporter,
    SerializingExporter,
    exported_rows,
    list_exporter_formats,
    list_exporters,
    register_exporter,
    unregister_exporter,
)


@pytest.fixture
def table():
    columns = {"name": ["a", "ü"], "weight": [1.0, 0.25]}
    return tlc.Table.from_dict(columns, {"weight": tlc.schemas.SampleWeightSchema()})


def info_of(format):
    return next(info for info in list_exporters() if info["format"] == format)


def test_an_exporter_of_rows(table, tmp_path):
    @register_exporter
    class Lines(RowExporter):
        supported_format = "lines"
        file_extensions = frozenset({".lines"})
        separator = ";"

        def export_row(self, row, mark="", **_):
            return f"{mark}{row['name']}={row['weight']}"

    assert "lines" in list_exporter_formats()
    assert info_of("lines") == {
        "format": "lines",
        "exporter_class": "Lines",
        "module": __name__,
        "source": "runtime",
    }
    place = table.export(tmp_path / "o.LINES", mark="#")
    assert place.read() == "#a=1.0;#ü=0.25"
    assert table.export(str(place), weight_threshold=0.5) == place
    assert place.read() == "a=1.0"
    assert Lines().serialize(table, place) == "a=1.0;ü=0.25"


def test_an_exporter_of_one_text(table, tmp_path):
    @register_exporter
    class Names(SerializingExporter):
        supported_format = "names"

        def serialize(self, table, output_url, weight_threshold=0.0, *, joint=", ", **_):
            names = [row["name"] for row in exported_rows(table, weight_threshold, ["name"])]
            return f"{output_url.name}: {joint.join(names)}"

    place = table.export(tmp_path / "o", "names", joint="+")
    assert place.read() == "o: a+ü"
    with pytest.raises(TypeError, match=r"'names' has no option 'joins'. Hint: did you mean 'jo"):
        table.export(tmp_path / "o", "names", joins="+")


def test_an_exporter_of_folders_that_looks_at_the_table(table, tmp_path):
    @register_exporter
    class Files(Exporter):
        supported_format = "files"
        priority = 5

        def can_export(self, table, output_url):
            return "name" in table.columns and output_url.name == "folder"

        def _do_export(self, table, output_url, weight_threshold, **options):
            for row in exported_rows(table, weight_threshold):
                (output_url / row["name"]).write_bytes(options["content"])

    table.export(tmp_path / "folder", content=b"anything goes")
    assert (tmp_path / "folder" / "ü").read_bytes() == b"anything goes"
    other = tlc.Table.from_dict({"x": [1]}, table_name="other")
    with pytest.raises(OptionError, match=r"No format can be told .* pass format=, one of "):
        other.export(tmp_path / "folder")


def test_the_highest_priority_wins_and_a_tie_is_an_error(table, tmp_path):
    class Base(RowExporter):
        file_extensions = frozenset({".csv"})

        def export_row(self, row, **_):
            return self.supported_format

    register_exporter(type("A", (Base,), {"supported_format": "a", "priority": 1}))
    with pytest.raises(OptionError, match="in several formats: 'a', 'csv'"):
        table.export(tmp_path / "o.csv")
    register_exporter(type("A", (Base,), {"supported_format": "a", "priority": 2}))
    assert table.export(tmp_path / "o.csv").read() == "a\na"
    assert table.export(tmp_path / "o.csv", "csv").read().startswith("name,weight")


def test_a_registered_exporter_takes_the_place_of_a_built_in_one(table, tmp_path):
    """As does the NDJSON plug-in that people know, which is older than the one built in."""

    @register_exporter
    class Own(RowExporter):
        supported_format = "ndjson"
        file_extensions = frozenset({".ndjson", ".jsonl"})
        separator = "\n"

        def export_row(self, row, ensure_ascii=False, **_):
            return f"own {ensure_ascii}"

    assert table.export(tmp_path / "o.jsonl").read() == "own False\nown False"
    assert info_of("ndjson")["source"] == "runtime"
    unregister_exporter("ndjson")
    assert info_of("ndjson")["source"] == "builtin"


def test_two_classes_of_the_program_do_not_share_a_format():
    def define(name, **options):
        body = {"supported_format": "x", "export_row": lambda self, row, **_: ""}
        return register_exporter(**options)(type(name, (RowExporter,), body))

    define("One")
    again = define("One")  # as a notebook cell that is run again does
    with pytest.raises(ConfigurationError, match=r"Two cannot export 'x': .*One does"):
        define("Two")
    assert info_of("x")["exporter_class"] == again.__name__
    define("Two", override=True)
    assert info_of("x")["exporter_class"] == "Two"


@pytest.mark.parametrize("wrong", [int, type("Nameless", (Exporter,), {}), "csv"])
def test_what_is_no_exporter_is_refused(wrong):
    with pytest.raises(ConfigurationError):
        register_exporter(wrong)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Make a distribution that can be imported, with entry points."""

    def make(name, code, points):
        folder = tmp_path / "site" / name
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[tlc.exporters]\n{points}\n")
        (folder / f"{name}_module.py").write_text(code)
        monkeypatch.syspath_prepend(folder)

    yield make
    for name in [name for name in sys.modules if name.startswith("exporters_of_")]:
        del sys.modules[name]


GOOD = """
from tlc.export import RowExporter

class Good(RowExporter):
    supported_format = "good"
    file_extensions = frozenset({".good"})

    def export_row(self, row, **_):
        return row["name"]
"""


def test_an_installed_package_offers_an_exporter(install, table, tmp_path):
    install("exporters_of_a", GOOD, "good = exporters_of_a_module:Good")
    assert info_of("good")["source"] == "entrypoint"
    assert "exporters_of_a_module" not in sys.modules, "to list it, nothing is imported"
    assert table.export(tmp_path / "o.good").read() == "a\nü"


def test_two_packages_that_offer_one_format_are_an_error(install):
    install("exporters_of_a", GOOD, "good = exporters_of_a_module:Good")
    install("exporters_of_b", GOOD, "good = exporters_of_b_module:Good")
    with pytest.raises(ConfigurationError, match="Two packages offer an exporter for 'good'"):
        list_exporters()


def test_a_package_that_does_not_load_hides_no_other(install, table, tmp_path):
    install("exporters_of_c", "import no_such_module_at_all", "bad = exporters_of_c_module:Bad")
    with pytest.warns(TlcWarning, match="The exporter 'bad' of exporters_of_c_module cannot be"):
        table.export(tmp_path / "o.csv")
    with pytest.raises(ModuleNotFoundError):
        table.export(tmp_path / "o.csv", "bad")


def test_the_configuration_names_an_exporter(install, table, tmp_path, monkeypatch):
    install("exporters_of_e", GOOD, "")
    monkeypatch.setenv("TLC_EXPORTERS", "exporters_of_e_module:Good")
    assert info_of("good")["source"] == "config"
    assert table.export(tmp_path / "o.good").read() == "a\nü"
    monkeypatch.setenv("TLC_EXPORTERS", "exporters_of_e_module:Good, no_such_module:Bad")
    with pytest.warns(TlcWarning, match="'no_such_module:Bad' that the configuration names"):
        assert table.export(tmp_path / "o.good").read() == "a\nü"
    monkeypatch.setenv("TLC_EXPORTERS", "builtins:int")
    with pytest.warns(TlcWarning, match="is no exporter"):
        assert "good" not in list_exporter_formats()


def test_an_entry_point_must_be_the_exporter_that_it_says(install, table, tmp_path):
    install("exporters_of_d", GOOD, "well = exporters_of_d_module:Good")
    with pytest.raises(ConfigurationError, match="is called 'well', but exports 'good'"):
        table.export(tmp_path / "o", "well")


def test_an_unknown_format_is_told_those_there_are(table, tmp_path):
    with pytest.raises(OptionError, match=r"no exporter for the format 'cvs'.*csv, "):
        table.export(tmp_path / "o.csv", format="cvs")


def test_an_unknown_option_is_told_those_there_are(table, tmp_path):
    with pytest.raises(TypeError, match=r"'csv' has no option 'x'. Hint: its options are dialect"):
        table.export(tmp_path / "o.csv", x=1)
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_a_threshold_is_a_number(threshold, table, tmp_path):
    with pytest.raises(OptionError, match="weight_threshold"):
        table.export(tmp_path / "o.csv", weight_threshold=threshold)
