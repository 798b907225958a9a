"""CSV, JSON, and JSON lines."""

from __future__ import annotations

import base64
import csv
import io
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from tlc.errors import OptionError
from tlc.export.exporter import Exporter
from tlc.export.json_rows import json_rows
from tlc.export.json_text import json_list
from tlc.export.output import write_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tlc.table import Table
    from tlc.url import Url

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvExporter(Exporter):
    """Writes a line per row, in UTF-8.

    An empty cell is empty; booleans are ``true`` and ``false``; lists and dictionaries are JSON.
    """

    supported_format = "csv"
    file_extensions: ClassVar[frozenset[str]] = frozenset({".csv"})
    priority = 1

    def _do_export(
        self,
        table: Table,
        output_url: Url,
        weight_threshold: float,
        dialect: str = "excel",
        exclude_header: bool = False,
        escape_formulas: bool = False,
        **_: Any,
    ) -> None:
        """Write a CSV file.

        Args:
            table: The table.
            output_url: The file.
            weight_threshold: Rows whose weight is below it are left out.
            dialect: One of `csv.list_dialects`, or a `csv.Dialect`.
            exclude_header: Whether to leave out the line with the names of the columns.
            escape_formulas: Whether to put a quotation mark before texts that spreadsheets would
                take for formulas; it stays there when the file is imported.
        """
        try:
            csv.get_dialect(dialect) if isinstance(dialect, str) else csv.writer(
                io.StringIO(), dialect
            )
        except (csv.Error, TypeError) as error:
            raise OptionError(
                f"There is no CSV dialect {dialect!r}: {error}.",
                hint=f"there are {', '.join(csv.list_dialects())}.",
            ) from error
        header = None if exclude_header else table.columns
        rows = json_rows(table, weight_threshold, allow_infinite=True)
        write_file(output_url, _csv(header, rows, dialect, _safe if escape_formulas else _cell))


class NdjsonExporter(Exporter):
    """Writes a JSON object per row, each in a line of its own. NaN becomes null."""

    supported_format = "ndjson"
    file_extensions: ClassVar[frozenset[str]] = frozenset({".ndjson", ".jsonl"})
    priority = 1

    def _do_export(
        self,
        table: Table,
        output_url: Url,
        weight_threshold: float,
        ensure_ascii: bool = False,
        **_: Any,
    ) -> None:
        r"""Write a file of JSON lines.

        Args:
            table: The table.
            output_url: The file.
            weight_threshold: Rows whose weight is below it are left out.
            ensure_ascii: Whether to write all other characters as ``\uXXXX``.
        """
        encode = msgspec.json.Encoder().encode_lines
        pieces = (encode(rows) for rows in json_rows(table, weight_threshold))
        write_file(output_url, map(_ascii, pieces) if ensure_ascii else pieces)


class JsonExporter(Exporter):
    """Writes a list with a JSON object per row. NaN becomes null."""

    supported_format = "json"
    file_extensions: ClassVar[frozenset[str]] = frozenset({".json"})
    priority = 1

    def _do_export(
        self, table: Table, output_url: Url, weight_threshold: float, indent: int = 4, **_: Any
    ) -> None:
        """Write a JSON file.

        Args:
            table: The table.
            output_url: The file.
            weight_threshold: Rows whose weight is below it are left out.
            indent: Spaces before each level; 0 for no line breaks.
        """
        rows = chain.from_iterable(json_rows(table, weight_threshold))
        write_file(output_url, chain(json_list(rows, indent), [b"\n"]))


def _csv(
    header: list[str] | None,
    parts: Iterator[list[dict[str, Any]]],
    dialect: Any,
    cell: Callable[[Any], Any],
) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, dialect)
    if header is not None:
        writer.writerow(map(cell, header))
    for rows in parts:
        writer.writerows([map(cell, row.values()) for row in rows])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _safe(value: Any) -> Any:
    plain = _cell(value)
    return f"'{plain}" if isinstance(plain, str) and plain.startswith(_FORMULA) else plain


def _ascii(lines: bytes) -> bytes:
    """Return JSON whose characters beyond ASCII, which stand in strings only, are escaped."""
    text = lines.decode()
    if text.isascii():
        return lines
    return "".join(c if c.isascii() else _escaped(c) for c in text).encode()


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
