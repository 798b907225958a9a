"""Where the files of a column go that is stored outside the table: images, arrays."""

from __future__ import annotations

from tlc.format.layout import bulk_folder
from tlc.format.names import check_name
from tlc.url import Url


class BulkFolder:
    """Names new files of one column: ``<bulk data>/<table>/<column>/<writer>-0000000.png``.

    The writer's own prefix keeps two writers of one table name apart.

    Args:
        table: Url of the table that the files belong to.
        column: Name of the column.
        writer: Short text that is this writer's alone.
        location: Folder to use instead, from the schema's `bulk_data_location`; relative to the
            table.
    """

    def __init__(self, table: Url, column: str, writer: str, location: str = "") -> None:
        self._table = table
        self._column = column
        self._writer = writer
        self._location = location
        self._count = 0

    def new_url(self, extension: str) -> Url:
        """Return the url of the next file, with `extension` such as ``".png"``."""
        number = self._count
        self._count += 1
        return self._folder() / f"{self._writer}-{number:07d}{extension}"

    def _folder(self) -> Url:
        if self._location:
            return Url(self._location).to_absolute(self._table)
        return bulk_folder(self._table) / check_name(self._column, "column with files of its own")


class FilesWanted(Exception):  # noqa: N818
    """A column cannot be encoded without writing files."""


class NoFiles:
    """Stands in for a `BulkFolder` where values are only compared, never written."""

    def new_url(self, extension: str) -> Url:
        """Refuse with `FilesWanted`."""
        raise FilesWanted(extension)
