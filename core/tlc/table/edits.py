"""Edits: frozen values that say what a revision changes. `Table.revise` applies them in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from tlc.schemas import Schema


@dataclass(frozen=True, eq=False)
class SetValues:
    """New values in some rows of a column.

    Args:
        column: Name of the column.
        rows: Row numbers; negative ones count from the end. Of repeated ones the last counts.
        values: One value per row number, in sample or row form.
    """

    column: str
    rows: Sequence[int] | np.ndarray
    values: Sequence[Any]


@dataclass(frozen=True, eq=False)
class AddColumn:
    """One more column.

    Args:
        name: Its name.
        values: One value per row, in sample or row form.
        schema: Its schema; inferred from the values if None.
    """

    name: str
    values: Sequence[Any]
    schema: Schema | None = None


@dataclass(frozen=True)
class DropColumn:
    """One column less."""

    name: str


@dataclass(frozen=True, eq=False)
class DeleteRows:
    """Some rows less; the others keep their order.

    Args:
        rows: Row numbers; negative ones count from the end.
    """

    rows: Sequence[int] | np.ndarray


@dataclass(frozen=True, eq=False)
class KeepRows:
    """Only these rows, in this order.

    Args:
        rows: Row numbers, none of them twice; negative ones count from the end.
    """

    rows: Sequence[int] | np.ndarray


@dataclass(frozen=True, eq=False)
class SetValueMap:
    """Other names for the values of a column; the values stay.

    Args:
        path: Name of the column, or a dotted path into a nested one.
        value_map: Class names, or a map from value to name or `MapElement`.
    """

    path: str
    value_map: Mapping[Any, Any] | Sequence[Any]


@dataclass(frozen=True, eq=False)
class SetSchema:
    """Another schema for a column, which its cells must fit.

    Args:
        column: Name of the column.
        schema: The new schema.
    """

    column: str
    schema: Schema


Edit = SetValues | AddColumn | DropColumn | DeleteRows | KeepRows | SetValueMap | SetSchema
