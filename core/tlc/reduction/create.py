"""Reducers by the name of their method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import OptionError
from tlc.reduction.pacmap import PacmapReducer
from tlc.reduction.pca import PcaReducer
from tlc.reduction.settings import settings_of
from tlc.reduction.umap import UmapReducer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.reduction.reducer import Reducer

_KINDS: dict[str, type[Reducer]] = {
    kind.method: kind for kind in (PacmapReducer, UmapReducer, PcaReducer)
}
METHODS = tuple(_KINDS)
"""Names of the methods."""


def create_reducer(method: str, reducer_args: Mapping[str, Any] | None = None) -> Reducer:
    """Return a reducer that is not fitted.

    Nothing is computed, but its package is imported: this is the way to find out early whether a
    method can be used.

    Args:
        method: ``"pacmap"``, ``"umap"`` or ``"pca"``.
        reducer_args: Its arguments: ``n_components``, ``seed``, ``standard_scaler_normalize``, and
            those of the package, see `tlc.reduction.reduce_embeddings`.

    Raises:
        OptionError: There is no such method, or it does not take an argument.
        MissingExtraError: Its package is not installed.
        BrokenExtraError: Its package is installed, but cannot be imported.
    """
    if method not in _KINDS:
        raise OptionError(
            f"There is no method {method!r} to reduce embeddings.",
            hint=f"it is one of {', '.join(map(repr, METHODS))}.",
        )
    kind = _KINDS[method]
    return kind(settings_of(method, kind.default_components, reducer_args or {}))
