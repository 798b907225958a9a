"""Tables, their views and their revisions."""

from tlc.table.edits import (
    AddColumn,
    DeleteRows,
    DropColumn,
    Edit,
    SetSchema,
    SetValueMap,
    SetValues,
)
from tlc.table.table import Table
from tlc.table.view import MapDataset, TableView

__all__ = [
    "AddColumn",
    "DeleteRows",
    "DropColumn",
    "Edit",
    "MapDataset",
    "SetSchema",
    "SetValueMap",
    "SetValues",
    "Table",
    "TableView",
]
