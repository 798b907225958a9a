"""The run: one experiment, on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from tlc.configuration import Configuration
from tlc.errors import MetricsError, ObjectNotFoundError
from tlc.format import layout
from tlc.format.layout import place_of
from tlc.format.manifest import MANIFEST, RunManifest, read
from tlc.format.publish import check_option
from tlc.run.analysis import Metrics
from tlc.run.compare import Comparable
from tlc.run.creating import create_run
from tlc.run.metrics_folders import linked_tables
from tlc.run.status import HasStatus
from tlc.table import Table, TableView
from tlc.url import Url


class Run(Comparable, HasStatus):
    """An experiment: parameters, logged values, input tables and metrics tables.

    Runs come from `tlc.init`, `Run.from_url` or `Run.from_names`. All that a run accepts is on disk
    when the call returns, and any number of processes may write to one run.
    """

    def __init__(self, url: Url, manifest: RunManifest) -> None:
        super().__init__(url, manifest.id)
        self._manifest = manifest

    @classmethod
    def create(
        cls,
        project_name: str | None = None,
        run_name: str | None = None,
        *,
        description: str | None = "",
        if_exists: str = "rename",
        root_url: Url | str | None = None,
        run_url: Url | str | None = None,
    ) -> Self:
        """Make a run without making it the active one; see `tlc.init` for the arguments.

        Raises:
            ObjectExistsError: There is such a run, and `if_exists` is ``"raise"``.
            NameNotAllowedError: A name cannot be used.
        """
        check_option(if_exists)
        if run_url:
            wanted = Url(run_url).to_absolute()
        else:
            name = run_name or datetime.now(UTC).strftime("run-%Y%m%d-%H%M%S")
            wanted = layout.run_url(name, project_name, root_url)
            if_exists = if_exists if run_name else "rename"
        run = cls(*create_run(wanted, if_exists, description or ""))
        if description and description != run.description:
            run.description = description
        return run

    @classmethod
    def from_url(cls, url: Url | str) -> Self:
        """Open a run that is on disk; the active run stays what it is.

        Raises:
            ObjectNotFoundError: There is nothing at `url` (a FileNotFoundError).
            ObjectKindError: What is there is no run (a ValueError).
            CorruptObjectError: The run's manifest is damaged.
        """
        folder = Url(url).to_absolute()
        if folder.name == MANIFEST:
            folder = folder.parent
        return cls(folder, read(folder, RunManifest))

    @classmethod
    def from_names(
        cls,
        project_name: str | None = None,
        run_name: str | None = None,
        root_url: Url | str | None = None,
    ) -> Self:
        """Open a run that is on disk by its names.

        Raises:
            ObjectNotFoundError: There is no such run.
        """
        if run_name is None:
            raise ObjectNotFoundError("No run was named.", hint="pass run_name=.")
        return cls.from_url(layout.run_url(run_name, project_name, root_url))

    @property
    def url(self) -> Url:
        """The run's folder, absolute."""
        return self._url

    @property
    def id(self) -> str:
        """The run's identity, a UUID."""
        return self._manifest.id

    @property
    def name(self) -> str:
        """The last part of the url."""
        return self._url.name

    @property
    def project_name(self) -> str:
        """The project that the run belongs to; empty outside the usual layout."""
        return place_of(self._url).project

    @property
    def root_url(self) -> Url:
        """The folder that holds the project; the configured one for a run outside the layout."""
        root = place_of(self._url).root or Configuration.instance().project_root_url
        return Url(root).to_absolute()

    @property
    def created(self) -> str:
        """When the run was made: UTC, ISO 8601."""
        return self._manifest.created

    @property
    def last_modified(self) -> str:
        """When the run last changed: UTC, ISO 8601."""
        return self.state.last_modified or self.created

    @property
    def description(self) -> str:
        """What the run is about."""
        changed = self.state.description
        return self._manifest.description if changed is None else changed

    @description.setter
    def description(self, description: str) -> None:
        self._events.append("description", {"description": description})

    @property
    def parameters(self) -> dict[str, Any]:
        """The hyperparameters."""
        return self.state.parameters

    @property
    def constants(self) -> dict[str, Any]:
        """``parameters``, ``inputs`` and ``outputs`` in one dict."""
        state = self.state
        return {"parameters": state.parameters, "inputs": state.inputs, "outputs": state.outputs}

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Add hyperparameters, or change those of the same name.

        Raises:
            MetricsError: `parameters` is no dict. Its values may be anything.
        """
        self._events.append("parameters", _checked(parameters, "Parameters"))

    def log(self, data: Mapping[str, Any]) -> None:
        """Log values, as points of a chart; see `tlc.log`."""
        self._events.append("output", _checked(data, "Logged values"), durable=False)

    def add_output_value(self, values: Mapping[str, Any]) -> None:
        """Log values, as points of a chart; the older name of `log`."""
        self.log(values)

    def add_input_value(self, values: Mapping[str, Any]) -> None:
        """Note something that went into the run and is no table."""
        self._events.append("input", _checked(values, "Inputs"))

    def add_input_table(self, table: Table | TableView | Url | str) -> None:
        """Note a table that the run reads; noted once however often it is added.

        Raises:
            ObjectNotFoundError: There is no table at that url.
        """
        self._note_input_table(table, durable=True)

    @property
    def input_tables(self) -> list[Url]:
        """Urls of the tables that the run reads, absolute."""
        urls = [entry.get("input_table_url") for entry in self.state.inputs]
        return [Url(url).to_absolute(self._url) for url in urls if url]

    def add_metrics_table(self, table: Table | Url | str, *, stream_name: str = "") -> None:
        """Link a table of metrics to the run.

        Raises:
            ObjectNotFoundError: There is no table at that url.
        """
        opened = table if isinstance(table, Table) else Table.from_url(table)
        self._note_metrics_table(opened, stream_name, durable=True)

    def remove_metrics_table(self, table: Table | Url | str) -> None:
        """List a table of metrics no longer; it stays where it is, and can be added again."""
        url = table.url if isinstance(table, Table) else Url(table).to_absolute(self._url)
        self._events.append("metrics_removed", {"url": url.to_relative(self._url).to_str()})

    def update_metrics(self, infos: list[dict[str, Any]]) -> None:
        """Link metrics tables by their infos, as `MetricsTableWriter` gives them.

        Raises:
            ObjectNotFoundError: There is no table at the url of an info.
        """
        opened = [Table.from_url(Url(info["url"]).to_absolute(self._url)) for info in infos]
        for info, table in zip(infos, opened, strict=True):
            known = self._info(table)
            self._events.append("metrics", {**known, **info, "url": known["url"]})

    @property
    def metrics(self) -> Metrics:
        """The metrics tables: a list of their infos that can be called to read them all.

        ``run.metrics(table=t, split="val", join=["label"])`` returns one Arrow table over all
        epochs; see `tlc.run.analysis.Metrics`.
        """
        state = self.state
        told = {info["url"] for info in state.metrics}.union(state.removed_metrics)
        found = [self._info(table) for table in linked_tables(self._url, told)]
        return Metrics(self, [*state.metrics, *found], state.removed_metrics)

    @property
    def metrics_tables(self) -> list[Table]:
        """The metrics tables in the order they were added, those of unfinished writers last.

        Tables that are damaged or were deleted are left out, with a `DamagedObjectWarning`.
        """
        return list(self.metrics.tables())

    def add_metrics(
        self,
        metrics: Mapping[str, Any],
        schema: Mapping[str, Any] | None = None,
        foreign_table_url: Url | str | Table | TableView | None = None,
        *,
        constants: Mapping[str, Any] | None = None,
        split: str | None = "",
    ) -> list[dict[str, Any]]:
        """Write metrics that are complete already as one metrics table.

        Args:
            metrics: Column name to one value per sample. ``example_id`` says which row of the
                foreign table each value belongs to; without it value i belongs to row i, and there
                must be one for every row.
            schema: Schemas of columns; the others are inferred.
            foreign_table_url: The table that the metrics are about.
            constants: Further columns with one value for all rows, such as ``{"epoch": 3}``.
            split: Name of the part of the data, such as ``"val"``.

        Returns:
            One dict about the metrics table: url, row_count, file_size, stream_name.

        Raises:
            MetricsError: There is no ``example_id``, and the lengths differ.
            RowIndexError: An id is no row of the foreign table.
            ColumnError: A column is a single value, or a constant too, or the lengths differ.
            CellError: A value does not fit its schema.
        """
        from tlc.run.metrics_file import foreign_table, write_metrics

        if not isinstance(metrics, Mapping):
            raise MetricsError(f"Metrics are a dict of columns, not {type(metrics).__name__}.")
        foreign = foreign_table(foreign_table_url)
        table = write_metrics(
            self._url,
            metrics,
            schema=schema or {},
            foreign=foreign,
            constants=constants or {},
            split=split,
        )
        self.add_metrics_table(table)
        if foreign is not None:
            self._note_input(foreign.url, foreign.id, durable=True)
        return [self._info(table)]

    add_metrics_data = add_metrics
    """The older name of `add_metrics`."""

    def reduce_embeddings_by_foreign_table_url(
        self,
        foreign_table_url: Table | TableView | Url | str,
        method: str = "pacmap",
        delete_source_tables: bool = False,
        **options: Any,
    ) -> dict[Url, Url]:
        """Reduce the embeddings of all epochs and splits to a few numbers, all in the same way.

        The reducer is fitted once: on the metrics that were last added about a table. The run lists
        the reduced tables, too, and they hold the other metrics as before.

        Args:
            foreign_table_url: That table, or another revision of it.
            method: ``"pacmap"``, ``"umap"`` or ``"pca"``.
            delete_source_tables: Whether the tables that were reduced go, from the run and from the
                disk. Without that `metrics` takes each row from the reduced ones.
            options: Arguments of `tlc.reduction.reduce_embeddings`, such as ``n_components=3``.

        Returns:
            Url of each table that was reduced to that of the new one.

        Raises:
            MetricsError: No metrics with embeddings are about that table.
            TlcError: As `tlc.reduction.reduce_embeddings`; nothing is written then.
        """
        from tlc.run.embeddings import reduce_embeddings  # late: few runs have any

        return reduce_embeddings(
            self, foreign_table_url, method, options, delete=delete_source_tables
        )

    def copy(
        self,
        run_name: str | None = None,
        project_name: str | None = None,
        root_url: Url | str | None = None,
        if_exists: str = "raise",
        *,
        destination_url: Url | str | None = None,
    ) -> Self:
        """Copy the run with its metrics tables; input tables are referred to, not copied.

        Args:
            run_name: Name of the copy; this run's if None.
            project_name: Its project; this run's if None.
            root_url: Folder that holds the project; this run's if None.
            if_exists: ``"raise"``, ``"rename"`` or ``"overwrite"``.
            destination_url: Url of the copy, in place of names and root.

        Raises:
            ObjectExistsError: There is such a run, and `if_exists` is ``"raise"``; or it is this
                one.
            OptionError: `if_exists` is none of the three.
        """
        from tlc.run.copying import copy_run

        if destination_url:
            wanted = Url(destination_url).to_absolute()
        else:
            here = place_of(self._url)  # empty outside the layout
            project, root = project_name or here.project or None, root_url or here.root or None
            wanted = layout.run_url(run_name or self.name, project, root)
        return type(self).from_url(copy_run(self, wanted, if_exists))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Run):
            return NotImplemented
        return (self._url, self.id) == (other._url, other.id)

    def __hash__(self) -> int:
        return hash((self._url, self.id))

    def __reduce__(self) -> tuple[Callable[[str], Run], tuple[str]]:
        return type(self).from_url, (self._url.to_str(),)

    def __repr__(self) -> str:
        return (
            f"Run {self.name!r}: {self.status_name}, {len(self.state.metrics)} metrics tables, "
            f"{self._url}"
        )

    def _note_input_table(self, table: Table | TableView | Url | str, *, durable: bool) -> None:
        opened = table if isinstance(table, Table | TableView) else Table.from_url(table)
        source = opened.source if isinstance(opened, TableView) else opened
        self._note_input(source.url, source.id, durable=durable)

    def _note_input(self, table: Url, identity: str, *, durable: bool) -> None:
        url = table.to_relative(self._url).to_str()
        values = {"input_table_url": url, "input_table_id": identity}
        if values not in self.state.inputs:
            self._events.append("input", values, durable=durable)

    def _note_metrics_table(self, table: Table, stream_name: str = "", *, durable: bool) -> None:
        info = self._info(table)
        stream_name = stream_name or info["stream_name"]
        self._events.append("metrics", {**info, "stream_name": stream_name}, durable=durable)

    def _info(self, table: Table) -> dict[str, Any]:
        """Return what `metrics` says of a table."""
        metrics = table.metrics_info
        return {
            "url": table.url.to_relative(self._url).to_str(),
            "row_count": len(table),
            "file_size": table.file_size,
            "stream_name": metrics.stream_name if metrics else "default_stream",
        }


def _checked(values: object, what: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise MetricsError(
            f"{what} are a dict, not {type(values).__name__}.",
            hint="vars(...) makes one of a settings object.",
        )
    return values
