"""Tables, their views and their revisions."""

from tlc.table.columns_view import ColumnBatch, ColumnsView, collate_columns
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
    "ColumnBatch",
    "ColumnsView",
    "DeleteRows",
    "DropColumn",
    "Edit",
    "MapDataset",
    "SetSchema",
    "SetValueMap",
    "SetValues",
    "Table",
    "TableView",
    "collate_columns",
]
