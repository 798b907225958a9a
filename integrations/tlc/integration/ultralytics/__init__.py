"""Ultralytics: `YOLO` on tables, with metrics of each row.

`ultralytics` is under the AGPL-3.0; it is the user's own dependency, and nothing of it is in here.
"""

from __future__ import annotations

from tlc.integration.ultralytics.model import YOLO
from tlc.integration.ultralytics.settings import Settings
from tlc.integration.ultralytics.tables import create_tables_from_yaml_file

__all__ = ["YOLO", "Settings", "create_tables_from_yaml_file"]
