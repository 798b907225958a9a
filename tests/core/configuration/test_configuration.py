from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from tlc.configuration import Configuration, OptionInfo
from tlc.errors import ConfigurationError
from tlc.url import Url


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """Give each test an environment without settings; return the path of its file."""
    for variable in [name for name in os.environ if name.startswith("TLC_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("TLC_DEFAULT_ROOT_DIR", str(tmp_path))
    return tmp_path / "config.yaml"


@pytest.fixture
def config():
    return Configuration()


def test_there_is_one():
    assert Configuration.instance() is Configuration.instance()


def test_defaults(config, tmp_path, monkeypatch):
    assert config.project_root_url == str(tmp_path / "projects")
    assert config.file_path == str(tmp_path / "config.yaml")
    assert config.display_progress is True
    assert config.durability == "commit"
    assert config.aliases == {}
    monkeypatch.delenv("TLC_DEFAULT_ROOT_DIR")
    assert Path(config.project_root_url) == Path(platformdirs.user_data_dir("tlc"), "projects")
    assert Path(config.file_path) == Path(platformdirs.user_config_dir("tlc"), "config.yaml")


def test_each_source_stands_above_the_one_before(config, file, monkeypatch):
    def root():
        return config.project_root_url, config.describe()[0].source

    assert root()[1] == "default"
    file.write_text("indexing:\n  project-root-url: /file\n")
    assert root() == ("/file", "file")
    monkeypatch.setenv("TLC_PROJECT_ROOT_URL", "/env")
    assert root() == ("/env", "environment")
    config.project_root_url = "/api"
    assert root() == ("/api", "api")
    config.reset()
    monkeypatch.setenv("TLC_PROJECT_ROOT_URL", "")
    assert root() == ("/file", "file")


@pytest.mark.parametrize("kind", [str, Path, Url])
def test_the_root_can_be_any_kind_of_place(config, kind):
    config.project_root_url = kind("/projects")
    assert config.project_root_url == "/projects"


def test_the_file_is_read_again_when_it_has_changed(config, file):
    for root in ("/one", "/another", "~/home"):
        file.write_text(f"project-root-url: {root}")
        assert config.project_root_url == os.path.expanduser(root)
    file.unlink()
    assert config.project_root_url.endswith("projects")


def test_another_file_can_be_named(config, tmp_path, monkeypatch):
    monkeypatch.setenv("TLC_CONFIG_FILE", str(tmp_path / "other.yaml"))
    with pytest.raises(ConfigurationError, match=r"TLC_CONFIG_FILE.*other\.yaml"):
        _ = config.durability
    (tmp_path / "other.yaml").write_text("durability: os\ndisplay-progress: no\n")
    assert config.durability == "os"
    assert config.display_progress is False


@pytest.mark.parametrize(
    ("written", "meant"), [("1", True), ("yes", True), ("True", True), ("N", False), ("off", False)]
)
def test_words_for_yes_and_no(config, monkeypatch, written, meant):
    monkeypatch.setenv("TLC_DISPLAY_PROGRESS", written)
    assert config.display_progress is meant


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("colour: red", "'colour' in FILE is not a setting.*durability"),
        ("indexing: {project-scan-urls: []}", "'indexing.project-scan-urls' in FILE"),
        ("indexing: 3", "'indexing' in FILE holds no settings but 3"),
        ("- a", "FILE holds no settings"),
        ("durability: always", "'durability' in FILE has the value 'always'.*'commit' or 'os'"),
        ("project-root-url: 3", "'project-root-url' in FILE has the value 3.*a path or url"),
        ("project-root-url: /a\nindexing: {project-root-url: /a}", "FILE says the same twice"),
        ("a: [", "FILE is not valid YAML"),
        ("aliases: {lower: /a}", "'aliases.lower' in FILE is not a name.*capital"),
        ("aliases: {A: relative}", "'aliases.A' in FILE.*absolute"),
        ("aliases: [A]", "'aliases' in FILE"),
    ],
)
def test_mistakes_in_the_file_name_it(config, file, content, message):
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=message.replace("FILE", str(file))):
        config.describe()


def test_mistakes_in_the_environment_name_the_variable(config, monkeypatch):
    monkeypatch.setenv("TLC_DISPLAY_PROGRESS", "perhaps")
    with pytest.raises(ConfigurationError, match=r"TLC_DISPLAY_PROGRESS.*'perhaps'.*true or false"):
        _ = config.display_progress


def test_mistakes_in_the_program_are_refused_at_once(config):
    with pytest.raises(ConfigurationError, match=r"Configuration.durability.*'never'"):
        config.durability = "never"
    with pytest.raises(ConfigurationError, match=r"Configuration.project_root_url"):
        config.project_root_url = ""
    config.display_progress = False
    assert config.display_progress is False


def test_an_empty_file_sets_nothing(config, file):
    file.write_text("# nothing\naliases:\n")
    assert config.durability == "commit"
    assert config.aliases == {}


def test_describe_tells_where_each_value_comes_from(config, file, monkeypatch):
    file.write_text("aliases: {A: /file, B: /file}\ndurability: os\n")
    monkeypatch.setenv("TLC_ALIAS_B", "s3://bucket/b")
    config.display_progress = False
    config.set_alias("C", "/c")
    config.cache_folder = "/cache"
    assert config.describe()[1:] == [
        OptionInfo("display_progress", False, "api", "TLC_DISPLAY_PROGRESS"),
        OptionInfo("durability", "os", "file", "TLC_DURABILITY"),
        OptionInfo("handle_sigterm", True, "default", "TLC_HANDLE_SIGTERM"),
        OptionInfo("max_decoded_bytes", 1 << 30, "default", "TLC_MAX_DECODED_BYTES"),
        OptionInfo("cache_folder", "/cache", "api", "TLC_CACHE_FOLDER"),
        OptionInfo("cache_size", 16 << 30, "default", "TLC_CACHE_SIZE"),
        OptionInfo("media_cache_size", 16 << 30, "default", "TLC_MEDIA_CACHE_SIZE"),
        OptionInfo("exporters", "", "default", "TLC_EXPORTERS"),
        OptionInfo("aliases.A", "/file", "file", "TLC_ALIAS_A"),
        OptionInfo("aliases.B", "s3://bucket/b", "environment", "TLC_ALIAS_B"),
        OptionInfo("aliases.C", "/c", "api", "TLC_ALIAS_C"),
    ]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("exporters: [a.b:C, d:E]", ["a.b:C", "d:E"]),
        ("exporters: 'a.b:C, d:E'", ["a.b:C", "d:E"]),
        ("exporters: []", []),
        ("exporters: [C]", None),
        ("exporters: [a:b c]", None),
        ("exporters: 3", None),
    ],
)
def test_exporters_are_named_by_module_and_class(config, file, written, found):
    file.write_text(f"{written}\n")
    if found is None:
        with pytest.raises(ConfigurationError, match="It takes a list of classes"):
            assert config.exporters
    else:
        assert config.exporters == found
    config.exporters = ["x:Y"]
    assert config.exporters == ["x:Y"]
