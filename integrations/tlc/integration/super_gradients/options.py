"""Arguments of the callbacks, checked before a training begins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from tlc.errors import OptionError
from tlc.integration._reduction import check_reducer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.metrics.collection import Collectors

__all__ = ["as_list", "check_embeddings", "check_loader", "check_mode", "check_sizes"]

MODES = ("validation", "own_pass")
METHODS = ("pacmap", "umap", "pca", None)


def check_mode(mode: str, *, has_collectors: bool, own_pass_only: Mapping[str, bool]) -> None:
    """Check when metrics are collected.

    Args:
        mode: When.
        has_collectors: Whether collectors are given.
        own_pass_only: Names of what goes with a pass of its own only, and whether it is given.

    Raises:
        OptionError: It is no such mode, or does not go with the other arguments.
    """
    if mode not in MODES:
        raise OptionError(
            f"collect_on is {mode!r}.", hint=f"it is {' or '.join(map(repr, MODES))}."
        )
    if mode == "own_pass":
        return
    if not has_collectors:
        raise OptionError(
            'collect_on="validation" needs metrics_collectors, which get what the model returns.',
            hint='give them, or collect_on="own_pass".',
        )
    for name, is_given in own_pass_only.items():
        if is_given:
            raise OptionError(
                f"{name} has no effect on the trainer's own validation.",
                hint=f'leave {name} out, or give collect_on="own_pass".',
            )


def check_sizes(**sizes: int | None) -> None:
    """Check that numbers of images are positive, or None.

    Raises:
        OptionError: One is not.
    """
    for name, size in sizes.items():
        if size is not None and (not isinstance(size, int) or size < 1):
            raise OptionError(f"{name} is {size!r}.", hint="give a positive integer.")


def check_embeddings(dim: int, method: str | None, *, is_wanted: bool) -> None:
    """Check how embeddings are to be reduced, and that they can be.

    Raises:
        OptionError: There is no such method, or no such number of dimensions.
        MissingExtraError: The package of the method is not installed.
        BrokenExtraError: It is installed, but cannot be imported.
    """
    if method not in METHODS:
        known = " or ".join(map(repr, METHODS))
        raise OptionError(f"embeddings_method is {method!r}.", hint=f"it is {known}.")
    check_sizes(embeddings_dim=dim)
    if is_wanted and method is not None:
        check_reducer(method, {"n_components": dim})


def check_loader(arguments: Mapping[str, Any]) -> None:
    """Check arguments of a ``DataLoader`` of images.

    Raises:
        OptionError: One of them has a place elsewhere.
    """
    hints = {
        "batch_size": "give batch_size or inference_chunk_size to the callback.",
        "collate_fn": "leave it out: batches are lists of images.",
    }
    for name, hint in hints.items():
        if name in arguments:
            raise OptionError(f"dataloader_args has {name!r}.", hint=hint)


def as_list(collectors: Collectors | None) -> list[Any]:
    """Return collectors as a list."""
    if collectors is None:
        return []
    is_one = callable(collectors) or not isinstance(collectors, Iterable)
    return [collectors] if is_one else list(cast("Iterable[Any]", collectors))
