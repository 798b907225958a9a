"""Arguments that several exporters have, and what they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.errors import ColumnNotFoundError, OptionError

if TYPE_CHECKING:
    from collections.abc import Collection

    from tlc.table import Table


def check_column(table: Table, name: str) -> None:
    """Refuse the name of a column that is not there.

    Raises:
        ColumnNotFoundError: It is not.
    """
    if name not in table.columns:
        raise ColumnNotFoundError(
            f"{table.url} has no column {name!r}.",
            hint=f"its columns are {', '.join(map(repr, table.columns))}.",
        )


def check_split(split: str, others: Collection[str] = ()) -> None:
    """Refuse what cannot be the name of a split, and of a file or folder.

    Args:
        split: The name.
        others: Names that mean something else.

    Raises:
        OptionError: It cannot.
    """
    if split in others or split in ("", ".", "..") or set("/\\\0") & set(split):
        raise OptionError(f"split is {split!r}.", hint="it is a name such as 'train'.")
