"""Members of COCO files that only some have, by the names and in the form that they had there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas import Schema
    from tlc.table import Table

# What an import of a COCO file notes in the metadata of schemas.
_MEMBER, _JSON, _OTHERS = "coco_member", "json", "coco"


@dataclass(frozen=True)
class Member:
    """A member.

    Attributes:
        name: What it is called in the file.
        is_json: Whether values are JSON text.
    """

    name: str
    is_json: bool

    def written(self, value: Any) -> Any:
        """Return a value as it is to stand in the file."""
        return msgspec.Raw(value.encode()) if self.is_json else value


def members_of(schemas: Mapping[str, Schema]) -> dict[str, Member]:
    """Return the members that columns, or what instances have, become."""
    return {
        name: Member(schema.metadata.get(_MEMBER, name), bool(schema.metadata.get(_JSON)))
        for name, schema in schemas.items()
    }


def imported_columns(table: Table) -> list[str]:
    """Return the columns that were members of images of a COCO file."""
    return [name for name, schema in table.rows_schema.values.items() if _MEMBER in schema.metadata]


def other_members(table: Table) -> dict[str, Any]:
    """Return what else the COCO file said that a table was made of, such as its licenses."""
    found: dict[str, Any] = {}
    for schema in table.rows_schema.values.values():
        found |= schema.metadata.get(_OTHERS) or {}
    return found
