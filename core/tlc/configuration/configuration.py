"""`Configuration`: the settings in force, and where each comes from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from tlc.configuration.file import ConfigurationFile, file_path
from tlc.configuration.options import (
    ALIAS_ENV,
    CACHE_FOLDER,
    CACHE_SIZE,
    DISPLAY_PROGRESS,
    DURABILITY,
    EXPORTERS,
    HANDLE_SIGTERM,
    MAX_DECODED_BYTES,
    MEDIA_CACHE_SIZE,
    OPTIONS,
    PROJECT_ROOT_URL,
    Option,
    check_alias,
)
from tlc.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Configuration", "OptionInfo", "Source"]

T = TypeVar("T")

Source = Literal["default", "file", "environment", "api"]
"""Where a value comes from; each stands above those before it."""


@dataclass(frozen=True)
class OptionInfo:
    """One setting in force.

    Attributes:
        name: Name of the option; ``aliases.<NAME>`` for an alias.
        value: Its value.
        source: Where the value comes from.
        env: Environment variable that can set it.
    """

    name: str
    value: str | bool | int
    source: Source
    env: str


class Configuration:
    """The settings of this process: use the one that `Configuration.instance()` returns.

    What the program sets stands above the environment, that above the configuration file, that
    above the defaults. Each access looks again, so a change of environment or file counts at once.
    """

    _instance: ClassVar[Configuration]

    def __init__(self) -> None:
        self._set: dict[str, Any] = {}
        self._aliases: dict[str, str] = {}
        self._file = ConfigurationFile()

    @classmethod
    def instance(cls) -> Configuration:
        """Return the configuration of the process."""
        return cls._instance

    @property
    def file_path(self) -> str:
        """Where the configuration file is, or would be."""
        return file_path()

    @property
    def project_root_url(self) -> str:
        """Folder that holds the projects; any path or url can be assigned.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return self._find(PROJECT_ROOT_URL)[0]

    @project_root_url.setter
    def project_root_url(self, url: object) -> None:
        self._assign(PROJECT_ROOT_URL, str(url))

    @property
    def display_progress(self) -> bool:
        """Whether progress bars are shown.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return self._find(DISPLAY_PROGRESS)[0]

    @display_progress.setter
    def display_progress(self, shown: bool) -> None:
        self._assign(DISPLAY_PROGRESS, shown)

    @property
    def durability(self) -> Literal["commit", "os"]:
        """What a write waits for.

        ``"commit"``: what was written is on the disk and outlives a power cut. ``"os"``: the
        operating system has it; a power cut may lose the last seconds, but damages nothing.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return cast('Literal["commit", "os"]', self._find(DURABILITY)[0])

    @durability.setter
    def durability(self, durability: Literal["commit", "os"]) -> None:
        self._assign(DURABILITY, durability)

    @property
    def handle_sigterm(self) -> bool:
        """Whether SIGTERM lets open writers and runs be saved before it ends the process.

        Only in place of the system's default action; a handler of the program is left alone.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return self._find(HANDLE_SIGTERM)[0]

    @handle_sigterm.setter
    def handle_sigterm(self, handled: bool) -> None:
        self._assign(HANDLE_SIGTERM, handled)

    @property
    def max_decoded_bytes(self) -> int:
        """The most bytes that a column of one row group of a Parquet file may decode to.

        A file that wants more is refused: small files can be made that fill all memory. 16 MiB are
        allowed always.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return self._find(MAX_DECODED_BYTES)[0]

    @max_decoded_bytes.setter
    def max_decoded_bytes(self, count: int) -> None:
        self._assign(MAX_DECODED_BYTES, count)

    @property
    def cache_folder(self) -> str:
        """Local folder for what can be made again, such as decoded columns; any path.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return self._find(CACHE_FOLDER)[0]

    @cache_folder.setter
    def cache_folder(self, folder: object) -> None:
        self._assign(CACHE_FOLDER, str(folder))

    @property
    def cache_size(self) -> int:
        """The most bytes of decoded columns in `cache_folder`; 0 for no cache.

        What was not used for the longest time is removed first.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return self._find(CACHE_SIZE)[0]

    @cache_size.setter
    def cache_size(self, count: int) -> None:
        self._assign(CACHE_SIZE, count)

    @property
    def media_cache_size(self) -> int:
        """The most bytes of remote images and other media in `cache_folder`; 0 for no cache.

        What was not used for the longest time is removed first.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return self._find(MEDIA_CACHE_SIZE)[0]

    @media_cache_size.setter
    def media_cache_size(self, count: int) -> None:
        self._assign(MEDIA_CACHE_SIZE, count)

    @property
    def exporters(self) -> list[str]:
        """Exporters to offer beside those of `tlc` and of packages: ``module:class`` each.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        return [name for name in self._find(EXPORTERS)[0].split(",") if name]

    @exporters.setter
    def exporters(self, classes: Sequence[str]) -> None:
        self._assign(EXPORTERS, list(classes))

    @property
    def aliases(self) -> dict[str, str]:
        """The aliases in force: name without brackets -> path.

        Raises:
            ConfigurationError: The environment or the file holds a bad alias.
        """
        return {name: path for name, (path, _) in self._find_aliases().items()}

    def get_alias(self, name: str) -> str | None:
        """Return the path of an alias, or None. Cheaper than asking for all.

        Raises:
            ConfigurationError: The environment or the file holds a bad alias.
        """
        if path := self._aliases.get(name):
            return path
        variable = f"{ALIAS_ENV}{name}"
        if path := os.environ.get(variable):
            return check_alias(name, path, variable)
        return self._file.aliases().get(name)

    def set_alias(self, name: str, path: str) -> None:
        """Set an alias in the program.

        Raises:
            ConfigurationError: The name is not allowed, or the path is not absolute.
        """
        self._aliases[name] = check_alias(name, path, f"The alias {name!r}")

    def remove_alias(self, name: str) -> bool:
        """Forget an alias that the program has set; return whether there was one."""
        return self._aliases.pop(name, None) is not None

    def reset(self) -> None:
        """Forget all that the program has set."""
        self._set.clear()
        self._aliases.clear()

    def describe(self) -> list[OptionInfo]:
        """Return all settings in force and where they come from, aliases last.

        Raises:
            ConfigurationError: The environment or the file holds a bad value.
        """
        options = [OptionInfo(each.name, *self._find(each), each.env) for each in OPTIONS]
        return options + [
            OptionInfo(f"aliases.{name}", path, source, f"{ALIAS_ENV}{name}")
            for name, (path, source) in sorted(self._find_aliases().items())
        ]

    def _assign(self, option: Option[T], value: object) -> None:
        self._set[option.name] = option.parse(value, f"Configuration.{option.name}")

    def _find(self, option: Option[T]) -> tuple[T, Source]:
        if option.name in self._set:
            return self._set[option.name], "api"
        if written := os.environ.get(option.env):
            return option.parse(written, option.env), "environment"
        values = self._file.values()
        if keys := [key for key in option.keys if key in values]:
            return self._from_file(option, keys, values[keys[0]]), "file"
        return option.default(), "default"

    def _from_file(self, option: Option[T], keys: list[str], written: object) -> T:
        if len(keys) > 1:
            raise ConfigurationError(
                f"{self.file_path} says the same twice: {' and '.join(keys)}.",
                hint="Remove one of them.",
            )
        return option.parse(written, f"{keys[0]!r} in {self.file_path}")

    def _find_aliases(self) -> dict[str, tuple[str, Source]]:
        found: dict[str, tuple[str, Source]] = {
            name: (path, "file") for name, path in self._file.aliases().items()
        }
        for variable in os.environ:
            if variable.startswith(ALIAS_ENV) and (path := os.environ[variable]):
                name = variable.removeprefix(ALIAS_ENV)
                found[name] = (check_alias(name, path, variable), "environment")
        found.update({name: (path, "api") for name, path in self._aliases.items()})
        return found


Configuration._instance = Configuration()
