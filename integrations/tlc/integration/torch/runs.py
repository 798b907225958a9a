"""The run of a plain training loop."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tlc.integration._training_run import TrainingRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tlc.run import Run
    from tlc.url import Url

__all__ = ["training_run"]


@contextmanager
def training_run(
    table: Any = None,
    run: Run | Url | str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Iterator[Run]:
    """Give a training the run that it is part of, and say in the run how the training ends.

    A script needs this not, since a run ends as its process does: it is for notebooks, and for
    trainings that are one of several things that a program does::

        with training_run(table, parameters={"lr": 0.1}) as run:
            for epoch in range(10):
                ...
                tlc.collect_metrics(table, collectors, model, {"epoch": epoch}, run_url=run)

    An error makes the run failed, Ctrl-C interrupted, and both go on. A run that was there before
    stays open after the last line, one that is made here is completed.

    Args:
        table: What is trained on; a new run is in its project.
        run: Run, or its url. Default: the active one, else a new one.
        parameters: Hyperparameters, to be noted in the run.

    Yields:
        The run.
    """
    training = TrainingRun(run)
    training.begin(parameters or {})
    try:
        yield training.run_about(table)
    except BaseException as error:
        training.fail(error)
        raise
    finally:
        training.complete()
