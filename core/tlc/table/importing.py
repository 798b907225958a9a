"""What all factories of `Table` do with what an importer returned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tlc.table.options import TableOptions, check_options
from tlc.table.reading import Reading

if TYPE_CHECKING:
    from tlc.importers.source import Source


class Importing(Reading):
    """Makes tables of sources. Families of factories inherit from it."""

    @classmethod
    def _import(cls, source: Source, options: TableOptions) -> Self:
        from tlc.table.create import write_source  # late: only what makes tables needs it

        check_options(options, f"Table.from_{source.kind}")
        return cls.from_url(write_source(source, cls, **options))
