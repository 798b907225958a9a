"""The configuration file: where it is and what it says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tlc.configuration.options import FILE_KEYS, check_alias
from tlc.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ConfigurationFile", "file_path"]

_Stamp = tuple[str, int, int]


def file_path() -> str:
    """Return where the configuration file is, or would be."""
    if named := os.environ.get("TLC_CONFIG_FILE"):
        return os.path.expanduser(named)
    if folder := os.environ.get("TLC_DEFAULT_ROOT_DIR"):
        return os.path.join(os.path.expanduser(folder), "config.yaml")
    import platformdirs  # late: not needed by programs that name their files

    return os.path.join(platformdirs.user_config_dir("tlc"), "config.yaml")


class ConfigurationFile:
    """The content of the configuration file, read again whenever the file has changed."""

    def __init__(self) -> None:
        self._read: tuple[_Stamp, dict[str, object], dict[str, str]] | None = None

    def values(self) -> Mapping[str, object]:
        """Return the settings in the file, keyed as in `Option.keys`; empty if there is no file.

        Raises:
            ConfigurationError: The file that TLC_CONFIG_FILE names is missing, the file is not
                valid YAML, or it holds a key that is not known.
        """
        return self._content()[0]

    def aliases(self) -> Mapping[str, str]:
        """Return the aliases in the file: name -> path.

        Raises:
            ConfigurationError: As `values`, or an alias cannot be used.
        """
        return self._content()[1]

    def _content(self) -> tuple[dict[str, object], dict[str, str]]:
        path = file_path()
        stamp = _stamp(path)
        if stamp is None:
            return {}, {}
        if self._read is None or self._read[0] != stamp:
            values = dict(_flatten(_load(path), path))
            self._read = (stamp, values, _aliases(values.pop("aliases", None), path))
        return self._read[1:]


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        if os.environ.get("TLC_CONFIG_FILE"):
            raise ConfigurationError(
                f"TLC_CONFIG_FILE names a file that does not exist: {path}.",
                hint="Correct the variable, or unset it to use the default file.",
            ) from None
        return None
    return path, status.st_mtime_ns, status.st_size


def _load(path: str) -> dict[object, object]:
    import yaml  # late: most programs have no file

    try:
        with open(path, encoding="utf-8") as stream:
            content = yaml.safe_load(stream)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}.") from error
    return _mapping(content, path)


def _flatten(
    content: dict[object, object], path: str, above: str = ""
) -> Iterator[tuple[str, object]]:
    for name, value in content.items():
        key = f"{above}{name}"
        if key in FILE_KEYS:
            yield key, value
        elif any(known.startswith(f"{key}.") for known in FILE_KEYS):
            yield from _flatten(_mapping(value, f"{key!r} in {path}"), path, f"{key}.")
        else:
            raise ConfigurationError(
                f"{key!r} in {path} is not a setting.",
                hint=f"Settings are: {', '.join(sorted(FILE_KEYS))}.",
            )


def _aliases(content: object, path: str) -> dict[str, str]:
    aliases = _mapping(content, f"'aliases' in {path}")
    return {
        str(name): check_alias(name, place, f"'aliases.{name}' in {path}")
        for name, place in aliases.items()
    }


def _mapping(content: object, where: str) -> dict[object, object]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{where} holds no settings but {content!r}.", hint="Write lines of 'name: value'."
        )
    return content
