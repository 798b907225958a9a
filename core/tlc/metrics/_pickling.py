"""Finding out, before any worker process starts, what cannot travel there."""

from __future__ import annotations

import multiprocessing
import pickle
from typing import TYPE_CHECKING, Any

from tlc.errors import NotPicklableError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_picklable"]


class _Nowhere:
    """A file that keeps nothing, so that a large dataset is not held in memory twice."""

    def write(self, data: Any) -> int:
        return len(data)


def check_picklable(dataset: Any, arguments: Mapping[str, Any]) -> None:
    """Check what a ``DataLoader`` sends to its workers, if their start method pickles at all.

    Forked workers inherit everything, so under ``fork`` nothing is checked.

    Args:
        dataset: The dataset.
        arguments: The other arguments of the loader.

    Raises:
        NotPicklableError: Something cannot be pickled. The message says what, and why.
    """
    if (method := _start_method(arguments.get("multiprocessing_context"))) == "fork":
        return
    sent = {"table": dataset}
    sent |= {k: arguments[k] for k in ("collate_fn", "worker_init_fn") if arguments.get(k)}
    for name, value in sent.items():
        if _complaint(value) is None:
            continue
        path, culprit = _culprit(name, value)
        raise NotPicklableError(
            f"num_workers={arguments['num_workers']} starts processes by {method!r}, which pickles"
            f" the data set, but {path} ({_described(culprit)}) cannot be pickled:"
            f" {_complaint(culprit)}.",
            hint="make it a function at the top level of a module, or pass num_workers=0.",
        )


def _start_method(context: Any) -> str:
    if isinstance(context, str):
        return context
    chosen = (context or multiprocessing).get_start_method(allow_none=True)
    return chosen or multiprocessing.get_all_start_methods()[0]


def _complaint(value: Any) -> str | None:
    """Return why a value cannot be pickled, or None."""
    try:
        pickle.Pickler(_Nowhere()).dump(value)
    except RuntimeError:
        return None  # locks and shared memory: they travel only while a process starts
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        return str(error)
    return None


def _culprit(path: str, value: Any) -> tuple[str, Any]:
    """Return the innermost attribute that cannot be pickled either, and the way to it."""
    seen: set[int] = set()
    while id(value) not in seen:
        seen.add(id(value))
        attributes = {} if callable(value) else getattr(value, "__dict__", {})
        for name, inner in attributes.items():
            if _complaint(inner) is not None:
                path, value = f"{path}.{name.lstrip('_')}", inner
                break
    return path, value


def _described(value: Any) -> str:
    name = getattr(value, "__qualname__", None)
    return f"{value.__module__}.{name}" if name else f"an object of type {type(value).__name__!r}"
