"""Tables, their views and their revisions."""

from tlc.importers.report import ImportReport, Problem
from tlc.table.columns_view import ColumnBatch, ColumnsView, collate_columns
from tlc.table.edits import (
    AddColumn,
    DeleteRows,
    DropColumn,
    Edit,
    KeepRows,
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
    "ImportReport",
    "KeepRows",
    "MapDataset",
    "Problem",
    "SetSchema",
    "SetValueMap",
    "SetValues",
    "Table",
    "TableView",
    "collate_columns",
]
