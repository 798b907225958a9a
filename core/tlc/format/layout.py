"""Where objects lie below a project root.

::

    <root>/<project>/datasets/<dataset>/tables/<table>/
    <root>/<project>/datasets/<dataset>/bulk_data/<table>/<column>/
    <root>/<project>/runs/<run>/
    <root>/<project>/runs/<run>/metrics/<name>/
    <root>/<project>/runs/<run>/bulk_data/<name>/<column>/
"""

from __future__ import annotations

from dataclasses import dataclass

from tlc import _session
from tlc.configuration import Configuration
from tlc.format.names import DEFAULT_DATASET, DEFAULT_PROJECT, DEFAULT_TABLE, check_name
from tlc.url import Url

DATASETS, TABLES, RUNS, METRICS, BULK_DATA = "datasets", "tables", "runs", "metrics", "bulk_data"


@dataclass(frozen=True)
class Place:
    """The names that a url of the layout is made of; empty where the url is not of the layout."""

    root: str = ""
    project: str = ""
    dataset: str = ""
    name: str = ""


def project_root(root_url: Url | str | None = None) -> Url:
    """Return the folder that holds the projects.

    Args:
        root_url: The answer, if given; else the active run's root, else the configured one.
    """
    if root_url is not None:
        return Url(root_url).to_absolute()
    active = _session.get_active()
    if active is not None:
        return Url(str(active.root_url))
    return Url(Configuration.instance().project_root_url).to_absolute()


def project_or_default(project_name: str | None) -> str:
    """Return `project_name`, else the active run's project, else the fallback, checked."""
    if project_name is None:
        active = _session.get_active()
        project_name = active.project_name if active is not None else DEFAULT_PROJECT
    return check_name(project_name, "project")


def tables_url(
    *,
    dataset_name: str | None = None,
    project_name: str | None = None,
    root_url: Url | str | None = None,
) -> Url:
    """Return the folder of a dataset's tables."""
    dataset = check_name(DEFAULT_DATASET if dataset_name is None else dataset_name, "dataset")
    project = project_or_default(project_name)
    return project_root(root_url) / project / DATASETS / dataset / TABLES


def table_url(
    table_name: str | None = None,
    dataset_name: str | None = None,
    project_name: str | None = None,
    root_url: Url | str | None = None,
) -> Url:
    """Return the url of a table; names that are not given are the fallback names.

    Raises:
        NameNotAllowedError: A name cannot be used.
    """
    name = check_name(DEFAULT_TABLE if table_name is None else table_name, "table")
    folder = tables_url(dataset_name=dataset_name, project_name=project_name, root_url=root_url)
    return folder / name


def url_beside(
    table: Url,
    table_name: str,
    dataset_name: str | None,
    project_name: str | None,
    root_url: Url | str | None,
) -> Url:
    """Return the url of a table; what is not given is as for `table`, or the fallback.

    Raises:
        NameNotAllowedError: A name cannot be used.
    """
    place = place_of(table)
    return table_url(
        table_name,
        (place.dataset or None) if dataset_name is None else dataset_name,
        (place.project or None) if project_name is None else project_name,
        (place.root or None) if root_url is None else root_url,
    )


def runs_url(project_name: str | None = None, root_url: Url | str | None = None) -> Url:
    """Return the folder of a project's runs."""
    return project_root(root_url) / project_or_default(project_name) / RUNS


def run_url(
    run_name: str, project_name: str | None = None, root_url: Url | str | None = None
) -> Url:
    """Return the url of a run.

    Raises:
        NameNotAllowedError: A name cannot be used.
    """
    return runs_url(project_name, root_url) / check_name(run_name, "run")


def place_of(url: Url) -> Place:
    """Read the names out of the url of a table, run or metrics table."""
    parts = url.to_str().rstrip("/").split("/")
    if parts[-2:-1] == [TABLES] and parts[-4:-3] == [DATASETS]:
        return Place("/".join(parts[:-5]), parts[-5], parts[-3], parts[-1])
    if parts[-2:-1] == [RUNS]:
        return Place("/".join(parts[:-3]), parts[-3], "", parts[-1])
    if parts[-2:-1] == [METRICS] and parts[-4:-3] == [RUNS]:
        return Place("/".join(parts[:-5]), parts[-5], "", parts[-1])
    return Place(name=parts[-1])


def bulk_folder(table: Url) -> Url:
    """Return the folder for the bulk data of a table: beside ``tables`` where the layout has it."""
    in_layout = bool(place_of(table).project)
    return table.parent.parent / BULK_DATA / table.name if in_layout else table / BULK_DATA
