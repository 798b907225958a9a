"""The options there are: their names, where they are set, which values they take."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tlc.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ALIAS_ENV",
    "CACHE_FOLDER",
    "CACHE_SIZE",
    "DISPLAY_PROGRESS",
    "DURABILITY",
    "EXPORTERS",
    "FILE_KEYS",
    "HANDLE_SIGTERM",
    "MAX_DECODED_BYTES",
    "MEDIA_CACHE_SIZE",
    "OPTIONS",
    "PROJECT_ROOT_URL",
    "Option",
    "check_alias",
]

T = TypeVar("T")

ALIAS_ENV = "TLC_ALIAS_"
"""Start of the environment variables that hold aliases."""

_ALIAS_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_FIXED_PLACE = re.compile(r"[/\\]|<[A-Z]|[A-Za-z]:[/\\]|[A-Za-z][A-Za-z0-9+.-]+://")
_CLASS_NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_FLAGS = {
    **dict.fromkeys(("true", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "no", "n", "off", "0"), False),
}


@dataclass(frozen=True)
class Option(Generic[T]):
    """One setting.

    Attributes:
        name: Name of the attribute of `Configuration`.
        env: Environment variable that sets it.
        keys: Where it may stand in the configuration file; a dot goes one level down.
        allowed: The values it takes, in words.
        read: Makes a value of what was written; None if it cannot be one.
        default: Makes the value it has when nobody sets it.
    """

    name: str
    env: str
    keys: tuple[str, ...]
    allowed: str
    read: Callable[[object], T | None]
    default: Callable[[], T]

    def parse(self, written: object, where: str) -> T:
        """Return the value that is meant by `written`.

        Raises:
            ConfigurationError: It is none; the message names `where` it was found.
        """
        value = self.read(written)
        if value is None:
            raise ConfigurationError(
                f"{where} has the value {written!r}.", hint=f"It takes {self.allowed}."
            )
        return value


def check_alias(name: object, path: object, where: str) -> str:
    """Return the path of an alias, with `~` replaced by the home folder.

    Raises:
        ConfigurationError: The name or the path cannot be used; the message names `where` it was
            found.
    """
    if not (isinstance(name, str) and _ALIAS_NAME.fullmatch(name)):
        raise ConfigurationError(
            f"{where} is not a name for an alias.",
            hint="Use capital letters, digits and underscores, a letter first.",
        )
    place = _read_place(path)
    if place is None or not _FIXED_PLACE.match(place):
        raise ConfigurationError(
            f"{where} has the value {path!r}.", hint="It takes an absolute path or url."
        )
    return place


def _read_place(written: object) -> str | None:
    return os.path.expanduser(written) if isinstance(written, str) and written else None


def _read_flag(written: object) -> bool | None:
    return _FLAGS.get(str(written).lower())


def _read_durability(written: object) -> str | None:
    return str(written) if written in ("commit", "os") else None


def _read_bytes(written: object) -> int | None:
    text = str(written).replace("_", "")
    return int(text) if text.isdecimal() else None


def _read_classes(written: object) -> str | None:
    names = written.split(",") if isinstance(written, str) else written
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return None
    stripped = [name.strip() for name in names if name.strip()]
    return ",".join(stripped) if all(map(_CLASS_NAME.fullmatch, stripped)) else None


def _default_cache_folder() -> str:
    import platformdirs  # late: few programs need the cache

    return platformdirs.user_cache_dir("tlc")


def _default_root() -> str:
    if folder := os.environ.get("TLC_DEFAULT_ROOT_DIR"):
        return os.path.join(os.path.expanduser(folder), "projects")
    import platformdirs  # late: most programs name their root

    return os.path.join(platformdirs.user_data_dir("tlc"), "projects")


PROJECT_ROOT_URL = Option(
    name="project_root_url",
    env="TLC_PROJECT_ROOT_URL",
    keys=("indexing.project-root-url", "project-root-url"),
    allowed="a path or url",
    read=_read_place,
    default=_default_root,
)
DISPLAY_PROGRESS = Option(
    name="display_progress",
    env="TLC_DISPLAY_PROGRESS",
    keys=("display-progress",),
    allowed="true or false",
    read=_read_flag,
    default=lambda: True,
)
DURABILITY = Option(
    name="durability",
    env="TLC_DURABILITY",
    keys=("durability",),
    allowed="'commit' or 'os'",
    read=_read_durability,
    default=lambda: "commit",
)

HANDLE_SIGTERM = Option(
    name="handle_sigterm",
    env="TLC_HANDLE_SIGTERM",
    keys=("handle-sigterm",),
    allowed="true or false",
    read=_read_flag,
    default=lambda: True,
)

MAX_DECODED_BYTES = Option(
    name="max_decoded_bytes",
    env="TLC_MAX_DECODED_BYTES",
    keys=("max-decoded-bytes",),
    allowed="a number of bytes",
    read=_read_bytes,
    default=lambda: 1 << 30,
)
CACHE_FOLDER = Option(
    name="cache_folder",
    env="TLC_CACHE_FOLDER",
    keys=("cache-folder",),
    allowed="a path",
    read=_read_place,
    default=_default_cache_folder,
)
CACHE_SIZE = Option(
    name="cache_size",
    env="TLC_CACHE_SIZE",
    keys=("cache-size",),
    allowed="a number of bytes",
    read=_read_bytes,
    default=lambda: 16 << 30,
)
MEDIA_CACHE_SIZE = Option(
    name="media_cache_size",
    env="TLC_MEDIA_CACHE_SIZE",
    keys=("media-cache-size",),
    allowed="a number of bytes",
    read=_read_bytes,
    default=lambda: 16 << 30,
)
EXPORTERS = Option(
    name="exporters",
    env="TLC_EXPORTERS",
    keys=("exporters",),
    allowed="a list of classes such as 'my_package.exporters:Xlsx', or a text with commas",
    read=_read_classes,
    default=str,
)

OPTIONS: tuple[Option[Any], ...] = (
    PROJECT_ROOT_URL,
    DISPLAY_PROGRESS,
    DURABILITY,
    HANDLE_SIGTERM,
    MAX_DECODED_BYTES,
    CACHE_FOLDER,
    CACHE_SIZE,
    MEDIA_CACHE_SIZE,
    EXPORTERS,
)
FILE_KEYS = frozenset({"aliases", *(key for option in OPTIONS for key in option.keys)})
