"""The run that a training belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.metrics._origin import Origin
from tlc.run import Run, active_run, close, init
from tlc.run.launch import inherited_run, this_rank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.table import Table
    from tlc.url import Url


class TrainingRun:
    """Finds or makes the run of a training, and ends it if it was made here.

    Args:
        given: A run or its url; None for the active one, or else a new one.
        name: Name of the run, instead: the active one if it is called so, or one that the project
            has, or a new one.
        description: Description of a new run.
        project: Project of the run: the active one if it is in this, or a new one there. None for
            any; then a new one is in the project of the data.
    """

    def __init__(
        self,
        given: Run | Url | str | None,
        *,
        name: str | None = None,
        description: str | None = None,
        project: str | None = None,
    ) -> None:
        self._given = given
        self._project = project
        self._name = name
        self._description = description
        self._run: Run | None = None
        self._is_own = False
        self._is_over = False
        self._before = ""
        self._earlier: dict[Url, tuple[Any, ...]] = {}
        self._parameters: dict[str, Any] = {}

    @property
    def run(self) -> Run:
        """The run, which is found or made when it is first asked for."""
        return self.run_about(None)

    def run_about(self, dataset: Any) -> Run:
        """Return the run; one that is made now is in the project of the table of a dataset."""
        if self._run is None:
            self._run = self._find(dataset)
            if this_rank().rank:
                return self._run
            if self._parameters:
                self._run.set_parameters(self._parameters)
            if not self._run.state.status.is_final:
                self._run.set_status_running()
        return self._run

    def begin(self, parameters: Mapping[str, Any]) -> None:
        """Note the parameters of a training: now, or when there is a run."""
        self._parameters = dict(parameters)
        if self._is_over:
            self._run, self._is_over = None, False
        is_open = active_run() is not None and not self._name and not self._project
        if self._run is None and self._given is None and not is_open:
            return  # the first dataset tells the project
        if self._run is not None and self._parameters and not this_rank().rank:
            self._run.set_parameters(self._parameters)
        self.run_about(None)

    @property
    def url(self) -> str:
        """Url of the run, to be kept in checkpoints; empty if there is none yet."""
        return "" if self._run is None else self._run.url.to_str()

    def restore(self, url: str) -> None:
        """Go on with the run that a checkpoint was made in, unless somebody named another."""
        self._before = url

    def go_on(self, dataset: Any) -> None:
        """Note that the training goes on from a checkpoint: what is collected again counts anew."""
        run = self.run_about(dataset)
        if run.state.status.is_final and not this_rank().rank:
            run.set_status_running()
        tables = run.metrics_tables
        self._earlier = {table.url: _about(table) for table in tables}

    def drop_repeated(self) -> None:
        """Take metrics of before the checkpoint from the run that were collected again."""
        if not self._earlier or self._run is None:
            return
        again = {
            _about(table)
            for table in self._run.metrics_tables
            if table.url not in self._earlier and not table.is_partial
        }
        for url in [url for url, about in self._earlier.items() if about in again]:
            self._run.remove_metrics_table(url)
            del self._earlier[url]

    def complete(self) -> None:
        """Complete the run, if it was made here; what comes before the next training is added."""
        if self._is_own and self._run is not None:
            close()
            self._is_own, self._is_over = False, True

    def fail(self, error: BaseException) -> None:
        """Say in the run how the training ended."""
        if self._run is None:
            return
        if self._run.state.status.is_final:
            if active_run() == self._run:
                close()  # another process has said so: here, too, it is active no longer
            return
        if isinstance(error, KeyboardInterrupt):
            self._run.set_status_interrupted()
        else:
            self._run.set_status_failed(f"{type(error).__name__}: {error}")

    def _find(self, dataset: Any) -> Run:
        if isinstance(self._given, Run):
            return self._given
        if self._given is not None:
            return Run.from_url(self._given)
        inherited = inherited_run()
        known = active_run() or (Run.from_url(inherited) if inherited else None)
        if known is not None and self._is_wanted(known):
            return known
        self._is_own = True
        if self._before and self._name is None:
            return init(run_url=self._before, if_exists="reuse")
        project = self._project or getattr(Origin.of(dataset).table, "project_name", None)
        if_exists = "rename" if self._name is None else "reuse"
        return init(project, self._name, self._description, if_exists=if_exists)

    def _is_wanted(self, known: Run) -> bool:
        in_project = self._project in (None, known.project_name)
        return in_project and self._name in (None, known.name)


def _about(table: Table) -> tuple[Any, ...]:
    """Return what two collections have in common if one of them repeats the other."""
    info = table.metrics_info
    if info is None or info.foreign_table is None:
        return (table.url,)
    return info.foreign_table.id, info.split, repr(sorted(info.constants.items())), *_columns(table)


def _columns(table: Table) -> list[str]:
    """Return the columns as they were collected: before embeddings were reduced."""
    parts = table.rows_schema.values.items()
    return sorted(part.metadata.get("reduction", {}).get("source", name) for name, part in parts)
