"""Settings of `tlc`: set in the program, in the environment or in a file, in this order."""

from __future__ import annotations

from tlc.configuration.configuration import Configuration, OptionInfo

__all__ = ["Configuration", "OptionInfo"]
