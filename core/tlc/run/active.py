"""The active run: where metrics and logged values go unless somebody says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tlc import _session
from tlc.errors import RunStateError
from tlc.run.launch import shared_run, this_rank
from tlc.run.run import Run
from tlc.url import IfExistsOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.url import Url


def init(
    project_name: str | None = None,
    run_name: str | None = None,
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    if_exists: str = "rename",
    *,
    root_url: Url | str | None = None,
    run_url: Url | str | None = None,
) -> Run:
    """Start a run and make it the active one.

    Of several processes of a distributed training the first starts it, and the others find it.

    Args:
        project_name: Its project; the active run's if None, else ``"default-project"``.
        run_name: Its name. If None it is made of the time, and the run is always a new one.
        description: What it is about.
        parameters: Hyperparameters, as JSON can hold them; the rest is kept as text.
        if_exists: If there is a run of that name: ``"rename"`` starts one with a numbered name,
            ``"reuse"`` goes on with it, ``"overwrite"`` starts anew under its name, ``"raise"``
            refuses.
        root_url: Folder that holds the project; the active run's or the configured one if None.
        run_url: Url of the run, in place of names and root.

    Raises:
        ObjectExistsError: There is such a run, and `if_exists` is ``"raise"``.
        ObjectKindError: There is something else at `run_url`.
        OptionError: `if_exists` is none of the four.
        NameNotAllowedError: A name cannot be used.
        RunStateError: This is not the first process, and that one has started no run.
    """
    made: list[Run] = []

    def make() -> str:
        run = Run.create(
            project_name,
            run_name,
            description=description or "",
            if_exists=if_exists,
            root_url=root_url,
            run_url=run_url,
        )
        made.append(run)
        return run.url.to_str()

    goes_on = if_exists == IfExistsOption.REUSE
    is_told = goes_on and (run_name or run_url)  # then each process knows where it is
    url = make() if is_told else shared_run(make)
    run = made[0] if made else Run.from_url(url)
    if goes_on:
        run._go_on()
    if parameters and made:
        run.set_parameters(parameters)
    set_active_run(run)
    return run


def active_run() -> Run | None:
    """Return the active run, or None."""
    return cast("Run | None", _session.get_active())


def set_active_run(run: Run | None) -> None:
    """Make `run` the active one; None for no run.

    How this process ends is from then on how the run ends, unless a status is set before that says
    so: completed after the last line, failed after an uncaught exception, interrupted after Ctrl-C,
    SIGTERM or the end of an interactive session.
    """
    if run is not None:
        run._attend()
    _session.set_active(run)


def log(data: Mapping[str, Any], run: Run | None = None) -> None:
    """Log values to a run, as points of a chart.

    Args:
        data: Name to value. ``epoch``, ``iteration`` or ``step`` says where on the x-axis the
            others belong.
        run: The run; the active one if None.

    Raises:
        RunStateError: `run` is None and there is no active run.
    """
    target = run or active_run()
    if target is None:
        raise RunStateError(
            "There is no active run to log to.", hint="start one with tlc.init(), or pass run=."
        )
    target.log(data)


def close() -> None:
    """Complete the active run, unless it has ended already, and have no active run any more.

    Of several processes of a distributed training only the first completes it.
    """
    run = active_run()
    if run is None:
        return
    if this_rank().rank:
        run._leave()
    elif not run.state.status.is_final:
        run.set_status_completed()
    set_active_run(None)
