"""The interface of sample types, and the one for values with a file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from tlc.errors import SchemaError
from tlc.sample_types.content import name_end
from tlc.sample_types.row_urls import UrlLike, is_url_like, to_row_url
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tlc.schemas import Schema


@dataclass(frozen=True)
class ValidationError:
    """What is wrong with a sample.

    Args:
        path: Where in the sample, as ``"labels.3"``; "" for the whole of it.
        message: What is wrong.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ExternalizationContext(Protocol):
    """Says where the files of a column go. Whoever writes a table provides it."""

    def new_url(self, extension: str) -> Url:
        """Return the absolute url of the next file, ending with `extension`: a free one."""
        ...


class SampleType(ABC):
    """Turns the values of one column from sample form to row form and back.

    The *sample form* is what training code sees, such as a PIL image; the *row form* is what edits,
    displays and files see: numbers, strings, bytes, lists and dictionaries. An heir writes
    `accepts`, `to_row` and `from_row`, and is registered with `register_sample_type`. It has no
    state but its schema, and must be picklable. None is the empty cell in both forms; `as_row`
    never hands it on, `from_row` must return it.

    Args:
        schema: Schema of the column.
    """

    name: ClassVar[str] = ""
    """Name that schemas call it by, set by `register_sample_type`."""

    takes: ClassVar[str] = ""
    """What values it takes, in words, for the message to somebody who gave another one."""

    elementwise: ClassVar[bool] = False
    """Whether in an array column the type is about each element, not about the whole cell."""

    is_included_in_sample: bool = True
    """Whether samples have the column."""

    is_identity: bool = False
    """Whether both forms are the same, so that nothing need be called."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Return whether `value` is to go through `to_row`; False if it is in row form already."""

    @abstractmethod
    def to_row(self, sample: Any, context: ExternalizationContext) -> Any:
        """Return the row form of a sample that `accepts` accepted.

        Raises:
            SchemaError: The sample does not fit the schema.
        """

    @abstractmethod
    def from_row(self, row: Any) -> Any:
        """Return the sample form of a row form."""

    def validate_sample(self, sample: Any) -> list[ValidationError]:
        """Return what is wrong with a sample that `accepts` accepted; nothing unless overridden."""
        return []

    def as_row(self, value: Any, context: ExternalizationContext) -> Any:
        """Return the row form of a value in either form, or of None: what writers call.

        Raises:
            SchemaError: The sample is not valid. The message lists all that is wrong.
        """
        if value is None or not self.accepts(value):
            return value
        if errors := self.validate_sample(value):
            raise SchemaError(
                f"The sample does not fit the sample type {self.name!r}: "
                f"{'; '.join(map(str, errors))}."
            )
        return self.to_row(value, context)


class LateSampleType(SampleType):
    """A sample type whose samples can be decoded late, when somebody looks at them."""

    @abstractmethod
    def late(
        self,
        read: Callable[[int], Any],
        part: Callable[[Sequence[str]], Callable[[int], Any] | None],
    ) -> Callable[[int], Any]:
        """Return what makes the sample of a row.

        What it is given may be called at any later time, or never.

        Args:
            read: Returns the row form of a row that is not None, with lists of numbers as arrays of
                its own.
            part: Returns what reads one part of such a row by its path, likewise; None if there is
                no such part, or not in every row.
        """


@dataclass(frozen=True)
class EncodedSample:
    """A sample that is encoded already, to be written as it is.

    Args:
        data: Content of the file.
        extension: End of the name of the file, such as ``".png"``.
    """

    data: bytes
    extension: str


def written(sample: EncodedSample, context: ExternalizationContext) -> str:
    """Write an encoded sample to a new file, whose name tells its checksum, and return its url."""
    url = context.new_url(name_end(sample.data, sample.extension))
    url.write_bytes(sample.data)
    return to_row_url(url)


class ExternalSampleType(SampleType):
    """A sample type with one file for each cell. The row form is the url of the file, a string.

    An heir writes `file_extension`, `save`, `load` and `accepts`; and `encode`, so that the name of
    the file tells its checksum. Wherever a sample can be written, so can

    - bytes or an `EncodedSample`: they become the file as they are, without `save`;
    - a str, `Path` or `Url`: the file is referenced where it is, and nothing is copied.
    """

    elementwise = True

    file_extension: ClassVar[str]
    """End of the names of files, with its dot."""

    @abstractmethod
    def save(self, sample: Any, url: Url) -> None:
        """Write `sample` to a new file at `url`."""

    def encode(self, sample: Any) -> bytes | None:
        """Return the content of the file of `sample`; None, unless overridden, to call `save`."""
        return None

    @abstractmethod
    def load(self, url: Url) -> Any:
        """Return the sample in the file at `url`, which is absolute."""

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is anything but a string in row form."""
        return not isinstance(value, str) or self.is_prepared(value)

    @staticmethod
    def is_prepared(value: Any) -> bool:
        """Return whether `value` is encoded already, or a reference that is not in row form yet."""
        return isinstance(value, (EncodedSample, bytes, bytearray)) or is_url_like(value)

    def as_row(self, value: Any, context: ExternalizationContext) -> Any:
        """Return the url of a sample, of something prepared or of None. See `SampleType.as_row`."""
        if self.is_prepared(value):
            return self.to_row(value, context)
        return super().as_row(value, context)

    def to_row(self, sample: Any, context: ExternalizationContext) -> str:
        """Return the url of the file of `sample`, which is written if it has none."""
        if is_url_like(sample):
            return to_row_url(sample)
        return self.externalize(sample, context)

    def externalize(self, sample: Any, context: ExternalizationContext) -> str:
        """Write `sample` to a new file and return its url. What is encoded is written as it is."""
        if isinstance(sample, (bytes, bytearray)):
            sample = EncodedSample(bytes(sample), self.file_extension)
        if not isinstance(sample, EncodedSample) and (data := self.encode(sample)) is not None:
            sample = EncodedSample(data, self.file_extension)
        if isinstance(sample, EncodedSample):
            return written(sample, context)
        url = context.new_url(self.file_extension)
        self.save(sample, url)
        return to_row_url(url)

    def from_row(self, row: UrlLike | None) -> Any:
        """Return the sample in the file that `row` is the url of; None for None."""
        return None if row is None else self.load(Url(row).to_absolute())
