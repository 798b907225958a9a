"""Exposure: how often a sampler draws each row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from tlc.dynamics.scores import Scores
from tlc.errors import OptionError, RowIndexError
from tlc.run.metrics_reader import opened

if TYPE_CHECKING:
    from tlc.dynamics.metrics_parts import AnyTable


class Plan(Protocol):
    """What is asked of a sampler; those of `tlc.samplers` have it."""

    def epoch_rows(self, epoch: int | None = None) -> npt.NDArray[np.int64]:
        """Return the rows of an epoch, of all ranks together, in the order of the visit."""
        ...


def exposure(sampler: Plan, table: AnyTable, epochs: int | Iterable[int]) -> Scores:
    """Return how often a sampler draws each row of a table.

    An epoch of `tlc.samplers` is a function of seed and number, so nothing needs to be stored: it
    can be told of a training that is over, by a sampler made in the same way with the same seed, or
    of one that has not begun. Counted is what the plan of the epochs says: rows that come again so
    that all ranks have equally many, and epochs that were broken off, are not known to it.

    Args:
        sampler: The sampler, such as `tlc.samplers.create_sampler` makes.
        table: The table that it was made from.
        epochs: How many epochs, counted from 0; or their numbers.

    Returns:
        `draws`, int64, how often each row comes; and `epochs_drawn`, int32, in how many epochs.

    Raises:
        OptionError: There is no epoch.
        RowIndexError: The sampler draws rows that the table does not have.
    """
    wanted = opened(table)
    assert wanted is not None
    numbers = list(epochs) if isinstance(epochs, Iterable) else range(epochs)
    if not numbers:
        raise OptionError(f"epochs={epochs!r} are none.", hint="give 1 or more.")
    count = len(wanted)
    draws, drawn = np.zeros(count, np.int64), np.zeros(count, np.int32)
    for number in numbers:
        found = np.bincount(sampler.epoch_rows(number), minlength=count)
        if len(found) > count:
            raise RowIndexError(
                f"Epoch {number} draws row {len(found) - 1}, but {wanted.url} has {count} rows.",
                hint="give the table that the sampler was made from.",
            )
        draws += found
        drawn += found > 0
    columns = {"draws": draws, "epochs_drawn": drawn}
    return Scores(wanted, columns, description=f"exposure over {len(numbers)} epochs")
