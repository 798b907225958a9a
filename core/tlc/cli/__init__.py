"""The command ``tlc``."""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    from tlc.cli.app import run

    run()
