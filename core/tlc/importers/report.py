"""What an import found wrong: every problem with its rule, file and record, and how many of each.

An importer puts what it finds into `Problems`, whether it stops an import or not. From there it
goes to the error that the caller gets, or to the `ImportReport` in the table's manifest.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from tlc.errors import AnnotationFileError, CorruptObjectError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXAMPLES = 10
"""Problems of one rule that a report tells in full; the others are counted."""

MOST = 100
"""Problems after which an import with ``on_error="raise"`` gives up."""

_LONGEST_VALUE = 80


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a source of data that breaks a rule.

    Attributes:
        code: The rule, such as ``"BOX_RANGE"``.
        file: Where it is: path or url.
        record: The place in the file, such as ``"annotations[3] (id 17)"`` or ``"line 3"``.
        value: What stands there, shortened.
        message: What is wrong with it.
        hint: What to do about it.
    """

    code: str
    file: str
    record: str
    value: str = ""
    message: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}: {self.record}" if self.record else self.file
        value = f" It is {self.value}." if self.value else ""
        return f"{place}: {self.message} ({self.code}).{value}"


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an importer met on its way: in the manifest of the table that it made.

    Attributes:
        rows: Rows of the table.
        skipped: Records that were left out, each for a problem.
        clipped: Boxes that reached out of their image a little, and were cut at its border.
        counts: Rule to how often it was broken, those included that nothing was left out for.
        examples: Rule to its first problems, at most 10 of each.
    """

    rows: int = 0
    skipped: int = 0
    clipped: int = 0
    counts: dict[str, int] = {}
    examples: dict[str, tuple[Problem, ...]] = {}

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ImportReport:
        """Return what `to_dict` was made of.

        Raises:
            CorruptObjectError: It was made of something else.
        """
        try:
            return msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise CorruptObjectError(f"The report of an import cannot be read: {error}.") from error


class Problems:
    """Collects what is wrong with a source of data.

    Args:
        on_error: ``"raise"`` lets `check` fail if a record is wrong, and `add` after 100 of them;
            ``"skip"`` only counts.

    Raises:
        OptionError: `on_error` is neither.
    """

    def __init__(self, on_error: str) -> None:
        if on_error not in ("raise", "skip"):
            raise OptionError(
                f"on_error is {on_error!r}.",
                hint='it is "raise", or "skip" to leave out records that are wrong.',
            )
        self.clipped = 0
        self._raises = on_error == "raise"
        self._wrong = 0
        self._skipped = 0
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[Problem]] = {}
        self._first: list[Problem] = []

    def add(self, problem: Problem, *, left_out: bool = True) -> None:
        """Note a record that is wrong.

        Args:
            problem: What is wrong with it.
            left_out: Whether ``on_error="skip"`` leaves it out; else it is counted only.

        Raises:
            AnnotationFileError: It is the last straw.
        """
        self.add_all(problem.code, 1, lambda _number: problem, left_out=left_out)

    def add_all(
        self,
        code: str,
        count: int,
        problem: Callable[[int], Problem],
        *,
        left_out: bool = True,
    ) -> None:
        """Note that `count` records are wrong in the same way.

        Args:
            code: The rule that they break.
            count: How many there are.
            problem: Gives the first, second, ... of them; asked for a few only.
            left_out: As for `add`.

        Raises:
            AnnotationFileError: There are too many by now.
        """
        self._note(code, count, problem)
        self._wrong += count
        self._skipped += count if left_out else 0
        room = EXAMPLES - len(self._first)
        self._first += [problem(number) for number in range(min(count, room))]
        if self._wrong >= MOST:
            self.check()

    def note(self, problem: Problem) -> None:
        """Note what breaks a rule, but has a meaning: nothing is left out."""
        self.note_all(problem.code, 1, lambda _number: problem)

    def note_all(self, code: str, count: int, problem: Callable[[int], Problem]) -> None:
        """Note `count` such things; the arguments are those of `add_all`."""
        self._note(code, count, problem)

    def check(self) -> None:
        """Fail if records are wrong and the caller does not want to go on.

        Raises:
            AnnotationFileError: So it is; it tells the first problems and counts all.
        """
        if self._raises and self._wrong:
            raise _error(self._first, self._wrong)

    def report(self, rows: int) -> ImportReport:
        """Return what was found, for a table of so many rows."""
        return ImportReport(
            rows=rows,
            skipped=self._skipped,
            clipped=self.clipped,
            counts=dict(sorted(self._counts.items())),
            examples={code: tuple(found) for code, found in sorted(self._examples.items())},
        )

    def _note(self, code: str, count: int, problem: Callable[[int], Problem]) -> None:
        if not count:
            return
        self._counts[code] += count
        examples = self._examples.setdefault(code, [])
        examples += [problem(number) for number in range(min(count, EXAMPLES - len(examples)))]


def shortened(value: object) -> str:
    """Return a value as the text that a problem shows of it."""
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def _error(problems: Sequence[Problem], count: int) -> AnnotationFileError:
    first = problems[0]
    if count == 1:
        text = str(first)
    else:
        listed = "".join(f"\n  {problem}" for problem in problems)
        more = f"\n  and {count - len(problems)} more" if count > len(problems) else ""
        text = f"{count} records cannot be imported:{listed}{more}\n"
    skip = 'pass on_error="skip" to leave out such records.'
    hint = f"{first.hint.rstrip('.')}; or {skip}" if first.hint else skip
    return AnnotationFileError(text, hint=hint, problems=problems)
