"""Aliases: short names for the places of data, so that stored urls outlive a move."""

from __future__ import annotations

import os

from tlc.configuration import Configuration
from tlc.errors import AliasError, ConfigurationError
from tlc.url.text import has_alias
from tlc.url.url import Url

__all__ = [
    "get_alias_path",
    "get_registered_url_aliases",
    "register_url_alias",
    "unregister_url_alias",
]


def register_url_alias(token: str, path: str | os.PathLike[str], force: bool = True) -> None:
    """Set an alias for this process; it stands above one of that name in environment or file.

    Args:
        token: Its name, with or without the brackets: capital letters, digits, underscores.
        path: The place it stands for. May start with another alias.
        force: Whether to replace an alias of that name.

    Raises:
        AliasError: The name is not allowed, or the alias exists with another path and `force` is
            false.
    """
    name = _name(token)
    place = Url(os.path.expanduser(str(path)))
    text = str(place if has_alias(str(place)) else place.to_absolute())
    present = get_alias_path(name)
    if not force and present not in (None, text):
        raise AliasError(
            f"The alias <{name}> stands for {present} already.",
            hint="Pass force=True to replace it.",
        )
    try:
        Configuration.instance().set_alias(name, text)
    except ConfigurationError as error:
        raise AliasError(error.message, hint=error.hint) from error


def unregister_url_alias(token: str) -> None:
    """Remove an alias that `register_url_alias` has set.

    Args:
        token: Its name, with or without the brackets.

    Raises:
        AliasError: This process has set no such alias.
    """
    name = _name(token)
    if Configuration.instance().remove_alias(name):
        return
    elsewhere = get_alias_path(name) is not None
    raise AliasError(
        f"The alias <{name}> was not registered by this program.",
        hint="It is set in the environment or the configuration file: remove it there."
        if elsewhere
        else f"Registered aliases: {', '.join(get_registered_url_aliases()) or 'none'}.",
    )


def get_alias_path(token: str) -> str | None:
    """Return the place that an alias stands for, or None.

    Args:
        token: Its name, with or without the brackets.

    Raises:
        ConfigurationError: The environment or the file holds a bad alias.
    """
    return Configuration.instance().get_alias(_name(token))


def get_registered_url_aliases() -> dict[str, str]:
    """Return all aliases in force: ``"<NAME>"`` -> the place it stands for.

    Raises:
        ConfigurationError: The environment or the file holds a bad alias.
    """
    aliases = Configuration.instance().aliases
    return {f"<{name}>": path for name, path in sorted(aliases.items())}


def _name(token: str) -> str:
    return token[1:-1] if token.startswith("<") and token.endswith(">") else token
