"""What a reducer is told: checked before anything is read or written."""

from __future__ import annotations

import difflib
import inspect
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SEED = 0
"""Seed of a reducer that is given none."""

_LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Settings:
    """What a reducer is told.

    Attributes:
        n_components: Numbers that each vector becomes.
        seed: Equal seeds give equal results; None for another result each time.
        standard_scaler_normalize: Whether each number of the vectors is brought to mean 0 and
            standard deviation 1 first.
        arguments: Arguments of the package's own reducer.
    """

    n_components: int
    seed: int | None = SEED
    standard_scaler_normalize: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)


def settings_of(method: str, n_components: int, given: Mapping[str, Any]) -> Settings:
    """Return what a reducer is told by keywords.

    Args:
        method: Name of the method, for messages.
        n_components: How many there are if the keywords do not say it.
        given: The keywords.

    Raises:
        OptionError: One has an impossible value.
    """
    arguments = {name: _as_plain(value) for name, value in given.items()}
    components = arguments.pop("n_components", None)
    seed = _seed(arguments)
    normalize = arguments.pop("standard_scaler_normalize", False)
    components = n_components if components is None else components
    if not _is_whole(components) or components < 1:
        raise OptionError(
            f"n_components={components!r} is not possible.", hint="it is a whole number from 1 up."
        )
    if not isinstance(normalize, bool):
        raise OptionError(f"standard_scaler_normalize={normalize!r} is neither True nor False.")
    _check_plain(method, arguments)
    return Settings(int(components), seed, normalize, arguments)


def check_known(
    method: str, arguments: Mapping[str, Any], reducer: Callable[..., Any], without: Sequence[str]
) -> None:
    """Check that a package's reducer takes some arguments.

    Args:
        method: Name of the method, for messages.
        arguments: The arguments.
        reducer: What takes them.
        without: Those of its arguments that make no sense here.

    Raises:
        OptionError: It does not take one of them.
    """
    known = [name for name in inspect.signature(reducer).parameters if name not in without]
    for name in arguments:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"it takes {', '.join(known) or 'none'}."
            hint = f"did you mean {near[0]!r}?" if near else hint
            raise OptionError(f"The method {method!r} takes no argument {name!r}.", hint=hint)


def _seed(arguments: dict[str, Any]) -> int | None:
    """Take the seed out of arguments; it may have the name that the packages give it."""
    seeds = [arguments.pop(name) for name in ("seed", "random_state") if name in arguments]
    if len(seeds) == 2 and seeds[0] != seeds[1]:
        raise OptionError(
            "seed and random_state are the same, and have different values.",
            hint="leave one of them out.",
        )
    seed = seeds[0] if seeds else SEED
    if seed is not None and (not _is_whole(seed) or not 0 <= seed <= _LARGEST_SEED):
        raise OptionError(
            f"seed={seed!r} is not possible.",
            hint=f"it is a whole number from 0 to {_LARGEST_SEED}, or None.",
        )
    return None if seed is None else int(seed)


def _as_plain(value: Any) -> Any:
    """Return a number of NumPy's as one of Python's, which JSON takes; others as they are."""
    return value.item() if isinstance(value, np.generic) else value


def _is_whole(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _check_plain(method: str, arguments: Mapping[str, Any]) -> None:
    """Check that arguments can be stored with the model."""
    for name, value in arguments.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise OptionError(
                f"{name}={value!r} of the method {method!r} cannot be stored with the model.",
                hint="arguments are numbers, texts, lists and dicts of such.",
            ) from error
