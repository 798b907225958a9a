"""Fitted reducers on disk: plain arrays, and JSON that says what they are.

Nothing here is a pickle, so reading one executes nothing. The packages' reducers are made anew of
the arrays.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tlc.errors import (
    ColumnNotFoundError,
    CorruptObjectError,
    ReducerVersionWarning,
    UnsupportedFormatError,
)
from tlc.format.manifest import Parent, digest, now
from tlc.reduction.create import METHODS, create_reducer
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.reduction.reducer import Reducer

MODEL = "model.json"
VERSION = 1
_FILE = re.compile(r"[0-9]+-[a-z_]+\.npy")
_DTYPES = ("float32", "float64")


class _Array(msgspec.Struct, frozen=True):
    """A file with one array, as NumPy writes it."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    digest: str


class _Stored(msgspec.Struct, frozen=True):
    """A reducer of one column."""

    source: str
    method: str
    n_components: int
    seed: int | None
    standard_scaler_normalize: bool
    arguments: dict[str, Any]
    packages: dict[str, str]
    facts: dict[str, Any]
    arrays: dict[str, _Array]


class _Model(msgspec.Struct, frozen=True):
    """The reducers of a table, by the column that they made."""

    version: int
    created: str
    fit_table: Parent
    columns: dict[str, _Stored]


def save_model(folder: Url, reducers: Mapping[str, tuple[str, Reducer]], fit_table: Parent) -> None:
    """Write fitted reducers.

    Args:
        folder: Where; nothing is there yet.
        reducers: Columns they make, to the columns they make them of, and themselves.
        fit_table: The table they were fitted on.
    """
    columns = {}
    for number, (target, (source, reducer)) in enumerate(reducers.items()):
        settings = reducer.settings
        columns[target] = _Stored(
            source,
            reducer.method,
            settings.n_components,
            settings.seed,
            settings.standard_scaler_normalize,
            settings.arguments,
            reducer.packages,
            reducer.facts,
            {
                name: _write(folder, f"{number}-{name}.npy", array)
                for name, array in reducer.arrays.items()
            },
        )
    model = _Model(VERSION, now(), fit_table, columns)
    data = msgspec.json.format(msgspec.json.encode(model), indent=2)
    UrlAdapterRegistry.create_binary_content_at_url(folder / MODEL, data)


def load_reducer(model_url: Url | str, column: str | None = None) -> Reducer:
    """Read a fitted reducer, as ``reduced.model_url`` leads to it.

    Nothing in the files is executed: they hold JSON and arrays of numbers, and each is checked
    against its digest.

    Args:
        model_url: Folder of the model.
        column: The column that it made; None if it made but one.

    Raises:
        UrlNotFoundError: There is no model.
        ColumnNotFoundError: It made no such column, or several and none is named.
        CorruptObjectError: A file is damaged, or is none of a model.
        UnsupportedFormatError: A newer version wrote it.
        MissingExtraError: The package of its method is not installed.
        BrokenExtraError: The package cannot be imported.
    """
    folder = Url(model_url).to_absolute()
    model = _read(folder)
    names = list(model.columns)
    if column is None and len(names) == 1:
        column = names[0]
    if column is None or column not in model.columns:
        what = "no column was named" if column is None else f"it did not make {column!r}"
        raise ColumnNotFoundError(
            f"The model {folder} made {', '.join(map(repr, names))}, and {what}.",
            hint="load_reducer(model_url, column) takes the name of the new column.",
        )
    return _reducer(folder, model.columns[column])


def _reducer(folder: Url, stored: _Stored) -> Reducer:
    if stored.method not in METHODS:
        raise UnsupportedFormatError(
            f"The model {folder} is of the method {stored.method!r}, which is not known here.",
            hint="pip install --upgrade opentlc.",
        )
    arguments = {
        **stored.arguments,
        "n_components": stored.n_components,
        "seed": stored.seed,
        "standard_scaler_normalize": stored.standard_scaler_normalize,
    }
    reducer = create_reducer(stored.method, arguments)
    for name, version in stored.packages.items():
        if reducer.packages.get(name) != version:
            warnings.warn(
                f"The reducer {stored.method!r} at {folder} was fitted with {name} {version}, but "
                f"{reducer.packages.get(name)} is installed: it may place vectors elsewhere. Hint: "
                f"install {name}=={version}, or fit anew.",
                ReducerVersionWarning,
                stacklevel=3,
            )
    reducer.arrays = {name: _array(folder, each) for name, each in stored.arrays.items()}
    reducer.facts = dict(stored.facts)
    return reducer


def _read(folder: Url) -> _Model:
    data = (folder / MODEL).read_bytes()
    try:
        model = msgspec.json.decode(data, type=_Model)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CorruptObjectError(f"The model {folder} cannot be read: {error}.") from error
    if model.version > VERSION:
        raise UnsupportedFormatError(
            f"{folder} was written as version {model.version} of a model; this version of tlc "
            f"reads {VERSION}.",
            hint="pip install --upgrade opentlc.",
        )
    return model


def _write(folder: Url, path: str, array: np.ndarray[Any, Any]) -> _Array:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    data = file.getvalue()
    UrlAdapterRegistry.create_binary_content_at_url(folder / path, data)
    return _Array(path, str(array.dtype), array.shape, digest(data))


def _array(folder: Url, stored: _Array) -> np.ndarray[Any, Any]:
    if not _FILE.fullmatch(stored.path) or stored.dtype not in _DTYPES:
        raise CorruptObjectError(f"The model {folder} names a file that no model has.")
    data = (folder / stored.path).read_bytes()
    if digest(data) != stored.digest:
        raise CorruptObjectError(
            f"The file {folder / stored.path} is damaged: its digest is another one.",
            hint="fit anew, or restore the file from a copy.",
        )
    try:
        array: np.ndarray[Any, Any] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except ValueError as error:
        raise CorruptObjectError(
            f"The file {folder / stored.path} holds no array: {error}."
        ) from error
    if array.shape != stored.shape or str(array.dtype) != stored.dtype:
        raise CorruptObjectError(f"The file {folder / stored.path} holds another array.")
    return array
