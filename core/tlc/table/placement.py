"""Where a table that is made from another one goes: keywords told and typed in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

if TYPE_CHECKING:
    from tlc.url import Url

F = TypeVar("F", bound=Callable[..., Any])


class Placement(TypedDict, total=False):
    """Where new tables go that have names already."""

    dataset_name: str | None
    project_name: str | None
    root_url: Url | str | None
    if_exists: str
    description: str


class NamedPlacement(Placement, total=False):
    """Where a new table goes, and what it is called."""

    table_name: str | None


_USUAL = {"if_exists": "reuse", "description": ""}
_NAME = """
            table_name: Name of the new table; this one's name and what was done if None."""
_PLACE = """
            dataset_name: Its dataset; this table's if None.
            project_name: Its project; this table's if None.
            root_url: Folder that holds the project; this table's if None.
            if_exists: ``"reuse"`` returns a table that is there, with a `ReuseWarning` if it was
                made from another table or in another way (without `table_name` such a one gets a
                number); ``"rename"`` adds ``_0000`` and so on; ``"overwrite"`` replaces it;
                ``"raise"`` refuses.
            description: What others should know of it.
"""


def placed(options: type[Placement] = NamedPlacement) -> Callable[[F], F]:
    """Give a method the keywords of a placement in its signature and its docstring."""

    def decorate(method: F) -> F:
        signature = inspect.signature(method)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        known = options.__annotations__
        shared = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_USUAL.get(name),
                annotation=known[name],
            )
            for name in _ORDER
            if name in known
        ]
        method.__signature__ = signature.replace(parameters=own + shared)  # type: ignore[attr-defined]
        told = _NAME + _PLACE if "table_name" in known else _PLACE
        doc = method.__doc__ or ""
        method.__doc__ = doc.replace("\n            placement: See below.\n", told)
        return method

    return decorate


_ORDER = (
    "table_name",
    "dataset_name",
    "project_name",
    "root_url",
    "if_exists",
    "description",
)


def check_placement(placement: Mapping[str, Any], method: str) -> None:
    """Refuse keywords that a method does not have.

    Args:
        placement: What a caller gave.
        method: Name of the method.

    Raises:
        TypeError: There is one.
    """
    for name in placement:
        if name not in _ORDER or (method == "split" and name == "table_name"):
            raise TypeError(f"Table.{method}() got an unexpected keyword argument {name!r}.")
