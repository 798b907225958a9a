"""Files of text as other programs write them: their encoding, and what only looks like text."""

from __future__ import annotations

from tlc.errors import AnnotationFileError, OptionError
from tlc.importers.report import Problem, shortened

UTF8 = "utf-8"
MARK = b"\xef\xbb\xbf"
"""What some programs write before UTF-8."""

SAVE_AS_UTF8 = "save the file as UTF-8."
"""A hint where no encoding can be passed."""

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
    *((b"BZh%d1AY&SY" % size, "a bzip2 file", "unpack it first.") for size in range(1, 10)),
    (b"\xfd7zXZ\x00", "an xz file", "unpack it first."),
    (b"PAR1\x15", "a Parquet file", "use from_parquet."),
    (b"ARROW1\x00\x00", "an Arrow file", "use from_arrow(pyarrow.ipc.open_file(...).read_all())."),
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


def utf8_text(data: bytes, file: object) -> bytes:
    """Return the content of a file that has to be UTF-8, without byte order mark.

    Args:
        data: The content.
        file: The file, for messages.

    Raises:
        AnnotationFileError: It has another encoding, which the message guesses, or is no text.
    """
    check_start(data, file, None, SAVE_AS_UTF8)
    data = data.removeprefix(MARK)
    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError as error:
        raise not_encoded(error, UTF8, file, 0, 0, SAVE_AS_UTF8) from error
    return data


def check_start(data: bytes, file: object, encoding: str | None, hint: str = "") -> None:
    """Refuse a file that its first bytes show to be no text, or text of another encoding.

    Args:
        data: The first bytes.
        file: The file.
        encoding: Its encoding; None if the caller did not say.
        hint: What to do about another encoding, if it cannot be passed.

    Raises:
        AnnotationFileError: It is something else, which the message guesses.
    """
    for start, what, advice in _BINARY:
        if data.startswith(start):
            raise refused("NOT_TEXT", file, "", f"this is {what}", hint=advice)
    if encoding is not None:
        return
    guess = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not guess and b"\x00" in data[:4]:
        guess = "utf-16-be" if data[:1] == b"\x00" else "utf-16-le"
    if guess:
        message = f"the text is no UTF-8, but probably {guess}"
        advice = hint or f'pass encoding="{guess}".'
        raise refused("ENCODING", file, "byte 0", message, hint=advice)


def known_encoding(encoding: str) -> str:
    """Return the usual name of an encoding.

    Raises:
        OptionError: There is none of that name.
    """
    import codecs

    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise OptionError(
            f"encoding is {encoding!r}, which Python does not know.",
            hint='it is a name such as "utf-16" or "cp1252".',
        ) from error


def not_encoded(
    error: UnicodeDecodeError, encoding: str, file: object, lines: int, start: int, hint: str = ""
) -> AnnotationFileError:
    """Return the error for text that is not of its encoding, with a guess at the right one.

    Args:
        error: What Python says.
        encoding: The encoding.
        file: The file.
        lines: Lines of the file before the text.
        start: Bytes of the file before the text.
        hint: What to do about it, if the encoding cannot be passed.
    """
    data, at = error.object, error.start
    guess = guessed_encoding(data)
    line = lines + data.count(b"\n", 0, at) + 1
    return refused(
        "ENCODING",
        file,
        f"line {line}, byte {start + at}",
        f"the text is no {encoding.upper()}"
        + (f", but probably {guess}" if guess != encoding else ""),
        value=data[at : at + 8],
        hint=hint or f'pass encoding="{guess}", or {SAVE_AS_UTF8}',
    )


def guessed_encoding(data: bytes) -> str:
    """Return an encoding that text which is no UTF-8 may have."""
    for guess in ("cp1252", "latin-1"):
        try:
            data.decode(guess)
        except UnicodeDecodeError:
            continue
        return guess
    raise AssertionError("latin-1 takes every byte")
