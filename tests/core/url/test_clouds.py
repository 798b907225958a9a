"""How the clients of clouds are set up, and that they are not there before they are needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tlc.errors import (
    ConfigurationError,
    StorageError,
    StoragePermissionError,
    UnsupportedOperationError,
    UrlNotFoundError,
)
from tlc.url import Url, UrlAdapterRegistry, list_url_adapters, obstore_loading
from tlc.url.aws_profile import aws_profile


def test_nothing_of_the_network_is_loaded_before_a_store_is_used(tmp_path):
    program = (
        "import sys, tlc; tlc.Table.from_dict({'a': [1]}, root_url=sys.argv[1])[0]; "
        "from tlc.url import Url, list_url_adapters; list_url_adapters(); Url('s3://b/a').parent; "
        "loaded = {n.partition('.')[0] for n in sys.modules} & {'obstore', 'fsspec', 'aiohttp'}; "
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)


def test_the_schemes_are_known():
    known = {info["scheme"]: info for info in list_url_adapters()}
    assert {"s3", "gs", "abfs", "http", "https"} <= set(known)
    assert known["s3"]["source"] == "built-in"
    for written, meant in {
        "gcs://b/a": "gs://b/a",
        "s3a://b/a": "s3://b/a",
        "az://c/a": "abfs://c/a",
        "azure://c/a": "abfs://c/a",
        "abfss://c@x.dfs.core.windows.net/a": "abfs://c@x.dfs.core.windows.net/a",
    }.items():
        assert str(Url(written)) == meant


@pytest.fixture
def files(tmp_path, clean_environment):
    """Write the files of the AWS tools."""

    def write(config, credentials=""):
        (tmp_path / "no-config").write_text(config)
        (tmp_path / "no-credentials").write_text(credentials)
        return clean_environment

    return write


def test_keys_come_from_the_profile(files):
    environment = files(
        "[default]\nregion = eu-west-1\n[profile lab]\nregion = eu-north-1\n"
        "endpoint_url = https://lab.example\n",
        "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
        "[lab]\naws_access_key_id = C\naws_secret_access_key = D%\naws_session_token = E\n",
    )
    default = {"access_key_id": "A", "secret_access_key": "B", "region": "eu-west-1"}
    assert aws_profile() == (default, None)
    environment.setenv("AWS_PROFILE", "lab")
    assert aws_profile()[0] == {
        "access_key_id": "C",
        "secret_access_key": "D%",
        "session_token": "E",
        "region": "eu-north-1",
        "endpoint": "https://lab.example",
    }
    environment.setenv("AWS_REGION", "us-east-1")
    environment.setenv("AWS_ACCESS_KEY_ID", "X")
    assert aws_profile()[0] == {"endpoint": "https://lab.example"}


def test_what_is_wrong_with_a_profile_is_said(files):
    environment = files("[default]\nsso_session = work\n")
    environment.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigurationError, match="needs boto3"):
        aws_profile()
    environment.setenv("AWS_PROFILE", "missing")
    with pytest.raises(ConfigurationError, match="'missing'"):
        aws_profile()
    files("no section\n")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        aws_profile()


def test_without_files_there_is_no_profile(clean_environment):
    assert aws_profile() == ({}, None)


def test_wrong_keys_are_named_as_the_reason(s3_root, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoragePermissionError, match=r"refuses access to s3://.*docs/stores\.md"):
        (s3_root / "a").read_bytes()
    with pytest.raises(StoragePermissionError):
        UrlAdapterRegistry.create_binary_content_at_url(s3_root / "a", b"")


def test_a_missing_container_is_named(abfs_root):
    other = Url("abfs://not-there/a")
    with pytest.raises(UrlNotFoundError, match="bucket or container does not exist"):
        UrlAdapterRegistry.create_binary_content_at_url(other, b"")
    assert not other.exists()
    with pytest.raises(UrlNotFoundError):
        UrlAdapterRegistry.list_dir(other.parent)


def test_a_folder_is_no_object(s3_root):
    with pytest.raises(UrlNotFoundError):
        UrlAdapterRegistry.get_file_size(Url("s3://tlc"))
    (s3_root / "a").write_bytes(b"")
    assert UrlAdapterRegistry.is_dir(Url("s3://tlc"))
    assert s3_root.name in UrlAdapterRegistry.list_folders(Url("s3://tlc"))


def test_objects_are_copied_between_buckets_of_one_store(s3_root, seaweed):
    from urllib.request import Request, urlopen

    urlopen(Request(f"{seaweed[1]}/buckets/other/", method="POST")).close()
    source = (s3_root / "a").write_bytes(b"content")
    UrlAdapterRegistry.copy_url(source, Url("s3://other/b"))
    assert Url("s3://other/b").read_bytes() == b"content"


def test_an_account_may_stand_in_the_url(abfs_root, azurite):
    (abfs_root / "a").write_bytes(b"content")
    path = str(abfs_root).removeprefix("abfs://tlc")
    url = Url(f"abfss://tlc@devstoreaccount1.dfs.core.windows.net{path}/a")
    assert url.read_bytes() == b"content"  # the endpoint is still that of the environment
    with pytest.raises(ConfigurationError, match="does not name an account of Azure"):
        Url("abfs://tlc@devstoreaccount1.evil.example/a").read_bytes()


def test_a_connection_string_must_be_one(clean_environment):
    clean_environment.setenv("AZURE_STORAGE_CONNECTION_STRING", "nonsense")
    with pytest.raises(ConfigurationError, match="no connection string"):
        Url("abfs://c/a").read_bytes()


def test_errors_keep_signatures_to_themselves(clean_environment):
    secret = "sv=2024&sig=c2VjcmV0"
    clean_environment.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        f"AccountName=a;BlobEndpoint=http://127.0.0.1:9/a;SharedAccessSignature={secret};",
    )
    with pytest.raises(StorageError) as info:
        Url("abfs://c/a").read_bytes()
    assert "c2VjcmV0" not in str(info.value)


def test_where_a_fork_cannot_be_helped_it_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(obstore_loading, "_state", obstore_loading._State(forked=True))
    obstore_loading.importlib.import_module("obstore.store")
    loaded = {name: sys.modules[name] for name in sys.modules if name.startswith("obstore")}
    with pytest.raises(UnsupportedOperationError, match="forked"):
        obstore_loading.load_obstore()
    sys.modules.update(loaded)
