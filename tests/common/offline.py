"""No framework asks the network for anything: said before any of them is imported."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

import matplotlib

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "CRASH_HANDLER": "FALSE",
}


def settings_of_ultralytics():
    """Return a folder that has the font which it would download."""
    folder = Path(mkdtemp(prefix="ultralytics-"))
    (folder / "Ultralytics").mkdir()
    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    for place in (folder, folder / "Ultralytics"):
        shutil.copy(fonts / "DejaVuSans.ttf", place / "Arial.ttf")
    return str(folder)


os.environ.update(OFFLINE)
if "YOLO_CONFIG_DIR" not in os.environ:  # processes that tests start share it
    os.environ["YOLO_CONFIG_DIR"] = settings_of_ultralytics()
