"""The names of `tlc.integration.ultralytics`, for programs that import them from here."""

from __future__ import annotations

from tlc.integration.ultralytics import YOLO, Settings, create_tables_from_yaml_file

__all__ = ["YOLO", "Settings", "create_tables_from_yaml_file"]
