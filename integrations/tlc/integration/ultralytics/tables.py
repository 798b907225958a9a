"""Tables of the data sets that `ultralytics` reads."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlc.errors import ObjectNotFoundError, OptionError, TlcWarning
from tlc.importers.yaml_text import read_yaml
from tlc.integration.ultralytics._package import framework
from tlc.table import Table
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tlc.integration.ultralytics.settings import Settings

__all__ = ["create_tables_from_yaml_file", "tables_of"]

TABLE_NAME = "initial"
_SUFFIX = "-YOLO"
_PREFIX = "3LC://"
_LATEST = ":latest"


def create_tables_from_yaml_file(
    yaml: str,
    task: str = "detect",
    project_name: str | None = None,
    splits: Sequence[str] | None = None,
) -> dict[str, Table]:
    """Make tables of the splits of a data set, or find those that were made before.

    The table of a split is called ``initial``, in the data set of its name. Of a table that is
    there already the newest revision is returned. Labels that are wrong are left out, as
    `ultralytics` does it, with a warning that counts them.

    Args:
        yaml: The YAML file of a data set, or for classification its folder, as `ultralytics` finds
            them.
        task: The task.
        project_name: The project; the name of the file and ``-YOLO`` if None.
        splits: Names of the splits; all of ``"train"``, ``"val"`` and ``"test"`` that there are if
            None.

    Returns:
        Tables by the name of their split.

    Raises:
        OptionError: The data set has no such split, or it is a file that has tables otherwise.
    """
    _check_readable(yaml)
    project = project_name or f"{Path(yaml).stem}{_SUFFIX}"
    known = _found(project, splits) if splits else {}
    missing = None if splits is None else [name for name in splits if name not in known]
    if missing == []:
        return known
    description = _description(yaml, task)
    names = missing or [name for name in ("train", "val", "test") if description.get(name)]
    made = {}
    for name in splits or names:
        found = known.get(name) or _found(project, [name]).get(name)
        made[name] = found or _made(description, yaml, name, task, project)
    return made


def tables_of(
    tables: Mapping[str, Table | Url | str] | None,
    data: Any,
    task: str,
    settings: Settings,
    wanted: Sequence[str],
) -> dict[str, Table]:
    """Return the tables that a user means.

    Args:
        tables: Tables or urls by the name of their split; None for `data`.
        data: What the framework's ``data`` is: a YAML file, a folder, or ``"3LC://"`` and a file
            with urls of tables.
        task: The task.
        settings: They may name a project.
        wanted: Names of the splits that are needed of `data`.

    Raises:
        OptionError: There is neither, or a split is missing.
    """
    if tables is not None:
        return {name: _opened(each) for name, each in tables.items()}
    if data is None:
        raise OptionError("There are no data.", hint='give tables={"train": ..., "val": ...}.')
    if isinstance(data, list | tuple | dict):
        raise OptionError(
            f"data is of type {type(data).__name__!r}.", hint="give one file, or tables=."
        )
    text = str(data)
    if text.startswith(_PREFIX):
        found = _tables_in(text.removeprefix(_PREFIX))
        return {name: found[name] for name in found if name in wanted} or found
    return create_tables_from_yaml_file(text, task, settings.project_name, list(wanted))


def _tables_in(file: str) -> dict[str, Table]:
    """Return the tables of a file that maps splits to their urls."""
    content = read_yaml(Url(file).to_absolute().read_bytes(), file)
    if not content or not all(isinstance(each, str) for each in content.values()):
        raise OptionError(
            f"{file} is no mapping of splits to urls of tables.", hint="train: /path/to/table"
        )
    return {str(name): _opened(url, Url(file).to_absolute()) for name, url in content.items()}


def _opened(table: Table | Url | str, owner: Url | None = None) -> Table:
    if isinstance(table, Table):
        return table
    text = str(getattr(table, "url", table))
    is_latest = text.endswith(_LATEST)
    url = Url(text.removesuffix(_LATEST)).to_absolute(owner)
    found = Table.from_url(url)
    return found.latest() if is_latest else found


def _check_readable(yaml: str) -> None:
    if yaml.lower().endswith(".ndjson"):
        raise OptionError(
            f"{yaml}: data in NDJSON are not read in passing.",
            hint="make tables with Table.from_yolo_ndjson(...), and give tables=.",
        )


def _found(project: str, splits: Sequence[str]) -> dict[str, Table]:
    found = {}
    for name in splits:
        try:
            found[name] = Table.from_names(TABLE_NAME, name, project).latest()
        except ObjectNotFoundError:
            continue
    return found


def _description(yaml: str, task: str) -> dict[str, Any]:
    """Return where a data set is, as the framework finds it."""
    utilities = framework("data.utils")
    check = utilities.check_cls_dataset if task == "classify" else utilities.check_det_dataset
    found: dict[str, Any] = check(yaml)
    return found


def _made(description: dict[str, Any], yaml: str, name: str, task: str, project: str) -> Table:
    place = description.get(name)
    if not place:
        raise OptionError(f"{yaml} has no split {name!r}.")
    options: dict[str, Any] = {
        "table_name": TABLE_NAME,
        "dataset_name": name,
        "project_name": project,
        "if_exists": "reuse",
    }
    if task == "classify":
        return Table.from_image_folder(str(place), **options)
    places = [place] if isinstance(place, str | Path) else list(place)
    file = str(description.get("yaml_file", yaml))
    table = Table.from_yolo(
        file, name, override_split_path=places, task=task, on_error="skip", **options
    )
    _warn_of_problems(table)
    return table


def _warn_of_problems(table: Table) -> None:
    report = table.import_report
    if report is not None and report.skipped:
        warnings.warn(
            f"{report.skipped} labels or images were wrong, and are not in {table.url}: "
            f"{dict(report.counts)}. table.import_report tells more.",
            TlcWarning,
            stacklevel=4,
        )
