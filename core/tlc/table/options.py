"""Keywords that all factories of `Table` share, told and typed in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

if TYPE_CHECKING:
    from tlc.schemas import Schema
    from tlc.url import Url

F = TypeVar("F", bound=Callable[..., Any])


class TableOptions(TypedDict, total=False):
    """Where a new table goes, and what it gets beside its source's columns."""

    table_name: str | None
    dataset_name: str | None
    project_name: str | None
    root_url: Url | str | None
    if_exists: str
    add_weight_column: bool
    weight_column_value: float
    description: str
    extra_columns: Mapping[str, Schema] | None
    input_tables: Sequence[Url | str] | None


_DOC = """
            table_name: Name of the table; ``"table"`` if None.
            dataset_name: Name of its dataset; ``"default-dataset"`` if None.
            project_name: Name of its project; the active run's if None, else ``"default-project"``.
            root_url: Folder that holds the project; the active run's or the configured one if None.
            if_exists: ``"reuse"`` returns a table that is there, with a `ReuseWarning` if it was
                made from other data (without `table_name` such data get a table of their own);
                ``"rename"`` adds ``_0000`` and so on; ``"overwrite"`` replaces it; ``"raise"``
                refuses.
            add_weight_column: Add a hidden column ``weight``, unless there is one.
            weight_column_value: Its value in all rows.
            description: What others should know of the table.
            extra_columns: More columns, by name, filled with their schemas' default values.
            input_tables: Urls of tables that this one is made from.
"""


def check_options(options: Mapping[str, Any], name: str) -> None:
    """Refuse keywords that factories do not have.

    Raises:
        TypeError: There is one; the message names the nearest that there is.
    """
    for option in options:
        if option not in TableOptions.__annotations__:
            import difflib  # late: only for an error

            near = difflib.get_close_matches(option, TableOptions.__annotations__, 1)
            meant = f" Hint: did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{name}() got an unexpected keyword argument {option!r}.{meant}")


def factory(*, weights: bool = True) -> Callable[[F], F]:
    """Give a factory the shared keywords in its signature and its docstring.

    Args:
        weights: Default of `add_weight_column`.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        shared = _shared_parameters(weights=weights)
        function.__signature__ = signature.replace(parameters=own + shared)  # type: ignore[attr-defined]
        doc = function.__doc__ or ""
        function.__doc__ = doc.replace("\n            options: See below.\n", _DOC)
        return function

    return decorate


def _shared_parameters(*, weights: bool) -> list[inspect.Parameter]:
    defaults: dict[str, Any] = {
        "if_exists": "reuse",
        "add_weight_column": weights,
        "weight_column_value": 1.0,
        "description": "",
    }
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=annotation
        )
        for name, annotation in TableOptions.__annotations__.items()
    ]
