"""The table: an immutable, typed, thin view of a dataset."""

from __future__ import annotations

from tlc.table.diff import Diffing
from tlc.table.exporting import Exporting
from tlc.table.factories import Factories
from tlc.table.operations import Operations
from tlc.table.revising import Revising


class Table(Factories, Operations, Revising, Diffing, Exporting):
    """Rows with a schema, on disk, that never change.

    ``table[i]`` is a training sample, ``table.table_rows[i]`` the row behind it, and a table is a
    map-style dataset for any ``DataLoader``. An edit makes a new revision; `latest` finds it.
    Tables come from the class methods ``from_...`` or from a `TableWriter`. Pickled, a table is its
    url.
    """
