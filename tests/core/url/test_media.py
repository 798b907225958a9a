"""Images in a store: fetched at once for a batch, kept here, read in forked workers."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

import tlc
from tlc.configuration import Configuration
from tlc.errors import ImageReadError
from tlc.sample_types import ExternalSampleType, register_sample_type, registry
from tlc.schemas import ImageSchema, StringSchema
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.clouds import S3UrlAdapter

COUNT = 24


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TLC_CACHE_FOLDER", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def requests(monkeypatch):
    """What is asked of the store, by this process."""
    asked = []
    changed, whole = S3UrlAdapter.read_if_changed, S3UrlAdapter.read_binary_content_from_url

    def read_if_changed(self, url, tag):
        content, tag = changed(self, url, tag)
        asked.append("unchanged" if content is None else "fetched")
        return content, tag

    def read(self, url):
        asked.append("read")
        return whole(self, url)

    monkeypatch.setattr(S3UrlAdapter, "read_if_changed", read_if_changed)
    monkeypatch.setattr(S3UrlAdapter, "read_binary_content_from_url", read)
    return asked


def png(value):
    buffer = io.BytesIO()
    Image.fromarray(np.full((3, 4, 3), value, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def table(s3_root, tmp_path):
    """A local table whose images lie in a store, where somebody else has put them."""
    urls = [(s3_root / f"images/{n}.png").write_bytes(png(n)) for n in range(COUNT)]
    return tlc.Table.from_dict(
        {"image": [str(url) for url in urls]},
        schema={"image": ImageSchema()},
        root_url=str(tmp_path / "projects"),
    )


def values(samples):
    return [int(np.asarray(sample["image"])[0, 0, 0]) for sample in samples]


def test_images_are_fetched_once_and_asked_for_again(table, requests):
    assert values(table.__getitems__(range(COUNT))) == list(range(COUNT))
    assert requests == ["fetched"] * COUNT
    requests.clear()
    assert values(table) == list(range(COUNT))
    assert requests == ["unchanged"] * COUNT


def test_a_changed_image_is_fetched_again(table, requests):
    table.__getitems__(range(COUNT))
    Url(table.table_rows[5]["image"]).write_bytes(png(99))
    requests.clear()
    assert values(table.__getitems__([4, 5, 5]))[1:] == [99, 99]
    assert sorted(requests) == ["fetched", "unchanged"]  # each file once in a batch


def test_images_that_tlc_wrote_are_not_even_asked_for(s3_root, requests):
    images = [Image.fromarray(np.full((3, 4, 3), n, np.uint8)) for n in range(COUNT)]
    table = tlc.Table.from_dict(
        {"image": images}, schema={"image": ImageSchema()}, root_url=str(s3_root)
    )
    assert values(table.__getitems__(range(COUNT))) == list(range(COUNT))
    requests.clear()
    assert values(table) == list(range(COUNT))
    assert requests == []


def test_without_a_cache_nothing_is_kept(table, requests, cache):
    Configuration.instance().media_cache_size = 0
    assert values(table.__getitems__([0, 1])) == values(table.__getitems__([0, 1])) == [0, 1]
    assert requests == ["read"] * 4
    assert not (cache / "media-1").exists()


def test_sample_types_of_others_profit(s3_root, requests, monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))

    @register_sample_type("test_text_file")
    class TextFile(ExternalSampleType):
        def save(self, sample, url):
            raise NotImplementedError

        def load(self, url):
            return url.read_bytes().decode()

    urls = [(s3_root / f"{n}.txt").write_bytes(b"%d" % n) for n in range(8)]
    schema = StringSchema(string_role="URL/Text", sample_type="test_text_file")
    table = tlc.Table.from_dict({"text": list(map(str, urls))}, {"text": schema})
    assert [sample["text"] for sample in table.__getitems__(range(8))] == list("01234567")
    assert requests == ["fetched"] * 8


def test_an_image_that_is_missing_costs_only_itself(table):
    Url(table.table_rows[3]["image"]).delete()
    assert values(table.__getitems__([1, 2])) == [1, 2]
    with pytest.raises(ImageReadError, match=r"Row 3, column 'image'.*3\.png"):
        table.__getitems__([1, 2, 3])


def test_images_of_this_machine_take_no_detour(tmp_path, monkeypatch, cache):
    def refuse(*arguments):
        raise AssertionError("files of this machine are not cached")

    paths = []
    for number in range(8):
        paths.append(str(tmp_path / f"{number}.png"))
        Url(paths[-1]).write_bytes(png(number))
    table = tlc.Table.from_dict({"image": paths}, schema={"image": ImageSchema()})
    monkeypatch.setattr("tlc.url.media._read", refuse)
    monkeypatch.setattr("concurrent.futures.ThreadPoolExecutor", refuse)
    assert values(table.__getitems__(range(8))) == list(range(8))
    assert not cache.exists()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read_from_the_store(table, method):
    assert table[0]["image"].size == (4, 3)  # the parent has used the store before it forks
    view = table.with_transform(read_value)
    loader = torch.utils.data.DataLoader(
        view, batch_size=5, num_workers=2, multiprocessing_context=method
    )
    assert [int(value) for batch in loader for value in batch] == list(range(COUNT))
    assert UrlAdapterRegistry.read_range(Url(table.table_rows[0]["image"]), 1, 3) == b"PNG"


def read_value(sample):
    return int(np.asarray(sample["image"])[0, 0, 0])
