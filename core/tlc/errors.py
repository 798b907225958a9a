"""Every error that `tlc` raises on purpose.

All derive from `TlcError`, and each also from the built-in exception that a caller would expect. A
message says what happened and where, then what to do about it after "Hint:".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tlc.importers.report import Problem

__all__ = [
    "AliasError",
    "AnnotationFileError",
    "BranchWarning",
    "BrokenExtraError",
    "CacheWarning",
    "CellError",
    "CollectorError",
    "ColumnError",
    "ColumnLengthError",
    "ColumnNotFoundError",
    "ConfigurationError",
    "CorruptObjectError",
    "DamagedObjectWarning",
    "ExportError",
    "ExportWarning",
    "ExpressionError",
    "ImageReadError",
    "MetricsError",
    "MissingExtraError",
    "NameNotAllowedError",
    "NotPicklableError",
    "ObjectExistsError",
    "ObjectKindError",
    "ObjectNotFoundError",
    "OptionError",
    "OverwrittenRunWarning",
    "ReducerVersionWarning",
    "ReductionError",
    "ReuseWarning",
    "RevisionConflictError",
    "RowIndexError",
    "RowIndexTypeError",
    "RunStateError",
    "SchemaError",
    "StorageError",
    "StorageFullError",
    "StorageFullWarning",
    "StoragePermissionError",
    "TlcError",
    "TlcWarning",
    "UnknownSampleTypeError",
    "UnknownSchemeError",
    "UnsettledWriteError",
    "UnsupportedFormatError",
    "UnsupportedOperationError",
    "UrlExistsError",
    "UrlNotFoundError",
    "WeightError",
    "WriterStateError",
]


class TlcError(Exception):
    """Base of all errors of `tlc`.

    Args:
        message: What happened and where: file, row, column.
        hint: What to do about it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message} Hint: {hint}" if hint else message)

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors of worker processes arrive, whatever arguments they were made with."""
        return _remade, (type(self), self.args), vars(self)


def _remade(kind: type[TlcError], args: tuple[Any, ...]) -> TlcError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class ConfigurationError(TlcError, ValueError):
    """A setting in the configuration file or the environment is unknown or has a bad value."""


class AliasError(TlcError, ValueError):
    """A url alias is unknown, or its name is not allowed."""


class UnknownSchemeError(TlcError, ValueError):
    """No adapter is registered for the scheme of a url."""


class UnsupportedOperationError(TlcError, OSError):
    """The adapter of a url cannot do what was asked, such as writing over HTTP."""


class UrlNotFoundError(TlcError, FileNotFoundError):
    """Nothing exists at a url."""


class UrlExistsError(TlcError, FileExistsError):
    """Something exists already at a url that was to be created."""


class StorageError(TlcError, OSError):
    """The operating system or a store refused to read or write, or does not answer.

    Args:
        message: What happened, and at which url.
        errno: The number of the system's error, as in the module `errno`; None if there is none.
        hint: What to do about it.
    """

    def __init__(self, message: str, *, errno: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.errno = errno

    def __reduce__(self) -> tuple[Callable[..., StorageError], tuple[()]]:
        return partial(type(self), self.message, errno=self.errno, hint=self.hint), ()


class StorageFullError(StorageError):
    """There is no space left, or a quota is used up. What was stored before is intact."""


class StoragePermissionError(StorageError, PermissionError):
    """The user may not read or write there."""


class UnsettledWriteError(StorageError):
    """A store did not say whether it has written a file: it may be there or not."""


class NameNotAllowedError(TlcError, ValueError):
    """A project, dataset, table, run or column name cannot be used."""


class ObjectNotFoundError(UrlNotFoundError):
    """There is no table or run at a url."""


class ObjectExistsError(UrlExistsError):
    """A table or run exists already and `if_exists="raise"` was asked for."""


class ObjectKindError(TlcError, ValueError):
    """What lies at a url is not of the kind asked for: a run, say, where a table was wanted."""


class OptionError(TlcError, ValueError):
    """An argument is none of the words that it can be there."""


class ExpressionError(TlcError, ValueError):
    """A condition on rows cannot be understood, or does not fit the columns."""


class CorruptObjectError(TlcError, ValueError):
    """A stored file is damaged: its length, its digest or its content is wrong."""


class UnsupportedFormatError(TlcError, ValueError):
    """A stored object was written in a newer format than this version can read."""


class SchemaError(TlcError, ValueError):
    """A schema contradicts itself, or does not describe the data it is given."""


class UnknownSampleTypeError(TlcError, ValueError):
    """A schema names a sample type that is not registered."""


class ColumnError(TlcError, ValueError):
    """The columns of some data are not what they must be."""


class ColumnNotFoundError(TlcError, KeyError):
    """A table has no column of that name."""


class ColumnLengthError(ColumnError):
    """Columns that belong together differ in length."""


class CellError(TlcError, ValueError):
    """A value does not fit the schema of its column.

    Attributes:
        column: Name of the column.
        row: Index of the row, counted from the start of the table or of the batch.
    """

    def __init__(self, message: str, *, column: str, row: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.column = column
        self.row = row


class AnnotationFileError(TlcError, ValueError):
    """A file of annotations cannot be read, or a record in it is wrong.

    Attributes:
        problems: The first records that are wrong, each a `tlc.table.Problem` with the rule that it
            breaks; empty if no record could be read at all.
    """

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class ExportError(TlcError, ValueError):
    """A table does not have what a format needs, or has what the format cannot hold."""


class ImageReadError(TlcError, OSError):
    """An image cannot be read."""


class RowIndexError(TlcError, IndexError):
    """A row index or an example id lies outside its table."""


class RowIndexTypeError(TlcError, TypeError):
    """A table was indexed with a slice, a string or something else that is no row number."""


class RevisionConflictError(TlcError, ValueError):
    """Somebody else has committed a revision of the same base.

    Attributes:
        base: Url of the revision that the edits were made on.
        latest: Url of the newest revision now.
    """

    def __init__(self, message: str, *, base: object, latest: object, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.base = base
        self.latest = latest


class RunStateError(TlcError, RuntimeError):
    """There is no active run, or a run is in a state that does not allow what was asked."""


class WriterStateError(TlcError, RuntimeError):
    """A writer was used after it was finalized or aborted."""


class MetricsError(TlcError, ValueError):
    """Metrics do not fit the table they refer to."""


class CollectorError(TlcError, ValueError):
    """A metrics collector returned something that cannot be stored. The message names it."""


class WeightError(TlcError, ValueError):
    """Sample weights cannot be used: missing, negative, not finite, or all zero."""


class NotPicklableError(TlcError, TypeError):
    """Something that must travel to worker processes cannot be pickled."""


class MissingExtraError(TlcError, ImportError):
    """An optional package is not installed.

    Args:
        module: The module that could not be imported.
        extra: The extra that installs it.
        purpose: What it is needed for, to be read after "is needed".
    """

    def __init__(self, module: str, *, extra: str, purpose: str) -> None:
        super().__init__(
            f"The package {module.partition('.')[0]!r} is needed {purpose}, but is not installed.",
            hint=f"pip install 'opentlc[{extra}]'.",
        )
        self.module = module
        self.extra = extra


class BrokenExtraError(TlcError, ImportError):
    """An optional package is installed, but cannot be imported. The message says why."""


class ReductionError(TlcError, ValueError):
    """Embeddings cannot be reduced: too few rows, or a reducer failed. The message names it."""


class TlcWarning(UserWarning):
    """Base of all warnings of `tlc`."""


class BranchWarning(TlcWarning):
    """A lineage has branches; the newest one was taken and the message names the others."""


class CacheWarning(TlcWarning):
    """What can be made again could not be kept in the cache: reading takes longer, or more room."""


class DamagedObjectWarning(TlcWarning):
    """A stored object could not be read and was passed over; the message names it."""


class ExportWarning(TlcWarning):
    """A format cannot hold some of a table, which was left out; the message counts it."""


class OverwrittenRunWarning(TlcWarning):
    """A run that this process works on was overwritten or deleted by somebody else."""


class ReducerVersionWarning(TlcWarning):
    """A fitted reducer was stored with another version of its package than the one that is here."""


class StorageFullWarning(TlcWarning):
    """There is no space left; what could not be stored waits in memory, to be tried again."""


class ReuseWarning(TlcWarning):
    """An existing table was returned although it was made from other data."""
