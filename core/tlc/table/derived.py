"""Tables made from one other table: some of its rows, its rows in order, or rows made of them.

Each is a table of its own, not a revision: `latest` does not lead there. Where rows stay what they
are, nothing is copied, and they keep their keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tlc.errors import ObjectExistsError
from tlc.format.commit import INPUT
from tlc.format.layout import url_beside
from tlc.format.manifest import Parent, TableManifest, new_id, now
from tlc.format.publish import claim, numbered, object_exists, publish_table
from tlc.format.rebase import rebase_stack
from tlc.table.draft import Draft
from tlc.table.reading import Reading
from tlc.table.reuse import reuses, warn_of_reuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from tlc.format.manifest import Stack
    from tlc.schemas import Schema
    from tlc.table.placement import Placement
    from tlc.url import Url

T = TypeVar("T", bound=Reading)


class Made(Protocol):
    """What the rows of a new table are: a schema, and the layers that hold them."""

    @property
    def schema(self) -> Schema:
        """Schema of a row."""
        ...

    def stack(self) -> Stack:
        """Write what is left to write, and return the layers."""
        ...


def derive(
    table: T,
    name: str | None,
    operation: Mapping[str, Any],
    make: Callable[[Url, str], Made],
    placement: Placement,
) -> T:
    """Write a table that is made from `table`, or open one that was made like that before.

    Args:
        table: What it is made from.
        name: Its name; None for one after the operation.
        operation: What is done, as JSON data: two that are equal make equal tables.
        make: Gets the new table's folder and id, and writes its rows.
        placement: Where it goes.

    Raises:
        ObjectExistsError: The name is taken, and `if_exists` is ``"raise"``.
    """
    wanted = place_beside(table, name or f"{table.name}-{operation['type']}", placement)
    if_exists = placement.get("if_exists", "reuse")
    done = {"edits": [dict(operation)]}
    while True:
        folder = claim(wanted, if_exists, "table")
        if reuses(folder, if_exists):
            folder, is_there = _alike(folder, table, done, named=name is not None)
            if is_there:
                return type(table).from_url(folder)
        identity = new_id()
        made = make(folder, identity)
        manifest = TableManifest(
            id=identity,
            created=now(),
            description=placement.get("description", ""),
            parents=(Parent(table.url.to_relative(folder).to_str(), table.id, INPUT),),
            operation=done,
            rows_schema=made.schema.to_dict(),
            stack=made.stack(),
        )
        try:
            return type(table).from_url(publish_table(folder, manifest, if_exists))
        except ObjectExistsError:
            if if_exists != "reuse":
                raise
            # Another process was faster: its table may do.


def place_beside(table: Reading, name: str, placement: Placement) -> Url:
    """Return the url of a new table; what `placement` leaves open is as for `table`."""
    return url_beside(
        table.url,
        name,
        placement.get("dataset_name"),
        placement.get("project_name"),
        placement.get("root_url"),
    )


def edited(table: Reading, edit: Callable[[Draft], object]) -> Callable[[Url, str], Draft]:
    """Return what makes a table of the layers of `table` and those that `edit` adds."""

    def make(folder: Url, _identity: str) -> Draft:
        stack = rebase_stack(table._manifest.stack, table.url, folder)
        draft = Draft(stack, table._schema, folder)
        edit(draft)
        return draft

    return make


def selected(table: Reading, rows: np.ndarray) -> Callable[[Url, str], Draft]:
    """Return what makes a table of some rows of `table`, in the order of their numbers here."""
    return edited(table, lambda draft: draft.select(rows))


def _alike(
    folder: Url, table: Reading, done: Mapping[str, Any], *, named: bool
) -> tuple[Url, bool]:
    """Return where the table is or goes, and whether it is there already."""
    for url in numbered(folder):
        if not object_exists(url):
            return url, False
        manifest = type(table).from_url(url)._manifest
        if [parent.id for parent in manifest.parents] == [table.id] and manifest.operation == done:
            return url, True
        if named:
            break
    warn_of_reuse(folder, deeper=1)
    return folder, True
