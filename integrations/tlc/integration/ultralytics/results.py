"""`Results`: what several validations have found."""

from __future__ import annotations

from typing import Any

__all__ = ["Results"]


class Results(dict[str, Any]):
    """Results by name.

    Attributes:
        run_url: Url of the run that metrics were collected to.
    """

    run_url: str = ""
