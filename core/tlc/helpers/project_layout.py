"""Where the objects of a project are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.format import layout
from tlc.format.publish import numbered, object_exists
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    import os

ALIASES_FILE = "default_aliases.yaml"


class ProjectLayout:
    """Urls of projects, datasets, tables and runs.

    A project or root that is not given is that of the active run, else the configured root and the
    fallback name. Names are checked, and nothing is created.
    """

    @staticmethod
    def project_url(*, project_name: str | None = None, root_url: Url | str | None = None) -> Url:
        """Return the folder of a project.

        Raises:
            NameNotAllowedError: The name cannot be used.
        """
        return layout.project_root(root_url) / layout.project_or_default(project_name)

    @staticmethod
    def datasets_url(*, project_name: str | None = None, root_url: Url | str | None = None) -> Url:
        """Return the folder of a project's datasets.

        Raises:
            NameNotAllowedError: The name cannot be used.
        """
        project = ProjectLayout.project_url(project_name=project_name, root_url=root_url)
        return project / layout.DATASETS

    @staticmethod
    def dataset_url(
        *,
        dataset_name: str,
        project_name: str | None = None,
        root_url: Url | str | None = None,
    ) -> Url:
        """Return the folder of a dataset.

        Raises:
            NameNotAllowedError: A name cannot be used.
        """
        return ProjectLayout.tables_url(
            dataset_name=dataset_name, project_name=project_name, root_url=root_url
        ).parent

    @staticmethod
    def tables_url(
        *,
        dataset_name: str,
        project_name: str | None = None,
        root_url: Url | str | None = None,
    ) -> Url:
        """Return the folder of a dataset's tables.

        Raises:
            NameNotAllowedError: A name cannot be used.
        """
        return layout.tables_url(
            dataset_name=dataset_name, project_name=project_name, root_url=root_url
        )

    @staticmethod
    def table_url(
        table_name: str,
        dataset_name: str | None = None,
        project_name: str | None = None,
        root_url: Url | str | None = None,
    ) -> Url:
        """Return the url of a table.

        Raises:
            NameNotAllowedError: A name cannot be used.
        """
        return layout.table_url(table_name, dataset_name, project_name, root_url)

    @staticmethod
    def runs_url(*, project_name: str | None = None, root_url: Url | str | None = None) -> Url:
        """Return the folder of a project's runs.

        Raises:
            NameNotAllowedError: The name cannot be used.
        """
        return layout.runs_url(project_name, root_url)

    @staticmethod
    def run_url(
        run_name: str, project_name: str | None = None, root_url: Url | str | None = None
    ) -> Url:
        """Return the url of a run.

        Raises:
            NameNotAllowedError: A name cannot be used.
        """
        return layout.run_url(run_name, project_name, root_url)

    @staticmethod
    def default_project_aliases_config_url(
        *, project_name: str | None = None, root_url: Url | str | None = None
    ) -> Url:
        """Return the url of the file with the aliases of a project. See `ProjectHelper`.

        Raises:
            NameNotAllowedError: The name cannot be used.
        """
        folder = ProjectLayout.project_url(project_name=project_name, root_url=root_url)
        return folder / ALIASES_FILE

    @staticmethod
    def create_unique_table_url(
        url: Url | str | os.PathLike[str], require_writable: bool = False
    ) -> Url:
        """Return `url`, or it with ``_0000`` and so on, where there is no table yet.

        Args:
            url: Url of a table.
            require_writable: Whether to take the configured root with the same names if nothing can
                be written there.

        Raises:
            ValueError: Nothing can be written there, and `url` is not of a project's layout.
        """
        place = Url(url).to_absolute()
        if require_writable and not _is_writable(place):
            names = layout.place_of(place)
            if not names.project:
                raise ValueError(f"Nothing can be written at {place}, nor is it in a project.")
            place = layout.table_url(names.name, names.dataset, names.project)
        return next(each for each in numbered(place) if not object_exists(each))


def _is_writable(table: Url) -> bool:
    """Whether a folder for a table can be made, as far as that can be told without doing so."""
    import os

    adapter, place = UrlAdapterRegistry.resolve(table)
    path = adapter.local_path(place)
    if path is None:
        return place.scheme not in ("http", "https")
    while not path.exists() and path != path.parent:
        path = path.parent
    return os.access(path, os.W_OK)
