"""The last step of writing a table: from data files to a published manifest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tlc.format.manifest import Parent, TableManifest, new_id, now
from tlc.format.open import open_table
from tlc.format.publish import publish_table
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.format.builder import RowBuilder

INPUT = "input"
REVISION = "revision"


def commit(
    builder: RowBuilder,
    if_exists: str,
    *,
    description: str | None = "",
    parents: tuple[Parent, ...] = (),
    source: Mapping[str, Any] | None = None,
    operation: Mapping[str, Any] | None = None,
) -> Url:
    """Publish the rows of `builder` as a table and return its url.

    Args:
        builder: Has all rows.
        if_exists: As in `tlc.format.publish.publish_table`.
        description: What others should know of the table.
        parents: Tables that this one was made from.
        source: What the importer knows of its input.
        operation: What happened while the rows were made.

    Raises:
        ObjectExistsError: Somebody else took the name meanwhile, and `if_exists` is ``"raise"`` or
            ``"reuse"``.
    """
    identity = new_id()
    stack = builder.finish(identity)
    manifest = TableManifest(
        id=identity,
        created=now(),
        description=description or "",
        parents=parents,
        source=dict(source or {}),
        operation=dict(operation or {}),
        rows_schema=builder.rows_schema().to_dict(),
        stack=stack,
    )
    return publish_table(builder.folder, manifest, if_exists)


def parents_of(input_tables: Any, folder: Url) -> tuple[Parent, ...]:
    """Return the tables at `input_tables` as parents of the one in `folder`.

    Args:
        input_tables: Urls or tables, or a single one; None for none.
        folder: Where the child is.

    Raises:
        ObjectNotFoundError: There is no table at one of them.
    """
    if input_tables is None:
        return ()
    listed: Any = input_tables
    if isinstance(input_tables, str | os.PathLike) or hasattr(input_tables, "url"):
        listed = [input_tables]
    return tuple(_parent_of(Url(getattr(each, "url", each)), folder) for each in listed)


def _parent_of(url: Url, folder: Url) -> Parent:
    absolute = url.to_absolute(folder)
    manifest, _ = open_table(absolute)
    return Parent(absolute.to_relative(folder).to_str(), manifest.id, INPUT)
