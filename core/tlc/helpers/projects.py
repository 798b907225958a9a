"""What belongs to a project as a whole: its aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tlc.errors import ConfigurationError, UrlNotFoundError
from tlc.helpers.project_layout import ProjectLayout
from tlc.url import Url, register_url_alias

if TYPE_CHECKING:
    import os


class ProjectHelper:
    """Keeps aliases beside the data of a project, so that all who use it can have them."""

    @staticmethod
    def register_project_url_alias(
        token: str,
        path: str | os.PathLike[str],
        force: bool = True,
        *,
        project_name: str | None = None,
        root_url: Url | str | None = None,
    ) -> None:
        """Set an alias for this process, and write it into the file of a project's aliases.

        Args:
            token: Its name, with or without the brackets.
            path: The place it stands for.
            force: Whether to replace an alias of that name.
            project_name: The project; as of `ProjectLayout` if not given.
            root_url: Folder that holds the project.

        Raises:
            AliasError: The name is not allowed, or the alias stands for another path and `force` is
                false.
            ConfigurationError: The file of aliases is damaged.
        """
        url = ProjectLayout.default_project_aliases_config_url(
            project_name=project_name, root_url=root_url
        )
        known = _read(url)
        register_url_alias(token, path, force)
        name = token.strip("<>")
        text = str(path) if "<" in str(path) else str(Url(path).to_absolute())
        content = yaml.safe_dump({"aliases": {**known, name: text}}, allow_unicode=True)
        url.write_bytes(content.encode())

    @staticmethod
    def load_project_url_aliases(
        *, project_name: str | None = None, root_url: Url | str | None = None
    ) -> dict[str, str]:
        """Set the aliases of a project for this process, unless they are set already.

        Returns:
            What the file of the project holds: name -> path.

        Raises:
            AliasError: A name is not allowed.
            ConfigurationError: The file of aliases is damaged.
        """
        from tlc.url import get_registered_url_aliases

        url = ProjectLayout.default_project_aliases_config_url(
            project_name=project_name, root_url=root_url
        )
        known, present = _read(url), get_registered_url_aliases()
        for name, path in known.items():
            if f"<{name}>" not in present and name not in present:
                register_url_alias(name, path)
        return known


def _read(url: Url) -> dict[str, str]:
    try:
        content = yaml.safe_load(url.read_bytes())
    except UrlNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise ConfigurationError(f"The aliases in {url} cannot be read: {error}.") from error
    aliases = content.get("aliases", {}) if isinstance(content, dict) else None
    if not isinstance(aliases, dict):
        raise ConfigurationError(
            f"{url} is no file of aliases.", hint="It has an entry 'aliases' with name: path."
        )
    return {str(name): str(path) for name, path in aliases.items()}
