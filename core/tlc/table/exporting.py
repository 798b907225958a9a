"""The part of `Table` that writes files for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tlc.table.reading import Reading

if TYPE_CHECKING:
    import os

    from tlc.table.table import Table
    from tlc.url import Url


class Exporting(Reading):
    """Exports tables."""

    def export(
        self,
        output_url: Url | str | os.PathLike[str],
        format: str | None = None,
        weight_threshold: float = 0.0,
        **options: Any,
    ) -> Url:
        """Write the table as a file or folder that other programs read.

        A file has its name only when it is whole, and takes the place of one that was there;
        folders are new ones, unless the format says otherwise.

        Args:
            output_url: Where to.
            format: One of `tlc.export.list_exporter_formats`; None to tell it from the end of the
                url and the columns of the table.
            weight_threshold: Rows whose weight is below it are left out.
            options: Those of the format; ``tlc export --help`` lists them.

        Returns:
            The url, absolute.

        Raises:
            OptionError: There is no such format, or none or several can be told (a ValueError).
            TypeError: The format has no such option.
            ExportError: The table does not have what the format needs (a ValueError).
            StorageError: The system refuses to write.
        """
        from tlc.export import export_table  # late: few programs export

        return export_table(cast("Table", self), output_url, format, weight_threshold, options)
