"""From a table to files that other programs read.

`tlc.Table.export` and ``tlc export`` take a format from what is registered here. A format of your
own is a class: `RowExporter` for a text per row, `SerializingExporter` for one text, `Exporter` for
anything else.
"""

from __future__ import annotations

from tlc.export.exporter import Exporter, RowExporter, SerializingExporter
from tlc.export.exporting import export_table
from tlc.export.hugging_face import to_hugging_face_dataset
from tlc.export.registry import (
    ExporterInfo,
    list_exporter_formats,
    list_exporters,
    register_exporter,
    unregister_exporter,
)
from tlc.export.rows import exported_rows

__all__ = [
    "Exporter",
    "ExporterInfo",
    "RowExporter",
    "SerializingExporter",
    "export_table",
    "exported_rows",
    "list_exporter_formats",
    "list_exporters",
    "register_exporter",
    "to_hugging_face_dataset",
    "unregister_exporter",
]
