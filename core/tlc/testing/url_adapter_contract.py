"""What every `UrlAdapter` that can write must hold to.

Subclass `UrlAdapterContract` in a test file, name the class ``Test...`` and override `root`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

import pytest

from tlc.errors import UnsupportedOperationError, UrlExistsError, UrlNotFoundError
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["UrlAdapterContract"]

T = TypeVar("T")

_THREADS = 8


class UrlAdapterContract:
    """Tests that an heir inherits; the adapter is the one of the url that `root` returns."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Url:
        """Return the url of a folder of its own, into which the tests may write.

        Args:
            tmp_path: A folder of this machine, made for the test.
        """
        raise NotImplementedError

    def test_returns_the_bytes_that_were_written(self, root: Url) -> None:
        """All bytes survive, in a folder that did not exist."""
        content = bytes(range(256)) * 1000
        landed = (root / "new" / "folder" / "a.bin").write_bytes(content)
        assert landed.read_bytes() == content

    def test_keeps_a_file_of_no_bytes(self, root: Url) -> None:
        """Empty is not missing."""
        url = (root / "empty").write_bytes(b"")
        assert url.exists()
        assert url.read_bytes() == b""

    @pytest.mark.parametrize(
        "name", ["a b & c.txt", "åß漢.txt", "100%.txt", "%41.txt", "a+b,c;d=e"]
    )
    def test_takes_names_as_they_are(self, root: Url, name: str) -> None:
        """No letter of a name is taken for something else."""
        (root / name).write_bytes(name.encode())
        assert [entry.name for entry in UrlAdapterRegistry.list_dir(root)] == [name]
        assert (root / name).read_bytes() == name.encode()

    def test_replaces_a_file(self, root: Url) -> None:
        """A second write leaves nothing of the first."""
        url = root / "a"
        url.write_bytes(b"the longer content")
        url.write_bytes(b"short")
        assert url.read_bytes() == b"short"

    def test_creates_a_file_once(self, root: Url) -> None:
        """Creating never overwrites, whoever wrote the file."""
        url = root / "new" / "a"
        UrlAdapterRegistry.create_binary_content_at_url(url, b"first")
        with pytest.raises(UrlExistsError, match="new/a"):
            UrlAdapterRegistry.create_binary_content_at_url(url, b"second")
        assert url.read_bytes() == b"first"

    @pytest.mark.parametrize(
        "operation", ["read", "size", "delete", "tree", "list", "folders", "copy"]
    )
    def test_says_that_nothing_is_there(self, root: Url, operation: str) -> None:
        """Every operation on what is missing raises one kind of error, which names the url."""
        (root / "other").write_bytes(b"")
        missing = root / "missing"
        call: dict[str, Callable[[], object]] = {
            "read": missing.read_bytes,
            "size": lambda: UrlAdapterRegistry.get_file_size(missing),
            "delete": missing.delete,
            "tree": lambda: UrlAdapterRegistry.delete_tree(missing),
            "list": lambda: UrlAdapterRegistry.list_dir(missing),
            "folders": lambda: UrlAdapterRegistry.list_folders(missing),
            "copy": lambda: UrlAdapterRegistry.copy_url(missing, root / "copy"),
        }
        assert not missing.exists()
        with pytest.raises(UrlNotFoundError, match="missing"):
            call[operation]()
        assert not (root / "copy").exists()

    def test_lists_a_folder_by_name(self, root: Url) -> None:
        """Files and folders are told apart; each entry leads back to what it names."""
        for name in ("b", "a", "c/d", "B"):
            (root / name).write_bytes(b"12345")
        entries = list(UrlAdapterRegistry.list_dir(root))
        assert [entry.name for entry in entries] == ["B", "a", "b", "c"]
        assert [entry.is_dir for entry in entries] == [False, False, False, True]
        assert all(Url(entry.path) == root / entry.name for entry in entries)
        assert all(entry.size in (5, None) for entry in entries if not entry.is_dir)
        assert UrlAdapterRegistry.list_folders(root) == ["c"]

    def test_makes_folders(self, root: Url) -> None:
        """A folder that was made is there, if the adapter has empty ones, and may be made again."""
        folder = root / "x" / "y"
        UrlAdapterRegistry.make_dirs(folder)
        UrlAdapterRegistry.make_dirs(folder)
        keeps = UrlAdapterRegistry.get(folder).keeps_empty_folders()
        assert UrlAdapterRegistry.is_dir(folder) == keeps
        if keeps:
            assert list(UrlAdapterRegistry.list_dir(folder)) == []

    def test_tells_files_from_folders(self, root: Url) -> None:
        """What is for files is refused for folders, and no file becomes a folder."""
        file = (root / "folder" / "file").write_bytes(b"")
        assert not UrlAdapterRegistry.is_dir(file)
        assert file.parent.exists()
        for call in (file.parent.delete, file.parent.read_bytes, (file / "a").read_bytes):
            with pytest.raises((UnsupportedOperationError, UrlNotFoundError)):
                call()
        if UrlAdapterRegistry.get(file).keeps_empty_folders():
            for below in (file / "a", file / "a" / "b"):
                with pytest.raises(UnsupportedOperationError):
                    below.write_bytes(b"")
        assert file.read_bytes() == b""

    def test_reads_parts(self, root: Url) -> None:
        """A part, or a file object that goes back and forth, gives the bytes of those places."""
        content = bytes(range(256)) * 2000
        url = (root / "a").write_bytes(content)
        for offset, length in ((0, 10), (300_000, 200_000), (511_990, 100), (512_000, 5)):
            part = UrlAdapterRegistry.read_range(url, offset, length)
            assert part == content[offset : offset + length]
        with UrlAdapterRegistry.open_binary(url) as file:
            assert file.seek(0, 2) == len(content)
            assert file.seek(-8, 2) == len(content) - 8
            assert file.read(20) == content[-8:]
            assert file.seek(1000) == file.tell() == 1000
            assert file.read(300_000) == content[1000:301_000]
            assert file.read() == content[301_000:]
            assert file.read(1) == b""
        with UrlAdapterRegistry.open_binary((root / "empty").write_bytes(b"")) as file:
            assert file.read() == b""
        with pytest.raises(UrlNotFoundError):
            UrlAdapterRegistry.open_binary(root / "missing")
        if UrlAdapterRegistry.entity_tag(url) is not None:
            with pytest.raises(UrlNotFoundError):
                UrlAdapterRegistry.entity_tag(root / "missing")

    def test_reads_many(self, root: Url) -> None:
        """Several files come in the order asked for; one that is missing costs only itself."""
        urls = [(root / f"{number}").write_bytes(b"%d" % number) for number in range(40)]
        found = UrlAdapterRegistry.read_many([*urls, root / "missing", urls[0]])
        assert found[:40] == [b"%d" % number for number in range(40)]
        assert isinstance(found[40], UrlNotFoundError)
        assert found[41] == b"0"

    def test_tags_change_with_the_content(self, root: Url) -> None:
        """An adapter that knows tags gives another one after the content has changed."""
        url = (root / "a").write_bytes(b"first")
        first = UrlAdapterRegistry.entity_tag(url)
        assert UrlAdapterRegistry.entity_tag(url) == first
        url.write_bytes(b"second, which is longer")
        assert first is None or UrlAdapterRegistry.entity_tag(url) != first

    def test_tells_the_size(self, root: Url) -> None:
        """The size is that of the content."""
        url = (root / "a").write_bytes(b"12345")
        assert UrlAdapterRegistry.get_file_size(url) == 5

    def test_deletes_a_file(self, root: Url) -> None:
        """Only the file goes."""
        for name in ("a", "ab"):
            (root / name).write_bytes(b"")
        (root / "a").delete()
        assert not (root / "a").exists()
        assert (root / "ab").exists()

    def test_deletes_a_tree(self, root: Url) -> None:
        """All below a folder goes, and nothing beside it."""
        for name in ("a/b/c", "a/d", "ab"):
            (root / name).write_bytes(b"")
        UrlAdapterRegistry.delete_tree(root / "a")
        assert not (root / "a").exists()
        files = [entry.name for entry in UrlAdapterRegistry.list_dir(root) if not entry.is_dir]
        assert files == ["ab"]

    def test_copies_a_file(self, root: Url) -> None:
        """A copy replaces what is there and leaves its source."""
        for name in ("from", "to/there"):
            (root / name).write_bytes(name.encode())
        UrlAdapterRegistry.copy_url(root / "from", root / "to/there")
        assert (root / "to/there").read_bytes() == (root / "from").read_bytes() == b"from"

    def test_copies_from_another_scheme(self, root: Url) -> None:
        """Adapters work together."""
        source = Url(f"memory://contract/{id(root)}").write_bytes(b"content")
        UrlAdapterRegistry.copy_url(source, root / "a")
        assert (root / "a").read_bytes() == b"content"
        source.delete()

    def test_lets_one_of_many_create(self, root: Url) -> None:
        """Of threads that create one file at once, one wins and its content stays."""
        for attempt in range(5):
            url = root / f"new-{attempt}" / "a"
            won = _at_once(partial(_create, url))
            assert sum(won) == 1
            assert url.read_bytes() == _content(won.index(True))

    def test_shows_a_file_whole_or_not_at_all(self, root: Url) -> None:
        """Readers never see a part of a file that is being replaced, nor anything beside it."""
        url = (root / "a").write_bytes(_content(0))
        whole = {_content(thread) for thread in range(_THREADS)}

        def act(thread: int) -> bool:
            for _ in range(10):
                if thread % 2:
                    url.write_bytes(_content(thread))
                elif url.read_bytes() not in whole:
                    return False
            return [entry.name for entry in UrlAdapterRegistry.list_dir(root)] == ["a"]

        assert all(_at_once(act))

    def test_appends_whole_records(self, root: Url) -> None:
        """Records of threads that append at once do not mix; an adapter without it says so."""
        url = root / "new" / "log"
        if not UrlAdapterRegistry.get(url).supports_append():
            with pytest.raises(UnsupportedOperationError):
                UrlAdapterRegistry.append_binary_content_to_url(url, b"")
            return
        records = [f"{thread}" * 1000 + "\n" for thread in range(_THREADS)]

        def act(thread: int) -> None:
            for _ in range(10):
                UrlAdapterRegistry.append_binary_content_to_url(url, records[thread].encode())

        _at_once(act)
        assert sorted(url.read().splitlines(keepends=True)) == sorted(records * 10)

    def test_finds_the_way_back(self, root: Url) -> None:
        """A relative url leads from its owner to the file, if the adapter wants relative urls."""
        url = (root / "images" / "a b.png").write_bytes(b"content")
        owner = root / "tables" / "t"
        stored = url.to_relative(owner)
        if UrlAdapterRegistry.get(root).supports_relativization():
            assert str(stored) == "../../images/a b.png"
        assert stored.to_absolute(owner).read_bytes() == b"content"


def _content(thread: int) -> bytes:
    return bytes([thread]) * 200_000


def _create(url: Url, thread: int) -> bool:
    try:
        UrlAdapterRegistry.create_binary_content_at_url(url, _content(thread))
    except UrlExistsError:
        return False
    return True


def _at_once(act: Callable[[int], T]) -> list[T]:
    barrier = Barrier(_THREADS)

    def start(thread: int) -> T:
        barrier.wait()
        return act(thread)

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(start, range(_THREADS)))
