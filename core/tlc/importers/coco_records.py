"""Records of a COCO file, decoded with types: those that are right, many at a time.

Most of the time of a usual loader goes to building objects that nobody asks for, and to the garbage
collector that walks over them again and again. So members of no use are passed over, and what is
decoded becomes arrays before the next piece of the file is read.
"""

from __future__ import annotations

import gc
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from tlc.importers.report import Problem, shortened
from tlc.importers.text_file import guessed_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.importers.json_stream import JsonObject, Piece
    from tlc.importers.report import Problems

_MOST_EXTRAS = 100
_IDS = ("id", "image_id", "category_id")
_TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")
_UNNAMEABLE = re.compile(r'[\\"\x00-\x1f\ud800-\udfff]')
_UNKNOWN = re.compile(r"unknown field `(.*?)`(?: - at `\$[^`]*`)?$", re.DOTALL)

Integer = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Skipped = msgspec.Raw


class Image(msgspec.Struct, gc=False):
    """An image of a COCO file."""

    id: Integer
    file_name: str
    width: float | None = None
    height: float | None = None


class Category(msgspec.Struct, gc=False):
    """A class of things, for keypoints with their names and edges."""

    id: Integer
    name: str
    supercategory: str | None = None
    keypoints: list[str] | None = None
    skeleton: list[tuple[int, int]] | None = None


class Rle(msgspec.Struct, gc=False):
    """A mask as runs: compressed, or a list of their lengths."""

    counts: str | list[Integer]
    size: tuple[Integer, Integer]


class Annotation(msgspec.Struct, gc=False):
    """What all annotations have."""

    image_id: Integer
    category_id: Integer
    id: Integer | None = None
    area: float | None = None
    iscrowd: Literal[0, 1] | bool = 0


class DetectAnnotation(Annotation, gc=False, kw_only=True):
    """An annotation, for its box."""

    bbox: tuple[float, float, float, float]
    segmentation: Skipped = Skipped()
    keypoints: Skipped = Skipped()
    num_keypoints: Skipped = Skipped()


class SegmentAnnotation(Annotation, gc=False, kw_only=True):
    """An annotation, for its mask."""

    segmentation: list[list[float]] | Rle | None = None
    bbox: Skipped = Skipped()
    keypoints: Skipped = Skipped()
    num_keypoints: Skipped = Skipped()


class PoseAnnotation(Annotation, gc=False, kw_only=True):
    """An annotation, for its keypoints and its box."""

    keypoints: list[float] | None = None
    bbox: tuple[float, float, float, float] | None = None
    segmentation: Skipped = Skipped()
    num_keypoints: Skipped = Skipped()


class RecordReader:
    """Decodes the records of one list.

    Args:
        kind: Type of a record. Members that it does not have are kept as `extras`.
        name: Name of the list.
        file: What to call the file.
        problems: Gets the records that are wrong.

    Attributes:
        extras: Names of the other members that were met so far; record types have them as
            ``extra_0`` and so on, None where they are missing.
    """

    def __init__(
        self, kind: type[msgspec.Struct], name: str, file: str, problems: Problems
    ) -> None:
        self.extras: list[str] = []
        self._kind, self._name, self._file, self._problems = kind, name, file, problems
        self._checked: list[Any] = []
        self._number = 0
        self._takes_all = False
        fields = msgspec.structs.fields(kind)
        self._skipped = {field.name for field in fields if field.type is Skipped}
        self._make()

    def read(self, source: JsonObject) -> Iterator[tuple[list[int] | range, list[Any]]]:
        """Yield records, and their numbers in the list, from the list that comes next.

        Raises:
            ValueError: The list is broken.
            AnnotationFileError: Too many records are wrong.
        """
        for piece in source.pieces(self._check):
            with collector_off():
                if piece.ends is None:
                    records, numbers = self._checked, range(self._number, 0)
                    numbers = range(self._number, self._number + len(records))
                    self._number += len(records)
                    self._checked = []
                    yield numbers, records
                else:
                    yield self._one_by_one(piece)

    def _make(self) -> None:
        members = {f"extra_{number}": name for number, name in enumerate(self.extras)}
        kind = msgspec.defstruct(
            self._kind.__name__,
            [(member, Any, None) for member in members],
            bases=(self._kind,),
            rename=members,
            forbid_unknown_fields=not self._takes_all,
            gc=False,
            kw_only=True,
        )
        self._type = kind
        self._many = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        self._one = msgspec.json.Decoder(kind)

    def _check(self, data: bytes) -> int | None:
        """Decode a list. See `JsonObject.pieces`."""
        while True:
            try:
                with collector_off():
                    self._checked = self._many.decode(data)
            except msgspec.ValidationError as error:
                if not self._learn(str(error)):
                    return -1
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                found = _TRAILING.search(str(error))
                return data.rindex(b"]", 0, int(found[1])) if found else -1
            else:
                return None

    def _learn(self, reason: str) -> bool:
        """Add the member that a record had, but not its type; return whether that was the case."""
        found = _UNKNOWN.search(reason)
        if not found or found[1] in self.extras or ".segmentation" in reason:
            return False
        if _UNNAMEABLE.search(found[1]) or len(self.extras) == _MOST_EXTRAS:
            self._forgo(found[1])
        else:
            self.extras.append(found[1])
        self._make()
        return True

    def _forgo(self, member: str) -> None:
        self._takes_all = True
        problem = Problem(
            code="MEMBER_LEFT_OUT",
            file=self._file,
            record=f"{self._name}[{self._number}]",
            value=repr(member),
            message=f"the member is not kept, nor others after it but {', '.join(self.extras)}",
        )
        self._problems.note(problem)

    def _one_by_one(self, piece: Piece) -> tuple[list[int], list[Any]]:
        numbers, records = [], []
        for text in piece.records():
            record = self._decoded(text)
            if record is not None:
                numbers.append(self._number)
                records.append(record)
            self._number += 1
        return numbers, records

    def _decoded(self, text: bytes) -> Any:
        while True:
            try:
                return self._one.decode(text)
            except msgspec.ValidationError as error:
                reason = str(error)
                if not self._learn(reason):
                    break
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                return self._with_odd_numbers(text, str(error))
        self._problems.add(self._problem(text, reason))
        return None

    def _with_odd_numbers(self, text: bytes, reason: str) -> Any:
        """Return a record that may hold NaN or Infinity, which Python writes but JSON has not."""
        try:
            members = json.loads(text)
            if isinstance(members, dict):
                members = {n: v for n, v in members.items() if n not in self._skipped}
            return msgspec.convert(members, self._type)
        except msgspec.ValidationError as error:
            reason = str(error)
            if self._learn(reason):
                return self._with_odd_numbers(text, reason)
        except (ValueError, RecursionError):
            pass
        self._problems.add(self._problem(text, reason))
        return None

    def _problem(self, text: bytes, reason: str) -> Problem:
        code, hint = "BAD_RECORD", "see https://cocodataset.org/#format-data"
        message, _, path = reason.partition(" - at `$")
        where = f"{path.strip('.`')}: " if path else ""
        message = f"{where}{message[:1].lower()}{message[1:]}"
        if path.rpartition(".")[2].strip("`") in _IDS and "got `str`" in message:
            hint = "ids are whole numbers: write them without quotes, or number what they name"
        if not _is_utf8(text):
            guess = guessed_encoding(text)
            code, message = "ENCODING", f"the text is no UTF-8, but probably {guess}"
            hint = f'pass encoding="{guess}", or save the file as UTF-8'
        return Problem(
            code=code,
            file=self._file,
            record=f"{self._name}[{self._number}]",
            value=shortened(text[:200].decode("utf-8", "replace")),
            message=message,
            hint=hint,
        )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def collector_off() -> Iterator[None]:
    """Let the garbage collector rest: what is decoded holds no circles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
