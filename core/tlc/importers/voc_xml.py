"""One annotation file of Pascal VOC: an image and its boxes, by the names of the tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

_IMAGE = ("annotation",)
_SIZE = ("annotation", "size")
_OBJECT = ("annotation", "object")
_BOX = ("annotation", "object", "bndbox")
_MARKS = ("difficult", "truncated", "occluded", "pose", "name")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_SIZES = ("width", "height")
_WANTED = {_IMAGE: ("filename",), _SIZE: _SIZES, _OBJECT: _MARKS, _BOX: _CORNERS}


class VocXmlError(ValueError):
    """A file is no annotation.

    Attributes:
        code: The rule that it breaks.
        line: Where.
    """

    def __init__(self, code: str, line: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.line = line


@dataclass
class VocObject:
    """An object as it is written, without a part of it being checked.

    Attributes:
        line: Line of the file that it begins at.
        values: Name of a tag to its text: ``name``, ``xmin`` and so on.
    """

    line: int
    values: dict[str, str] = field(default_factory=dict)


@dataclass
class VocAnnotation:
    """What a file says.

    Attributes:
        values: ``filename``, ``width`` and ``height``, where they are there.
        objects: The objects, in the order of the file; parts of objects are left out.
    """

    values: dict[str, str] = field(default_factory=dict)
    objects: list[VocObject] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """The names of classes that its objects have."""
        return {each.values["name"] for each in self.objects if each.values.get("name")}


def as_number(text: str) -> float | None:
    """Return the number that a text is, which may be infinite or NaN; None if it is none."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def read_voc_xml(data: bytes) -> VocAnnotation:
    """Return what an annotation file says.

    Raises:
        ValueError: It is no XML, no annotation, or has a document type declaration, by which a
            file could make a parser read other files or fill the memory. As a `VocXmlError`.
    """
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise VocXmlError("XML", error.lineno, f"it is no XML: {reason}") from error
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        if isinstance(error, VocXmlError):
            raise
        line = reader.parser.CurrentLineNumber
        raise VocXmlError("ENCODING", line, f"its text cannot be read: {error}") from error
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found = VocAnnotation()
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._path: tuple[str, ...] = ()
        self._deeper = 0
        self._texts: list[str] = []
        self.parser.CharacterDataHandler = self._texts.append

    def _start(self, tag: str, _attributes: object) -> None:
        if not self._path and tag != "annotation":
            line = self.parser.CurrentLineNumber
            raise VocXmlError("XML", line, f"it begins with <{tag}>, not with <annotation>")
        self._texts.clear()
        if len(self._path) == len(_BOX) + 1:
            self._deeper += 1  # nothing is looked at there
            return
        self._path = (*self._path, tag)
        if self._path == _OBJECT:
            self.found.objects.append(VocObject(self.parser.CurrentLineNumber))

    def _end(self, tag: str) -> None:
        if self._deeper:
            self._deeper -= 1
            return
        parent = self._path[:-1]
        if tag in _WANTED.get(parent, ()):
            owner = (
                self.found.values if parent in (_IMAGE, _SIZE) else self.found.objects[-1].values
            )
            owner.setdefault(tag, "".join(self._texts).strip())
        self._path = parent
        self._texts.clear()

    def _refuse(self, *_declaration: object) -> NoReturn:
        message = "it has a document type declaration, which is not allowed"
        raise VocXmlError("XML_DTD", self.parser.CurrentLineNumber, message)
