from pathlib import Path

import pytest

import tlc.url
from tlc.schemas import ImageSchema, UrlSchema, VideoUrlSchema
from tlc.url import Url


@pytest.fixture
def data(tmp_path):
    tlc.url.register_url_alias("DATA_OF_TEST", str(tmp_path))
    yield tmp_path
    tlc.url.unregister_url_alias("DATA_OF_TEST")


@pytest.fixture(params=[UrlSchema(), VideoUrlSchema(), ImageSchema("url"), ImageSchema(None)])
def sample_type(request):
    return request.param.resolved_sample_type


def test_strings_stay_and_paths_get_aliases(sample_type, data):
    path = str(data / "a.png")
    assert sample_type.as_row(path, None) == path
    for value in (Path(path), Url(path)):
        assert sample_type.accepts(value)
        assert sample_type.as_row(value, None) == "<DATA_OF_TEST>/a.png"


def test_aliases_are_expanded_in_samples(sample_type, data):
    assert sample_type.from_row("<DATA_OF_TEST>/a.png") == str(data / "a.png")


def test_an_alias_given_is_kept(sample_type, data):
    for value in ("<DATA_OF_TEST>/a.png", Url("<DATA_OF_TEST>/a.png")):
        assert sample_type.as_row(value, None) == "<DATA_OF_TEST>/a.png"


def test_relative_urls_start_at_the_working_directory(sample_type, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in ("a b.png", Path("a b.png"), Url("a b.png")):
        assert sample_type.as_row(value, None) == str(tmp_path / "a b.png")


@pytest.mark.parametrize("url", ["https://host/a.png?b=1", "s3://bucket/c", "memory://d/e", ""])
def test_other_schemes_stay(sample_type, url):
    assert not sample_type.accepts(url)
    assert sample_type.from_row(url) == url
