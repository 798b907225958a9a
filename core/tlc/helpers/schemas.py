"""What objects are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlc.schemas import Schema
    from tlc.url import Url


class SchemaHelper:
    """Reads what schemas and objects say about each other."""

    @staticmethod
    def object_input_urls(object: Any, schema: Schema | None = None) -> list[Url]:
        """Return the absolute urls of the tables that a table or run was made from.

        Args:
            object: A table or run.
            schema: Its schema, which is not needed: older programs give it.
        """
        return list(object.input_tables)
