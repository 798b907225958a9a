"""What an exporter is: `Exporter`, and two bases for those that make text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from tlc.export.keywords import check_keywords
from tlc.export.output import write_file
from tlc.export.rows import exported_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tlc.table import Table
    from tlc.url import Url


class Exporter(ABC):
    """Writes tables in one format.

    An heir names its format and writes `_do_export`. The keywords of `_do_export` beyond those it
    has here are the options of the format: of ``table.export`` and, as ``--<format>-<keyword>``, of
    ``tlc export``. An heir has no state, and is made without arguments.
    """

    supported_format: ClassVar[str] = ""
    """Name of the format, as in ``table.export(url, format="csv")``."""

    file_extensions: ClassVar[frozenset[str]] = frozenset()
    """Ends of names of files in this format, with their dots, in lower case."""

    priority: ClassVar[int] = 0
    """Of all exporters that can export a table to a url, the one with the highest does."""

    def can_export(self, table: Table, output_url: Url) -> bool:
        """Return whether to take this format if nobody names one.

        Unless overridden: whether the url ends with one of `file_extensions`.
        """
        return output_url.name.lower().endswith(tuple(self.file_extensions))

    @abstractmethod
    def _do_export(
        self, table: Table, output_url: Url, weight_threshold: float, **options: Any
    ) -> None:
        """Write a table.

        Args:
            table: The table.
            output_url: Where to; absolute.
            weight_threshold: Rows whose weight is below it are to be left out; `exported_rows` does
                so.
            options: Those of the format that the caller gave.
        """

    def _get_export_impl_method(self) -> Callable[..., Any]:
        """Return the method whose keywords are the options of the format."""
        return self._do_export

    def export(
        self, table: Table, output_url: Url, weight_threshold: float, options: Mapping[str, Any]
    ) -> None:
        """Write a table, having checked the options.

        Raises:
            TypeError: There is no such option; the message names the nearest that there is.
        """
        check_keywords(self, options)
        self._do_export(table, output_url, weight_threshold, **options)


class SerializingExporter(Exporter):
    """Writes one file, whose text an heir returns from `serialize`."""

    @abstractmethod
    def serialize(
        self, table: Table, output_url: Url, weight_threshold: float = 0.0, **options: Any
    ) -> str:
        """Return a table as text, which is written in UTF-8.

        Args:
            table: The table.
            output_url: Where the text will be; absolute.
            weight_threshold: Rows whose weight is below it are to be left out; `exported_rows` does
                so.
            options: Those of the format; an heir names them with their defaults.
        """

    def _do_export(
        self, table: Table, output_url: Url, weight_threshold: float, **options: Any
    ) -> None:
        text = self.serialize(table, output_url, weight_threshold, **options)
        write_file(output_url, [text.encode()])

    def _get_export_impl_method(self) -> Callable[..., Any]:
        return self.serialize


class RowExporter(SerializingExporter):
    """Writes one file with a text for each row, which an heir returns from `export_row`."""

    separator: ClassVar[str] = "\n"
    """What stands between the texts of two rows."""

    @abstractmethod
    def export_row(self, row: Mapping[str, Any], **options: Any) -> str:
        """Return a row as text.

        Args:
            row: All columns in row form; urls are absolute.
            options: Those of the format; an heir names them with their defaults.
        """

    def serialize(
        self, table: Table, output_url: Url, weight_threshold: float = 0.0, **options: Any
    ) -> str:
        """Return the texts of all rows with `separator` between them."""
        return "".join(self._pieces(table, weight_threshold, options))

    def _do_export(
        self, table: Table, output_url: Url, weight_threshold: float, **options: Any
    ) -> None:
        pieces = self._pieces(table, weight_threshold, options)
        write_file(output_url, (piece.encode() for piece in pieces))

    def _pieces(
        self, table: Table, weight_threshold: float, options: Mapping[str, Any]
    ) -> Iterator[str]:
        before = ""
        for row in exported_rows(table, weight_threshold):
            yield before + self.export_row(row, **options)
            before = self.separator

    def _get_export_impl_method(self) -> Callable[..., Any]:
        return self.export_row
