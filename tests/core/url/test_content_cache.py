from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.errors import CacheWarning
from tlc.url.content_cache import ContentCache


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@given(st.dictionaries(st.text(), st.tuples(st.text(st.characters(codec="utf-8")), st.binary())))
def test_gives_what_it_was_given(tmp_path_factory, entries):
    cache = ContentCache(tmp_path_factory.mktemp("cache"), 1 << 20)
    for url, (tag, content) in entries.items():
        assert cache.find(url) is None
        cache.keep(url, "before", b"before")
        cache.keep(url, tag, content)
    assert {url: cache.find(url) for url in entries} == entries


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_entry_is_a_missing_one(tmp_path, damage):
    cache = ContentCache(tmp_path, 1 << 20)
    cache.keep("url", "tag", b"content" * 100)
    (path,) = files_of(tmp_path)
    entry = bytearray(path.read_bytes())
    if damage == "flip":
        entry[len(entry) // 2] ^= 1
    path.write_bytes({"cut": entry[:-1], "flip": entry, "empty": b""}[damage])
    assert cache.find("url") is None
    assert files_of(tmp_path) == []
    cache.keep("url", "tag", b"again")
    assert cache.find("url").content == b"again"


def test_what_was_not_used_for_the_longest_time_goes(tmp_path):
    limit = 1_000_000
    cache = ContentCache(tmp_path, limit)
    names = [f"url {number}" for number in range(200)]
    for age, name in enumerate(reversed(names)):
        cache.keep(name, "tag", bytes(20_000))
        os.utime(cache._path(name), (1e9 - age, 1e9 - age))  # the last ones are the oldest
        cache.find(names[-1])  # is used all the time
    assert sum(path.stat().st_size for path in files_of(tmp_path)) <= limit * 33 / 32
    assert cache.find(names[-1]) is not None
    kept = [name for name in names[:-1] if cache.find(name)]
    assert len(kept) > 40
    cache.keep("too large", "tag", bytes(limit // 4))
    assert cache.find("too large") is None


def test_what_others_began_and_left_is_removed(tmp_path):
    ContentCache(tmp_path, 1 << 20).keep("url", "tag", b"content")
    (path,) = files_of(tmp_path)
    left, fresh = path.with_name(".unfinished-1-a"), path.with_name(".unfinished-2-b")
    for file in (left, fresh):
        file.write_bytes(b"")
    os.utime(left, (0, 0))
    ContentCache(tmp_path, 1 << 20).keep("other", "tag", b"content")
    assert not left.exists()
    assert fresh.exists()


def test_a_disk_that_refuses_is_a_warning(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    cache = ContentCache(tmp_path / "file" / "below", 1 << 20)
    assert cache.find("url") is None
    with pytest.warns(CacheWarning, match="cannot be kept"):
        cache.keep("url", "tag", b"content")


def test_processes_share_it(tmp_path):
    program = (
        "import sys; from tlc.url.content_cache import ContentCache; "
        "cache = ContentCache(sys.argv[1], 300_000)\n"
        "for round in range(3):\n"
        "    for number in range(60):\n"
        "        found = cache.find(str(number))\n"
        "        assert found is None or found.content == bytes([number]) * 5000\n"
        "        cache.keep(str(number), 'tag', bytes([number]) * 5000)\n"
    )
    command = [sys.executable, "-W", "error", "-c", program, str(tmp_path)]
    members = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for member in members:
        _, errors = member.communicate(timeout=60)
        assert member.returncode == 0, errors
    taken = sum(path.stat().st_size for path in files_of(tmp_path))
    assert 100_000 < taken <= 300_000 * (1 + 4 / 32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert any(ContentCache(tmp_path, 300_000).find(str(number)) for number in range(60))
