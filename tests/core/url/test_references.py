"""Where objects may lead whoever reads them, and what is never opened."""

from __future__ import annotations

import os
import sys

import pytest

from tlc.errors import CorruptObjectError, TlcError, UnsupportedOperationError, UrlNotFoundError
from tlc.url import Url
from tlc.url.references import follow


@pytest.mark.parametrize(
    ("reference", "owner", "found"),
    [
        ("../first/data/x", "/p/tables/second", "/p/tables/first/data/x"),
        ("/elsewhere/x", "/p/tables/second", "/elsewhere/x"),
        ("s3://bucket/x", "/p/tables/second", "s3://bucket/x"),
        ("data/x", "https://host/p/tables/first", "https://host/p/tables/first/data/x"),
        ("https://host/other/x", "https://host/p/tables/first", "https://host/other/x"),
    ],
)
def test_references_lead_somewhere(reference, owner, found):
    assert follow(reference, Url(owner)) == Url(found)


@pytest.mark.parametrize("reference", ["http://127.0.0.1/x", "https://other/x", "http://host/x"])
@pytest.mark.parametrize("owner", ["/p/t", "s3://bucket/p/t", "https://host/p/t"])
def test_no_reference_leads_to_another_web_server(reference, owner):
    with pytest.raises(CorruptObjectError, match="a web server that it did not come from"):
        follow(reference, Url(owner))


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
@pytest.mark.timeout(20)
def test_a_pipe_or_a_device_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(UnsupportedOperationError, match="neither a file nor a folder"):
            Url(path).read_bytes()


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_can_have(tmp_path, name):
    with pytest.raises(UrlNotFoundError):
        (Url(tmp_path) / name).read_bytes()
    with pytest.raises(TlcError):
        (Url(tmp_path) / name).write_bytes(b"x")
    assert not (Url(tmp_path) / name).exists()
