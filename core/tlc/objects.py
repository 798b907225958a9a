"""Opening whatever lies at a url: a table or a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.errors import ObjectKindError, ObjectNotFoundError
from tlc.run import Run
from tlc.table import Table

if TYPE_CHECKING:
    from tlc.url import Url

__all__ = ["ObjectRegistry", "open_object"]


def open_object(url: Url | str) -> Table | Run:
    """Return the table or run at a url.

    Raises:
        ObjectNotFoundError: There is nothing (a FileNotFoundError).
        ObjectKindError: What is there is neither (a ValueError).
        CorruptObjectError: Its manifest is damaged.
    """
    try:
        return Table.from_url(url)
    except ObjectKindError:
        try:
            return Run.from_url(url)
        except ObjectKindError:
            raise ObjectKindError(
                f"{url} exists, but is neither a table nor a run.",
                hint="give the folder of one, as `tlc ls` shows it.",
            ) from None
    except ObjectNotFoundError:
        raise ObjectNotFoundError(
            f"There is no table or run at {url}.",
            hint="`tlc ls` lists projects, tables and runs.",
        ) from None


class ObjectRegistry:
    """Opens objects by url.

    Tables are immutable and every call of ``from_url`` reads the manifest, so there is no cache
    that could be out of date; `drop_cache` is there for programs that call it.
    """

    @staticmethod
    def get_object_from_url(url: Url | str) -> Table | Run:
        """Return the table or run at a url; see `open_object`."""
        return open_object(url)

    @staticmethod
    def drop_cache() -> None:
        """Do nothing: there is no cache."""
