"""A table as text, and as HTML for notebooks: schema and first rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import TlcError

if TYPE_CHECKING:
    from tlc.schemas import Schema
    from tlc.table.reading import Reading

_FIRST_ROWS = 5
_WIDEST = 40
_THUMBNAIL = 160


def text(table: Reading) -> str:
    """Return name, size, schema and first rows, one line each."""
    lines = [headline(table)]
    lines += [f"  {name}: {describe(schema)}" for name, schema in _columns(table)]
    rows = first_rows(table)
    if rows:
        lines.append("first rows:")
        lines += [f"  {number}: {', '.join(cells)}" for number, cells in enumerate(rows)]
    return "\n".join(lines)


def html(table: Reading) -> str:
    """Return headline, and one HTML table with a column per column: type, then first rows."""
    names = [name for name, _ in _columns(table)]
    kinds = [describe(schema) for _, schema in _columns(table)]
    head = "".join(
        f"<th>{_escape(n)}<br><small>{_escape(k)}</small></th>"
        for n, k in zip(names, kinds, strict=True)
    )
    body = "".join(
        f"<tr><td>{number}{_thumbnail(table, number)}</td>"
        f"{''.join(f'<td>{_escape(cell)}</td>' for cell in cells)}</tr>"
        for number, cells in enumerate(first_rows(table))
    )
    return (
        f"<div><b>{_escape(headline(table))}</b><table><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _thumbnail(table: Reading, number: int) -> str:
    """Return the picture of a row as HTML; nothing where there is none to be had."""
    import base64
    import io

    from tlc.drawing.picture import image_column  # late: only notebooks show HTML

    if image_column(table.rows_schema) is None:
        return ""
    try:
        picture = table.show(number, width=_THUMBNAIL)
    except (TlcError, OSError, ImportError):
        return ""  # the cell beside it has the url, which says more
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<br><img alt="row {number}" src="data:image/jpeg;base64,{data}">'


def headline(table: Reading) -> str:
    """Return what the table is, how long, and where."""
    what = "Table (partial)" if table.is_partial else "Table"
    return f"{what} {table.name!r}: {len(table)} rows, {len(table.columns)} columns, {table.url}"


def describe(schema: Schema) -> str:
    """Return a schema in a few words: ``int32 label (cat, dog, ... 10)``."""
    if schema.is_composite:
        inner = ", ".join(f"{name}: {describe(part)}" for name, part in schema.values.items())
        return f"{{{inner}}}"
    kind = type(schema.value).__name__.removesuffix("Value").lower()
    shape = "".join(f"[{size if size >= 0 else ''}]" for size in schema.shape)
    words = [f"{kind}{shape}"]
    if schema.sample_type:
        words.append(f"as {schema.sample_type}")
    value_map = getattr(schema.value, "map", None)
    if value_map:
        names = [e.internal_name or e.display_name for e in value_map.values()]
        shown = ", ".join(names[:3]) + (f", ... {len(names)}" if len(names) > 3 else "")
        words.append(f"({shown})")
    return " ".join(words)


def first_rows(table: Reading, count: int = _FIRST_ROWS) -> list[list[str]]:
    """Return the first rows as short texts, one per column."""
    names = [name for name, _ in _columns(table)]
    rows = (table.table_rows[index] for index in range(min(count, len(table))))
    return [[short(row[name]) for name in names] for row in rows]


def short(value: Any) -> str:
    """Return a value in at most 40 characters; of long texts the end, which tells paths apart."""
    shown = _text(value)
    if len(shown) <= _WIDEST:
        return shown
    return f"...{shown[3 - _WIDEST :]}" if isinstance(value, str) else f"{shown[: _WIDEST - 3]}..."


def counted(count: int, what: str) -> str:
    """Return a number with what is counted: ``1 row``, ``2,000 rows``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value[:_WIDEST]))}]"
    return str(value)


def _columns(table: Reading) -> list[tuple[str, Schema]]:
    return list(table.rows_schema.values.items())


def _escape(value: str) -> str:
    from html import escape  # late: only notebooks show HTML

    return escape(value)
