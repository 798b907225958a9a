"""Passes of an adapter's own over tables, while a trainer is at work."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

from tlc.metrics import collect_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tlc.integration._training_run import TrainingRun
    from tlc.metrics.collection import Collectors


def collect_tables(
    tables: Mapping[str, Any],
    collectors: Collectors,
    predictor: Any,
    *,
    constants: Mapping[str, Any],
    training: TrainingRun,
    dataloader_args: Mapping[str, Any],
) -> None:
    """Run a model over tables, and collect to the run of a training.

    Args:
        tables: Tables or views by the name of their split.
        collectors: Collectors or functions.
        predictor: What `tlc.collect_metrics` takes.
        constants: Column name to the value that every row gets.
        training: Tells the run.
        dataloader_args: Arguments of the ``DataLoader``.
    """
    for split, table in tables.items():
        collect_metrics(
            table,
            collectors,
            predictor,
            constants=constants,
            run_url=training.run_about(table),
            split=split,
            dataloader_args=dataloader_args,
        )
    training.drop_repeated()


def bound(module: Any, predict: Callable[[Any, Any], Any]) -> Any:
    """Return a function of module and batch as a method of the module.

    So it is known whose mode is to be that of evaluation.
    """
    return MethodType(predict, module)
