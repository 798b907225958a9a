"""What the files of the AWS tools say: keys, region and endpoint of a profile."""

from __future__ import annotations

import importlib
import os
from configparser import ConfigParser
from configparser import Error as ParserError
from pathlib import Path
from typing import Any

from tlc.errors import ConfigurationError

__all__ = ["aws_profile"]

_OPTIONS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
    "region": "region",
    "endpoint_url": "endpoint",
}
_BY_BOTO3 = {"sso_session", "sso_start_url", "role_arn", "credential_process"}


def aws_profile() -> tuple[dict[str, str], Any]:
    """Return settings of a store, and what asks for its credentials if that is needed.

    The profile is that of ``AWS_PROFILE``, else ``default``. Keys in the environment stand above
    those in the files, and so does a region. A profile that signs in, takes a role or runs a
    program is left to `boto3`, which must be installed then.

    Raises:
        ConfigurationError: A file cannot be read, the profile that was asked for is missing, or it
            needs `boto3`, which is not installed.
    """
    name = os.environ.get("AWS_PROFILE", "default")
    options = _options(name)
    found = {_OPTIONS[key]: value for key, value in options.items() if key in _OPTIONS}
    if "AWS_REGION" in os.environ or "AWS_DEFAULT_REGION" in os.environ:
        found.pop("region", None)
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return {key: found[key] for key in ("region", "endpoint") if key in found}, None
    provider = None
    if "access_key_id" not in found and _BY_BOTO3 & set(options):
        provider = _provider(name)
    return found, provider


def _options(name: str) -> dict[str, str]:
    home = Path.home() / ".aws"
    files = {
        Path(os.environ.get("AWS_CONFIG_FILE", home / "config")): f"profile {name}",
        Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", home / "credentials")): name,
    }
    options: dict[str, str] = {}
    is_known = name == "default"
    for file, section in files.items():
        parser = ConfigParser(interpolation=None)
        try:
            parser.read(file.expanduser(), "utf-8")
        except (OSError, ParserError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{file} cannot be read: {error}") from error
        for each in (section, name):  # the default profile goes without the word
            if parser.has_section(each):
                options.update(parser.items(each))
                is_known = True
    if not is_known:
        raise ConfigurationError(
            f"The AWS profile {name!r}, which AWS_PROFILE names, is in none of the files "
            f"{', '.join(map(str, files))}."
        )
    return options


def _provider(name: str) -> Any:
    try:
        boto3 = importlib.import_module("boto3")
        auth = importlib.import_module("obstore.auth.boto3")
    except ImportError as error:
        raise ConfigurationError(
            f"The AWS profile {name!r} signs in in a way that needs boto3.",
            hint="pip install boto3, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        ) from error
    return auth.Boto3CredentialProvider(boto3.session.Session(profile_name=name))
