"""The adapters of S3, Google Cloud Storage and Azure: how each is set up from the environment.

An endpoint comes from the environment only, never from a url, which others may have written.
"""

from __future__ import annotations

import json
import os
from typing import Any

from tlc.errors import ConfigurationError
from tlc.url.aws_profile import aws_profile
from tlc.url.object_store import ObjectStoreUrlAdapter
from tlc.url.obstore_loading import load_obstore
from tlc.url.options import Scheme

__all__ = ["AbfsUrlAdapter", "GsUrlAdapter", "S3UrlAdapter"]

_AZURE_HOSTS = ("dfs.core.windows.net", "blob.core.windows.net")


class S3UrlAdapter(ObjectStoreUrlAdapter):
    """Objects in S3 and in stores that speak as it does: ``s3://bucket/key``."""

    settings = ("AWS_",)

    def schemes(self) -> list[str]:
        """Return ``["s3"]``."""
        return [Scheme.S3]

    def new_client(self, bucket: str, **options: Any) -> Any:
        """Return a client that takes its settings from the environment, then from the profile."""
        profile, provider = aws_profile()
        endpoint = _first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
        profile = profile if not endpoint else {**profile, "endpoint": endpoint}
        _allow_http(options, profile.get("endpoint"))
        return load_obstore().store.S3Store(
            bucket, config=profile, credential_provider=provider, **options
        )


class GsUrlAdapter(ObjectStoreUrlAdapter):
    """Objects in Google Cloud Storage: ``gs://bucket/key``."""

    settings = ("GOOGLE_", "STORAGE_EMULATOR_HOST")

    def schemes(self) -> list[str]:
        """Return ``["gs"]``."""
        return [Scheme.GS]

    def new_client(self, bucket: str, **options: Any) -> Any:
        """Return a client that takes its settings from the environment."""
        config: dict[str, Any] = {}
        emulator = _first("STORAGE_EMULATOR_HOST")
        if emulator:
            emulator = emulator if "://" in emulator else f"http://{emulator}"
            nobody = {"client_email": "", "private_key": "", "private_key_id": ""}
            nobody |= {"gcs_base_url": emulator.rstrip("/")}
            config["service_account_key"] = json.dumps({**nobody, "disable_oauth": True})
        _allow_http(options, emulator or _first("GOOGLE_BASE_URL"))
        return load_obstore().store.GCSStore(bucket, config=config, **options)


class AbfsUrlAdapter(ObjectStoreUrlAdapter):
    """Blobs in Azure: ``abfs://container/key``, or ``abfs://container@account.dfs...net/key``."""

    settings = ("AZURE_", "AZURITE_", "IDENTITY_", "MSI_")

    def schemes(self) -> list[str]:
        """Return ``["abfs"]``."""
        return [Scheme.ABFS]

    def new_client(self, bucket: str, **options: Any) -> Any:
        """Return a client that takes its settings from the environment.

        Raises:
            ConfigurationError: The url names an account in another place than Azure, or the
                connection string in the environment is none.
        """
        config = _connection_string()
        container, _, host = bucket.partition("@")
        account, _, place = host.partition(".")
        if host and place not in _AZURE_HOSTS:
            raise ConfigurationError(
                f"abfs://{bucket} does not name an account of Azure.",
                hint=f"write abfs://{container}@<account>.{_AZURE_HOSTS[0]}/...",
            )
        if account:
            config["account_name"] = account
        endpoint = config.get("endpoint") or _first("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
        _allow_http(options, endpoint)
        return load_obstore().store.AzureStore(container, config=config, **options)


_CONNECTION = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "BlobEndpoint": "endpoint",
    "SharedAccessSignature": "sas_key",
}


def _connection_string() -> dict[str, Any]:
    text = _first("AZURE_STORAGE_CONNECTION_STRING") or ""
    parts = [part.partition("=") for part in text.split(";") if part]
    if not all(value for _, _, value in parts):
        raise ConfigurationError(
            "AZURE_STORAGE_CONNECTION_STRING is no connection string.",
            hint="it reads AccountName=...;AccountKey=...;",
        )
    return {_CONNECTION[name]: value for name, _, value in parts if name in _CONNECTION}


def _allow_http(options: dict[str, Any], endpoint: str | None) -> None:
    if endpoint and endpoint.startswith("http://"):
        options["client_options"]["allow_http"] = True


def _first(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)
