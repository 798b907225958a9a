"""Events where files cannot grow, and where the disk does not do what it should."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.common.waiting import wait_until

import tlc
from tlc._lifetime import keeper
from tlc.errors import StorageError, StorageFullError, StorageFullWarning, TlcWarning
from tlc.run import event_writer
from tlc.url import UrlAdapterRegistry
from tlc.url.disk import Disk, use_disk
from tlc.url.memory import MemoryUrlAdapter


class Objects(MemoryUrlAdapter):
    """Files that are written once and never grow; `fail` is called before and after each write."""

    def __init__(self):
        super().__init__()
        self.fail = lambda url, written: None

    def schemes(self):
        return ["objects"]

    def supports_append(self):
        return False

    def append_binary_content_to_url(self, url, content, *, durable=True):
        raise self._unsupported("append", url)

    def create_binary_content_at_url(self, url, content):
        self.fail(url, False)
        super().create_binary_content_at_url(url, content)
        self.fail(url, True)
        return url


@pytest.fixture
def store():
    UrlAdapterRegistry.register(Objects)
    yield UrlAdapterRegistry.get(tlc.Url("objects://x"))
    UrlAdapterRegistry.unregister("objects")


@pytest.fixture
def run(store):
    return tlc.Run.create(run_url="objects://bucket/run")


@pytest.fixture
def quick(monkeypatch):
    """Lets what waits be written at once, in place of some seconds later."""
    monkeypatch.setattr(event_writer, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(keeper, "TURN_SECONDS", 0.01)


def files(run):
    return [entry.name for entry in UrlAdapterRegistry.list_dir(run.url / "events" / run.id)]


def numbers(run):
    return [output["number"] for output in tlc.Run.from_url(run.url).state.outputs]


class TestWhereFilesCannotGrow:
    def test_frequent_values_share_a_file(self, run, quick):
        for number in range(1000):
            run.log({"number": number})
        wait_until(lambda: numbers(run) == list(range(1000)))
        assert len(files(run)) < 100

    def test_what_is_waited_for_is_there_at_once_with_all_before_it(self, run):
        for number in range(5):
            run.log({"number": number})
        assert numbers(run) == []
        run.set_parameters({"lr": 0.1})
        assert numbers(run) == list(range(5))
        assert tlc.Run.from_url(run.url).parameters == {"lr": 0.1}
        (file,) = files(run)
        assert file.endswith(".000000.jsonl")

    def test_many_parts_of_many_writers_keep_their_order(self, run):
        handles = [tlc.Run.from_url(run.url) for _ in range(3)]
        for number in range(30):
            handles[number % 3].set_parameters({"last": number})
            handles[number % 3].log({"number": number})
        for handle in handles:
            handle.set_parameters({"end": True})
        assert numbers(run) == list(range(30))
        assert run.parameters == {"last": 29, "end": True}
        assert len(files(run)) == 33

    @pytest.mark.parametrize("landed", [False, True])
    def test_an_answer_that_got_lost_loses_and_repeats_nothing(self, run, store, landed, quick):
        lost = []

        def fail(url, written):
            if url.name.endswith("jsonl") and written == landed and len(lost) < 3:
                lost.append(url)
                raise StorageError(f"{url} does not answer.", errno=errno.ETIMEDOUT)

        store.fail = fail
        run.log({"number": 0})
        with pytest.warns(TlcWarning, match="Logged events wait in memory"):
            wait_until(lambda: lost)
        run.log({"number": 1})
        wait_until(lambda: len(lost) == 3 and numbers(run) == [0, 1])
        run.log({"number": 2})
        run.set_parameters({"lr": 0.1})
        assert numbers(run) == [0, 1, 2]

    def test_what_is_waited_for_and_fails_is_told_and_not_written_later(self, run, store):
        def fail(url, written):
            raise StorageFullError("The bucket is full.")

        store.fail = fail
        run.log({"number": 0})
        with pytest.raises(StorageFullError):
            run.set_parameters({"lr": 0.1})
        store.fail = lambda url, written: None
        run.set_parameters({"lr": 0.2})
        assert numbers(run) == [0]
        assert run.parameters == {"lr": 0.2}
        kinds = [event.type for event in run._events.read()]
        assert kinds == ["output", "parameters"]

    def test_metrics_and_status(self, run):
        table = tlc.Table.from_dict({"n": [1, 2]}, root_url="objects://bucket/root")
        with tlc.MetricsTableWriter(run, table) as writer:
            writer.add_row({"example_id": 1, "loss": 0.5})
        run.set_status_completed()
        again = tlc.Run.from_url(run.url)
        assert again.status_name == "completed"
        assert again.metrics()["loss"].to_pylist() == [0.5]
        assert again.input_tables == [table.url]

    def test_a_run_is_copied_to_where_they_can(self, run, tmp_path):
        for number in range(3):
            run.log({"number": number})
            run.set_parameters({"number": number})
        copied = run.copy(destination_url=tmp_path / "copy")
        assert numbers(copied) == [0, 1, 2]
        assert copied.parameters == {"number": 2}


class BrokenDisk(Disk):
    """Refuses some calls; `refuse` gets the name of each."""

    def __init__(self, *refused):
        self.refused = list(refused)

    def _refuse(self, name, number=errno.EIO):
        if name in self.refused:
            self.refused.remove(name)
            raise OSError(number, os.strerror(number))

    def write(self, descriptor, data):
        if "half a write" in self.refused:
            self.refused.remove("half a write")
            return super().write(descriptor, data[: len(data) // 2])
        self._refuse("write", errno.ENOSPC)
        return super().write(descriptor, data)

    def sync(self, descriptor):
        self._refuse("sync")
        super().sync(descriptor)


class TestWhereTheDiskFails:
    @pytest.fixture
    def run(self, tmp_path):
        return tlc.Run.create(run_url=tmp_path / "run")

    @pytest.mark.parametrize("refused", [["write"], ["half a write"], ["write", "half a write"]])
    def test_logged_values_wait_for_it(self, run, refused):
        run.log({"number": 0})
        with use_disk(BrokenDisk(*refused)):
            with pytest.warns(StorageFullWarning, match="Logged events wait in memory"):
                run.log({"number": 1})
            for number in range(2, 5):
                run.log({"number": number})
        assert numbers(run) == list(range(5))

    def test_values_that_were_not_synced_are_written_again_and_count_once(self, run, quick):
        """A system tells once that it could not bring a file to the disk, and forgets it then."""
        run.set_parameters({"lr": 0.1})
        with use_disk(BrokenDisk("sync")):
            run.log({"number": 0})
            run.log({"number": 1})
            with pytest.warns(TlcWarning, match="Logged events wait in memory"):
                wait_until(lambda: len(files(run)) == 2)
        run.log({"number": 2})
        assert numbers(run) == [0, 1, 2]
        written = b"".join(path.read_bytes() for path in Path(str(run.url)).rglob("*.jsonl"))
        assert written.count(b'"number":') > 3

    def test_a_call_that_raises_wrote_nothing_that_counts_twice(self, run):
        run.log({"number": 0})
        with use_disk(BrokenDisk("sync")), pytest.raises(StorageError):
            run.set_parameters({"lr": 0.1})
        run.log({"number": 1})
        run.set_parameters({"lr": 0.2})
        assert numbers(run) == [0, 1]
        assert run.parameters == {"lr": 0.2}
