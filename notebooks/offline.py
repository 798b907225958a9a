"""Importing this turns the network off for the process: whoever asks for it gets an error."""

from __future__ import annotations

import os
import sys
from typing import Any

HERE = (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0")
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "CRASH_HANDLER": "FALSE",
}


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise for what leads out of this machine; an audit hook.

    Raises:
        ConnectionRefusedError: A host is looked up or connected to that is not this machine.
    """
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if host not in HERE:
        raise ConnectionRefusedError(f"The network is off here; {host} was asked for.")


os.environ.update(OFFLINE)
sys.addaudithook(refuse)
