from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.configuration import Configuration
from tlc.errors import AliasError, ConfigurationError
from tlc.url import (
    Url,
    get_alias_path,
    get_registered_url_aliases,
    register_url_alias,
    unregister_url_alias,
)


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """Give each test a configuration without aliases; return its file."""
    monkeypatch.setattr(Configuration, "_instance", Configuration())
    monkeypatch.setenv("TLC_DEFAULT_ROOT_DIR", str(tmp_path))
    return tmp_path / "config.yaml"


@pytest.mark.parametrize("token", ["DATA", "<DATA>"])
@pytest.mark.parametrize("kind", [str, Path, Url])
def test_an_alias_stands_for_a_place(tmp_path, token, kind):
    register_url_alias(token, kind(str(tmp_path)))
    (tmp_path / "a.png").write_bytes(b"content")
    url = Url("<DATA>/a.png")
    assert url.to_absolute() == url.expand_aliases() == Url(tmp_path / "a.png")
    assert url.read_bytes() == b"content"
    assert Path(url) == tmp_path / "a.png"
    assert Url(tmp_path / "a.png").to_relative() == url
    assert Url(tmp_path / "a.png").apply_aliases() == url
    assert get_alias_path(token) == str(tmp_path)
    assert get_registered_url_aliases() == {"<DATA>": str(tmp_path)}
    unregister_url_alias(token)
    assert get_registered_url_aliases() == {}
    assert get_alias_path(token) is None


def test_program_stands_above_environment_above_file(fresh, monkeypatch):
    fresh.write_text("aliases: {A: /file/a, B: /file/b, C: /file/c}")
    monkeypatch.setenv("TLC_ALIAS_A", "/env/a")
    monkeypatch.setenv("TLC_ALIAS_B", "/env/b")
    monkeypatch.setenv("TLC_ALIAS_D", "")
    register_url_alias("A", "/api/a")
    assert get_registered_url_aliases() == {"<A>": "/api/a", "<B>": "/env/b", "<C>": "/file/c"}
    assert [get_alias_path(name) for name in "ABCD"] == ["/api/a", "/env/b", "/file/c", None]
    unregister_url_alias("A")
    assert get_alias_path("A") == "/env/a"
    with pytest.raises(AliasError, match="environment or the configuration file"):
        unregister_url_alias("A")


def test_the_longest_alias_is_applied():
    register_url_alias("ROOT", "/")
    register_url_alias("DATA", "/data/")
    register_url_alias("TRAIN", "<DATA>/train")
    register_url_alias("BUCKET", "memory://bucket")
    for path, stored in {
        "/data/train/a.png": "<TRAIN>/a.png",
        "/data/train": "<TRAIN>",
        "/data/training/a.png": "<DATA>/training/a.png",
        "/x": "<ROOT>/x",
        "memory://bucket/a": "<BUCKET>/a",
        "memory://bucket2/a": "memory://bucket2/a",
    }.items():
        assert str(Url(path).apply_aliases()) == str(Url(path).to_relative()) == stored
        assert Url(stored).to_absolute() == Url(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.lists(st.sampled_from(["a", "b c", "ü", "<A>", "?"]), max_size=3),
    rest=st.lists(st.sampled_from(["a", "#", "%20", "&", "<B>"]), max_size=3),
    start=st.sampled_from(["/", "memory://", "memory://host/", "C:/"]),
)
def test_applying_and_expanding_are_inverse(place, rest, start):
    url = Url(start + "/".join([*place, *rest]))
    register_url_alias("A", start + "/".join(place))
    register_url_alias("B", "<A>/a")
    assert Url(str(url.apply_aliases())).to_absolute() == url.to_absolute()


def test_an_alias_stays_one(monkeypatch):
    register_url_alias("DATA", "/data")
    register_url_alias("SAME", "/data")
    assert Url("<SAME>/a").to_relative() == Url("<SAME>/a").apply_aliases() == Url("<SAME>/a")
    assert Url("<SAME>/a").to_relative("/p") == Url("<SAME>/a")
    assert Url("a").apply_aliases() == Url("a")


def test_an_owner_may_start_with_an_alias():
    register_url_alias("DATA", "/data")
    assert Url("a").to_absolute("<DATA>/t") == Url("/data/t/a")
    assert Url("/data/a").to_relative("<DATA>/t") == Url("../a")
    assert Url("../a").to_absolute("<MISSING>/t") == Url("<MISSING>/t/../a")
    with pytest.raises(AliasError, match="<MISSING>"):
        Url("/data/a").to_relative("<MISSING>/t")


def test_an_unknown_alias_stays_until_it_is_needed():
    url = Url("<MISSING>/a.png")
    assert url.is_absolute
    assert url.to_absolute() == url.to_relative() == url.expand_aliases() == url
    for call in (url.read_bytes, url.exists, lambda: url.expand_aliases(allow_unexpanded=False)):
        with pytest.raises(AliasError, match=r"<MISSING>.*TLC_ALIAS_MISSING"):
            call()


def test_only_the_start_of_a_url_is_an_alias():
    register_url_alias("DATA", "/data")
    for text in ("/x/<DATA>/a", "<DATA>a", "<data>/a", "./<DATA>/a", "s3://<DATA>/a"):
        assert Url(text).expand_aliases() == Url(text)


def test_circles_are_refused(monkeypatch):
    register_url_alias("A", "<B>/b")
    register_url_alias("B", "<A>/a")
    for call in (Url("<A>/x").to_absolute, Url("/x").apply_aliases):
        with pytest.raises(AliasError, match=r"circle: <.> -> <.> -> <.>"):
            call()


def test_registering_without_force_replaces_nothing():
    register_url_alias("DATA", "/data")
    register_url_alias("DATA", "/data", force=False)
    with pytest.raises(AliasError, match="/data already"):
        register_url_alias("DATA", "/other", force=False)
    register_url_alias("DATA", "/other")
    assert get_alias_path("DATA") == "/other"


def test_places_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    register_url_alias("HERE", "data")
    register_url_alias("HOME", "~/data")
    assert get_alias_path("HERE") == str(tmp_path / "data")
    assert get_alias_path("HOME") == "/home/me/data"


@pytest.mark.parametrize("name", ["data", "1A", "A-B", "", "<>", "<A"])
def test_bad_names_are_refused(name):
    with pytest.raises(AliasError, match="capital letters"):
        register_url_alias(name, "/data")


def test_bad_aliases_outside_the_program_name_their_place(fresh, monkeypatch):
    monkeypatch.setenv("TLC_ALIAS_A", "data")
    for call in (get_registered_url_aliases, Url("<A>/x").to_absolute):
        with pytest.raises(ConfigurationError, match=r"TLC_ALIAS_A has the value 'data'.*absolute"):
            call()
    monkeypatch.delenv("TLC_ALIAS_A")
    monkeypatch.setenv("TLC_ALIAS_a", "/data")
    with pytest.raises(ConfigurationError, match="TLC_ALIAS_a is not a name"):
        get_registered_url_aliases()
    monkeypatch.delenv("TLC_ALIAS_a")
    fresh.write_text("aliases: {A: 3}")
    with pytest.raises(ConfigurationError, match=r"'aliases.A' in .*config.yaml has the value 3"):
        get_registered_url_aliases()


def test_unregistering_what_is_not_there_says_what_is():
    register_url_alias("DATA", "/data")
    with pytest.raises(AliasError, match=r"<OTHER>.*Registered aliases: <DATA>"):
        unregister_url_alias("OTHER")
