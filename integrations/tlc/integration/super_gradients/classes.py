"""Class ids of a table, and the numbers from 0 that models have for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import VOID_CLASS
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas import MapElement
    from tlc.table import Table

__all__ = ["ClassIds"]


@dataclass(frozen=True)
class ClassIds:
    """The classes of a column, in the order of their ids: a model's class i is `ids[i]`.

    Attributes:
        ids: int64 of shape (C,), ascending.
        elements: Id to the element of the value map.
    """

    ids: np.ndarray[Any, Any]
    elements: Mapping[int, MapElement]

    @classmethod
    def of(cls, table: Table, path: str | None) -> ClassIds:
        """Read the value map at a path. The class that is not to be scored is left out.

        Raises:
            SchemaError: There is none.
        """
        found = None if path is None else table.get_value_map(path)
        made = cls.of_elements(found or {})
        if not len(made):
            raise SchemaError(
                f"The labels of {table.url} at {path!r} have no class names.",
                hint="give their column a schema with classes, or name another label_column_name.",
            )
        return made

    @classmethod
    def of_elements(cls, elements: Mapping[Any, MapElement]) -> ClassIds:
        """Return the classes of a value map."""
        kept = {
            int(id_): element
            for id_, element in sorted(elements.items())
            if element.internal_name != VOID_CLASS
        }
        return cls(np.array(list(kept), np.int64), kept)

    @property
    def names(self) -> list[str]:
        """Names of the classes, made different where two are called the same."""
        names = [element.name for element in self.elements.values()]
        pairs = zip(names, self.ids.tolist(), strict=True)
        return [name if names.count(name) == 1 else f"{name} ({id_})" for name, id_ in pairs]

    def __len__(self) -> int:
        return len(self.ids)

    def to_model(self, ids: Any, where: str) -> np.ndarray[Any, Any]:
        """Return the model's class of each id.

        Args:
            ids: Class ids.
            where: What they are the labels of, for messages.

        Raises:
            SchemaError: One of them is not in the value map.
        """
        given = np.asarray(ids, np.int64)
        found = np.searchsorted(self.ids, given).clip(max=len(self.ids) - 1)
        if not np.array_equal(self.ids[found], given):
            wrong = given[self.ids[found] != given]
            raise SchemaError(
                f"{where} has the label {int(wrong.flat[0])}, which is not in the value map.",
                hint="correct it, or add the class.",
            )
        return found

    def to_table(self, classes: Any) -> np.ndarray[Any, Any]:
        """Return the id of each of a model's classes."""
        chosen: np.ndarray[Any, Any] = self.ids[np.asarray(classes, np.int64)]
        return chosen
