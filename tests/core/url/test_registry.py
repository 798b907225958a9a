from __future__ import annotations

import subprocess
import sys

import pytest

from tlc.errors import ConfigurationError, UnknownSchemeError, UnsupportedOperationError
from tlc.url import (
    Url,
    UrlAdapter,
    UrlAdapterProtocol,
    UrlAdapterRegistry,
    list_url_adapters,
    list_url_schemes,
    register_url_adapter,
)


class Reader(UrlAdapter):
    """Does the least that an adapter must."""

    def schemes(self):
        return ["reader", "reader-too"]

    def read_binary_content_from_url(self, url):
        return f"{url.scheme} {url.path} {url.query}".encode()

    def exists(self, url):
        return True

    def supports_relativization(self):
        return False


class Other(Reader):
    pass


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(UrlAdapterRegistry, "_adapters", dict(UrlAdapterRegistry._adapters))
    monkeypatch.setattr(UrlAdapterRegistry, "_entry_points", None)


def test_a_registered_adapter_serves_its_schemes():
    assert register_url_adapter(Reader) is Reader
    assert Url("reader:///a/b.nii?slice=3").read() == "reader /a/b.nii slice=3"
    assert Url("reader-too://host/a").read() == "reader-too host/a "
    assert {"reader", "reader-too", "file", "memory"} <= set(list_url_schemes())
    assert isinstance(UrlAdapterRegistry.get(Url("reader://a")), UrlAdapterProtocol)
    UrlAdapterRegistry.unregister("reader")
    with pytest.raises(UnknownSchemeError, match="'reader'"):
        Url("reader:///a").exists()


def test_what_an_adapter_cannot_do_names_it_and_the_operation():
    register_url_adapter(Reader)
    url, registry = Url("reader://host/a"), UrlAdapterRegistry
    assert not registry.get(url).supports_append()
    for word, call in {
        "write": lambda: url.write_bytes(b""),
        "copy": lambda: registry.copy_url(url, url),
        "create": lambda: registry.create_binary_content_at_url(url, b""),
        "append": lambda: registry.append_binary_content_to_url(url, b""),
        "list": lambda: registry.list_dir(url),
        "delete": url.delete,
        "folder": lambda: registry.delete_tree(url),
        "size": lambda: registry.get_file_size(url),
        "look": lambda: registry.is_dir(url),
        "make": lambda: registry.make_dirs(url),
        "not a file on this machine": url.to_local_path,
    }.items():
        named = "write" if word == "copy" else word
        with pytest.raises(UnsupportedOperationError, match=named) as info:
            call()
        assert str(url) in str(info.value)
        assert "Reader" in str(info.value) or word.startswith("not")


def test_urls_stay_absolute_if_their_adapter_says_so():
    register_url_adapter(Reader)
    url = Url("reader://host/a/b")
    assert url.to_relative() == url.to_relative("reader://host/a") == url


def test_a_scheme_is_not_taken_by_accident():
    register_url_adapter(Reader)
    with pytest.raises(ConfigurationError, match=r"Other cannot serve 'reader'.*Reader does"):
        register_url_adapter(Other)
    register_url_adapter(Reader)
    register_url_adapter(override=True)(Other)
    assert type(UrlAdapterRegistry.get(Url("reader://a"))) is Other
    (info,) = [info for info in list_url_adapters() if info["scheme"] == "reader"]
    assert info == {
        "adapter_class": "Other",
        "module": __name__,
        "scheme": "reader",
        "source": "registered",
    }


def test_a_class_that_is_defined_again_takes_the_place_of_the_first():
    def define():
        class Again(Reader):
            pass

        return register_url_adapter(Again)

    assert define() is not (second := define())
    assert type(UrlAdapterRegistry.get(Url("reader://a"))) is second


def offer(folder, scheme, target):
    """Make a package that offers an adapter, as an installed one does."""
    info = folder / f"{scheme}_{target.replace(':', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {info.stem}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[tlc.url_adapters]\n{scheme} = {target}\n")


def test_packages_bring_adapters_that_load_when_needed(tmp_path, monkeypatch):
    (tmp_path / "brought.py").write_text(
        "from tlc.url import UrlAdapter\n"
        "class Brought(UrlAdapter):\n"
        "    def schemes(self): return ['brought']\n"
        "    def read_binary_content_from_url(self, url): return b'content'\n"
        "    def exists(self, url): return True\n"
    )
    offer(tmp_path, "brought", "brought:Brought")
    monkeypatch.syspath_prepend(tmp_path)
    (info,) = [info for info in list_url_adapters() if info["scheme"] == "brought"]
    assert info["source"] == "entry point"
    assert (info["module"], info["adapter_class"]) == ("brought", "Brought")
    assert "brought" not in sys.modules
    assert Url("brought://a").read_bytes() == b"content"
    assert [each for each in list_url_adapters() if each["scheme"] == "brought"] == [info]
    monkeypatch.delitem(sys.modules, "brought")


def test_two_packages_may_not_offer_one_scheme(tmp_path, monkeypatch):
    offer(tmp_path, "twice", "one:A")
    offer(tmp_path, "twice", "two:A")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="'twice'"):
        UrlAdapterRegistry.discover_entrypoint_adapters()


def test_importing_urls_is_light():
    heavy = "yaml platformdirs numpy pyarrow importlib.metadata"
    code = f"import sys, tlc.url; print(*[m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []
