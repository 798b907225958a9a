"""Label files of YOLO: from text to numbers, one line per instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.text_file import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_HINT = "a label file has one instance per line: the id of its class and numbers, with spaces."


@dataclass
class Lines:
    """The lines of many label files, as numbers.

    Attributes:
        files: The label files.
        file: Position of each line's file in `files`, shape `(lines,)`.
        number: Number of each line in its file, from 1, shape `(lines,)`.
        start: Where the numbers of each line begin, and where the last ones end, `(lines + 1,)`.
        values: All numbers, the class first.
    """

    files: Sequence[str]
    file: Integers
    number: Integers
    start: Integers
    values: Floats

    def __len__(self) -> int:
        return len(self.file)

    @property
    def counts(self) -> Integers:
        """How many numbers each line has."""
        return np.diff(self.start)

    def record(self, line: int) -> tuple[str, str]:
        """Return the file of a line, and what to call the line in it."""
        return self.files[int(self.file[line])], f"line {self.number[line]}"

    def kept(self, keep: npt.NDArray[np.bool_]) -> Lines:
        """Return the lines where `keep` is true."""
        if keep.all():
            return self
        counts = self.counts
        start = np.concatenate([[0], np.cumsum(counts[keep])])
        values = self.values[np.repeat(keep, counts)]
        return Lines(self.files, self.file[keep], self.number[keep], start, values)


@dataclass
class _Collected:
    file: list[int] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    count: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def read_lines(contents: Iterable[bytes | None], files: Sequence[str], problems: Problems) -> Lines:
    """Return what label files say, as far as it is numbers.

    Args:
        contents: Content of each file, None where there is none.
        files: Their paths, for messages.
        problems: Gets lines that are no finite numbers (``LABEL_FORMAT``), files that are no plain
            text (``ENCODING``), and a note of lines that a file repeats (``DUP_ROW``).
    """
    found = _Collected()
    for position, content in enumerate(contents):
        if content:
            _read(content, position, files[position], found, problems)
    start = np.zeros(len(found.count) + 1, np.int64)
    np.cumsum(found.count, out=start[1:])
    lines = Lines(
        files,
        np.array(found.file, np.int64),
        np.array(found.number, np.int64),
        start,
        np.array(found.values, np.float64),
    )
    return finite(lines, problems)


def _read(content: bytes, position: int, file: str, found: _Collected, problems: Problems) -> None:
    if content.startswith(_UTF_16) or b"\0" in content:
        problems.add(_encoding(file, content))
        return
    rows = [line.split() for line in content.removeprefix(MARK).splitlines()]
    try:
        if b"_" in content:
            raise ValueError  # Python takes 1_0 for a number
        values = list(map(float, chain.from_iterable(rows)))
    except ValueError:
        rows = _numbers_only(rows, file, problems)
        values = list(map(float, chain.from_iterable(rows)))
    numbers = [number for number, row in enumerate(rows, 1) if row]
    found.file += [position] * len(numbers)
    found.number += numbers
    found.count += [len(row) for row in rows if row]
    found.values += values
    _note_repeated(rows, file, problems)


def _numbers_only(rows: list[list[bytes]], file: str, problems: Problems) -> list[list[bytes]]:
    """Return the rows with those made empty that are no numbers."""
    kept = []
    for number, row in enumerate(rows, 1):
        wrong = next((token for token in row if not _is_number(token)), None)
        kept.append([] if wrong is not None else row)
        if wrong is not None:
            text = wrong.decode("utf-8", "backslashreplace")
            problems.add(_problem(file, f"line {number}", text, "it is no number"))
    return kept


def _is_number(token: bytes) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return b"_" not in token


def _note_repeated(rows: list[list[bytes]], file: str, problems: Problems) -> None:
    texts = [b" ".join(row) for row in rows if row]
    if len(set(texts)) == len(texts):
        return
    first: dict[bytes, int] = {}
    for number, row in enumerate(rows, 1):
        before = first.setdefault(b" ".join(row), number)
        if row and before != number:
            problems.note(
                Problem(
                    code="DUP_ROW",
                    file=file,
                    record=f"line {number}",
                    message=f"it repeats line {before}, and is kept",
                )
            )


def finite(lines: Lines, problems: Problems) -> Lines:
    """Return the lines without NaN and infinities; the others are reported."""
    wrong = ~np.isfinite(lines.values)
    if not wrong.any():
        return lines
    owners = np.repeat(np.arange(len(lines)), lines.counts)[wrong]
    bad, first = np.unique(owners, return_index=True)
    values = lines.values[wrong][first]

    def problem(number: int) -> Problem:
        file, record = lines.record(int(bad[number]))
        return _problem(file, record, f"{values[number]:g}", "a number is not finite")

    problems.add_all("LABEL_FORMAT", len(bad), problem)
    keep = np.ones(len(lines), bool)
    keep[bad] = False
    return lines.kept(keep)


def _problem(file: str, record: str, value: str, message: str) -> Problem:
    return Problem(
        code="LABEL_FORMAT",
        file=file,
        record=record,
        value=shortened(value),
        message=message,
        hint=_HINT,
    )


def _encoding(file: str, content: bytes) -> Problem:
    is_wide = content.startswith(_UTF_16) or content.count(b"\0") * 3 > len(content)
    return Problem(
        code="ENCODING",
        file=file,
        record="",
        message=f"it is no plain text{', but UTF-16' if is_wide else ''}",
        hint="save it as UTF-8.",
    )
