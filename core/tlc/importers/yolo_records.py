"""The records of a YOLO data set in one NDJSON file, which may be larger than memory."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from tlc.errors import AnnotationFileError, OptionError
from tlc.importers.report import Problem, shortened
from tlc.importers.text_file import SAVE_AS_UTF8, refused
from tlc.importers.text_pieces import TextPieces
from tlc.importers.yolo_images import shown

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tlc.importers.report import Problems
    from tlc.importers.text_pieces import Piece
    from tlc.url import Url

_HINT = "each line is one JSON object."
_FIRST_LINE = '{"type": "dataset", "task": "detect", "class_names": {"0": ...}}'
_NOT_DECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class DataSet(msgspec.Struct, gc=False):
    """The first record of a file."""

    type: str = ""
    task: str = ""
    class_names: dict[int, str] | list[str] = []
    kpt_shape: tuple[int, int] | None = None


class Annotations(msgspec.Struct, gc=False):
    """The labels of an image: for each task, a list of numbers per instance."""

    boxes: list[list[float]] | None = None
    segments: list[list[float]] | None = None
    pose: list[list[float]] | None = None
    obb: list[list[float]] | None = None


class Image(msgspec.Struct, gc=False):
    """Any other record."""

    type: str = ""
    file: str = ""
    url: str = ""
    width: int | None = None
    height: int | None = None
    split: str = ""
    annotations: Annotations | None = None


class _Split(msgspec.Struct, gc=False):
    split: str = ""


@dataclass
class Records:
    """Images of a file, with the number of the line of each."""

    images: list[Image] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class YoloRecords:
    """The records of a file, read anew each time that they are asked for.

    Args:
        place: The file.

    Attributes:
        file: What to call it in messages.
        data_set: Its first record.

    Raises:
        UrlNotFoundError: There is no such file.
        AnnotationFileError: It does not begin with the record of a data set.
    """

    def __init__(self, place: Url) -> None:
        self.file = shown(place.to_str())
        self._text = TextPieces(place, None, _last_line_end, hint=SAVE_AS_UTF8)
        self._first = 0
        self.data_set = self._read_data_set()

    def digest(self) -> str:
        """Return the digest of the file, for which it is read if it was not before.

        Raises:
            AnnotationFileError: It is no UTF-8.
        """
        if not self._text.digest:
            for _ in self._pieces():
                pass
        return self._text.digest

    def check_split(self, split: str) -> None:
        """Refuse a split that no record is of.

        Raises:
            OptionError: So it is.
            AnnotationFileError: The file is no UTF-8.
        """
        found: set[str] = set()
        decoder = msgspec.json.Decoder(_Split)
        with closing(self._pieces()) as pieces:
            for _, before, lines in pieces:
                for _, line in self._records(before, lines):
                    try:
                        found.add(decoder.decode(line).split)
                    except _NOT_DECODED:
                        continue  # `images` reports it
                    if split in found:
                        return
        raise OptionError(
            f"{self.file} has no split {split!r}.",
            hint=f"it has {', '.join(map(repr, sorted(found))) or 'none'}.",
        )

    def images(self, split: str | None, problems: Problems) -> Iterator[Records]:
        """Yield some records after others.

        Args:
            split: Which images; None for all.
            problems: Gets the lines that are no such records.

        Raises:
            AnnotationFileError: The file is no UTF-8, or too many lines are wrong.
        """
        decoder = msgspec.json.Decoder(Image)
        for piece, before, lines in self._pieces():
            found = Records()
            for number, line in self._records(before, lines):
                try:
                    image = decoder.decode(line)
                except _NOT_DECODED as error:
                    is_last = number == before + len(lines)
                    problems.add(self._broken(piece, number, line, error, is_last=is_last))
                    continue
                if split is None or image.split == split:
                    found.images.append(image)
                    found.lines.append(number)
            yield found

    def _read_data_set(self) -> DataSet:
        with closing(self._pieces()) as pieces:
            for _, before, lines in pieces:
                for number, line in self._records(before, lines):
                    data_set = self._decoded(line, number)
                    if data_set.type == "dataset":
                        self._first = number
                        return data_set
                    raise self._no_data_set()
        raise self._no_data_set()

    def _decoded(self, line: bytes, number: int) -> DataSet:
        try:
            return msgspec.json.decode(line, type=DataSet, strict=False)
        except _NOT_DECODED as error:
            record = f"line {number}"
            raise refused(_rule(error), self.file, record, str(error), hint=_HINT) from error

    def _no_data_set(self) -> AnnotationFileError:
        return refused(
            *("NDJSON_DATASET", self.file, "", "it does not begin with the record of a data set"),
            hint=f"the first line is {_FIRST_LINE}.",
        )

    def _broken(
        self, piece: Piece, number: int, line: bytes, error: Exception, *, is_last: bool
    ) -> Problem:
        record, code, message = f"line {number}", _rule(error), str(error)
        if is_last and not piece.data.endswith((b"\n", b"\r")):
            record = f"{record}, byte {piece.start + len(piece.data) - len(line)}"
            code, message = "NDJSON_TRUNCATED", "the file ends in the middle of a record"
        value = shortened(line.decode("utf-8", "backslashreplace"))
        return Problem(
            code=code, file=self.file, record=record, value=value, message=message, hint=_HINT
        )

    def _records(self, before: int, lines: list[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield the lines after the first record that are not blank, with their numbers."""
        for number, line in enumerate(lines, before + 1):
            if number > self._first and line.strip():
                yield number, line

    def _pieces(self) -> Generator[tuple[Piece, int, list[bytes]], None, None]:
        """Yield the pieces of the file: each, how many lines are before it, and its lines."""
        before = 0
        for piece in self._text:
            lines = piece.data.splitlines()
            yield piece, before, lines
            before += len(lines)


def _rule(error: Exception) -> str:
    return "JSON_TYPE" if isinstance(error, msgspec.ValidationError) else "JSON_SYNTAX"


def _last_line_end(data: bytes) -> int:
    """Return where the last whole line ends; 0 if none does."""
    # Old line ends of Macs count; but of one at the very end, the other half may follow.
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
