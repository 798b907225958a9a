"""Files of text as other programs write them: their encoding, and what only looks like text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.errors import AnnotationFileError, OptionError
from tlc.importers.report import Problem, shortened

if TYPE_CHECKING:
    from tlc.url import Url

_UTF8 = "utf-8"
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_BINARY = (
    (b"\x1f\x8b", "a gzip file", "unpack it first."),
    (b"PK\x03\x04", "a zip archive or a workbook", "unpack it, or save the sheet as CSV."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it first."),
    (b"BZh", "a bzip2 file", "unpack it first."),
    (b"\xfd7zXZ\x00", "an xz file", "unpack it first."),
    (b"PAR1", "a Parquet file", "use from_parquet."),
    (b"ARROW1", "an Arrow file", "use from_arrow(pyarrow.ipc.open_file(...).read_all())."),
    (b"SQLite format 3\x00", "a database of SQLite", "export the table that you want."),
)


def refused(
    code: str, file: object, record: str, message: str, *, value: object = "", hint: str = ""
) -> AnnotationFileError:
    """Return the error that a whole file cannot be read for.

    Args:
        code: The rule that it breaks.
        file: The file.
        record: The place in it; ``""`` if it is about all of it.
        message: What is wrong.
        value: What stands there.
        hint: What to do about it.
    """
    problem = Problem(
        code=code,
        file=str(file),
        record=record,
        value=shortened(value),
        message=message,
        hint=hint,
    )
    return AnnotationFileError(str(problem), hint=hint, problems=(problem,))


def utf8_text(data: bytes, encoding: str | None, file: Url) -> bytes:
    """Return the content of a file of text as UTF-8, without byte order mark.

    Args:
        data: The content.
        encoding: Its encoding; None for UTF-8 that was not asked for.
        file: The file, for messages.

    Raises:
        AnnotationFileError: It has another encoding, which the message guesses, or is no text.
        OptionError: There is no such encoding.
    """
    for start, what, hint in _BINARY:
        if data.startswith(start):
            raise refused("NOT_TEXT", file, "", f"this is {what}", hint=hint)
    encoding = _known(encoding or _guessed_by_mark(data, file))
    if encoding not in (_UTF8, "utf-8-sig"):
        data = _decoded(data, encoding, file).encode(errors="surrogatepass")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.isascii():
        _decoded(data, _UTF8, file)
    return data


def _known(encoding: str) -> str:
    import codecs

    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise OptionError(
            f"encoding is {encoding!r}, which Python does not know.",
            hint='it is a name such as "utf-16" or "cp1252".',
        ) from error


def _guessed_by_mark(data: bytes, file: Url) -> str:
    """Return UTF-8, if nothing at the start tells that it is not."""
    guess = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not guess and b"\x00" in data[:4]:
        guess = "utf-16-be" if data[:1] == b"\x00" else "utf-16-le"
    if guess:
        raise refused(
            "ENCODING",
            file,
            "byte 0",
            f"the text is no UTF-8, but probably {guess}",
            hint=f'pass encoding="{guess}".',
        )
    return _UTF8


def _decoded(data: bytes, encoding: str, file: Url) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        guess = _guess(data)
        raise refused(
            "ENCODING",
            file,
            f"line {line}, byte {error.start}",
            f"the text is no {encoding.upper()}"
            + (f", but probably {guess}" if guess != encoding else ""),
            value=data[error.start : error.start + 8],
            hint=f'pass encoding="{guess}", or save the file as UTF-8.',
        ) from error


def _guess(data: bytes) -> str:
    for guess in ("cp1252", "latin-1"):
        try:
            data.decode(guess)
        except UnicodeDecodeError:
            continue
        return guess
    raise AssertionError("latin-1 takes every byte")
