"""``python -m tlc`` is the command ``tlc``."""

from tlc.cli import main

main()
