"""The one torch sampler: walks through the epochs of a plan, alone or as one of several ranks."""

from __future__ import annotations

import itertools
import operator
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import DistributedSampler

from tlc._optional import loaded
from tlc.errors import ConfigurationError
from tlc.samplers.plans import Plan, Rows, deal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SamplerOptions", "TableSampler"]

# Row numbers become Python integers in pieces: a list of 20 million takes 800 MB, and short lists
# stay in the cache.
_PIECE = 1 << 12


class SamplerOptions(TypedDict, total=False):
    """Keywords of `TableSampler`, which explains them, that all samplers and functions hand on."""

    seed: int | None
    num_replicas: int | None
    rank: int | None
    even: bool


class TableSampler(DistributedSampler[int]):
    """Yields the row numbers that a plan gives for each epoch.

    An epoch depends on `(seed, epoch)` alone, so every rank plans the same one and takes its share
    of it: rank `r` of `W` takes rows `r`, `r + W`, `r + 2W` ... of the plan.

    **Epochs.** Each new pass over the sampler is a new epoch, counted from 0, whether the pass
    before was finished or not; nobody has to call anything to see a new order. After `set_epoch(e)`
    the next pass is epoch `e`. Under several ranks call it, as for any distributed sampler
    (Lightning does), or start equally many passes on each rank.

    **Ranks.** They are read from `torch.distributed` when first needed, so the sampler may be made
    before the process group. Without a process group there is one rank. As a `DistributedSampler`
    it is left alone by Lightning. Accelerate, and the Hugging Face trainer with it, deals out
    *batches* of whatever sampler it is given: make the sampler with `num_replicas=1, rank=0` there,
    or rows are dealt twice and most are never seen.

    **Equal shares.** Training under DDP waits for ever when one rank has a batch more than another.
    So by default up to `W - 1` of an epoch's first rows come again at its end, to make all shares
    equally long, as torch's own class does. With `even=False` the ranks together are the epoch
    exactly: no row is added or dropped, and shares differ in length by at most one. That is for
    evaluation, and for training with `model.join()`. With one rank both are the same.

    **Resuming.** `state_dict` tells the epoch and how far it has come, on any rank; after
    `load_state_dict` the next pass goes on from there, also with another number of ranks.
    Loaders that accelerate has prepared count epochs themselves: tell them, by
    ``loader.set_epoch(state["epoch"])``.

    Args:
        plan: From a generator of random numbers to the row numbers of an epoch.
        seed: Start of all randomness, not negative. None draws one from torch's global generator
            when the sampler is made, so that `torch.manual_seed` governs it as it does torch's own
            samplers; with several processes, whose generators may differ, None is 0.
        num_replicas: Number of ranks; None asks `torch.distributed`, or is 1 where accelerate deals
            out batches.
        rank: Rank of this process; None asks likewise. Given with `num_replicas` or not at all.
        even: Give all ranks the same number of rows.

    Attributes:
        epoch: Epoch of the latest pass; of the next one before the first pass and after
            `set_epoch`.
        seed: As given, drawn or loaded.
        even: As given.
        num_replicas: Number of ranks, as of the latest use.
        rank: Rank of this process, as of the latest use.

    Raises:
        ConfigurationError: `seed`, `rank` or `num_replicas` is out of range, or only one of the
            latter two is given.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        seed: int | None = None,
        num_replicas: int | None = None,
        rank: int | None = None,
        even: bool = True,
    ) -> None:
        # The base class's own __init__ would ask for the process group, and fix the length, now.
        _check(seed, num_replicas, rank)
        self.num_replicas = num_replicas or 1
        self.rank = rank or 0
        self.epoch = 0
        self.drop_last = False
        self.shuffle = True
        self.even = even
        self._seed = seed
        self._drawn_seed = int(torch.empty((), dtype=torch.int64).random_().item())
        self._plan = plan
        self._asks_torch = num_replicas is None
        self._planned: tuple[int, int, Rows] | None = None
        self._pass: _Pass | None = None
        self._advances = False
        self._resume_at = 0

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Start of all randomness."""
        if self._seed is not None:
            return self._seed
        return self._drawn_seed if self._replicas() == 1 and not _is_distributed() else 0

    def __iter__(self) -> Iterator[int]:
        """Start a pass: the rows of this rank, as Python integers."""
        if self._advances:
            self.epoch += 1
        self._advances = True
        start, self._resume_at = self._resume_at, 0
        self._pass = _Pass(self._share(self.epoch_rows()[start:]), start)
        return iter(self._pass)

    def __len__(self) -> int:
        """Return how many rows this rank visits in a whole epoch, the one in `epoch`."""
        return int(self._share(self.epoch_rows()).size)

    @property
    def num_samples(self) -> int:  # type: ignore[override]
        """Rows that this rank visits in a whole epoch."""
        return len(self)

    @property
    def total_size(self) -> int:  # type: ignore[override]
        """Rows of an epoch, of all ranks together, with those that even the shares."""
        rows, replicas = self.epoch_rows().size, self._replicas()
        return -(-rows // replicas) * replicas if self.even else rows

    def epoch_rows(self, epoch: int | None = None) -> Rows:
        """Return the rows of an epoch, of all ranks together and before any is added to even them.

        Args:
            epoch: Which; the one in the attribute `epoch` if None.

        Returns:
            Row numbers in the order of the visit, read-only. The same on every rank.
        """
        epoch = self.epoch if epoch is None else epoch
        if self._planned is None or self._planned[:2] != (self.seed, epoch):
            rows = self._plan(np.random.default_rng((self.seed, epoch))).view()
            rows.flags.writeable = False
            self._planned = (self.seed, epoch, rows)
        return self._planned[2]

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass the one of this epoch.

        Called with the epoch of a loaded state, which trainers do, it leaves the position alone.

        Args:
            epoch: Number of the epoch, not negative.
        """
        if epoch != self.epoch:
            self.epoch, self._resume_at, self._pass = epoch, 0, None
        # Trainers may call this when the pass has begun: that pass goes on.
        self._advances = False

    def state_dict(self, *, position: int | None = None) -> dict[str, int]:
        """Return where the latest pass is.

        A DataLoader with workers takes row numbers ahead of time, so what this sampler has handed
        out is more than what the model has seen. Give the number of rows that count to be exact.

        Args:
            position: Rows of this pass that *this rank* is done with, from the start of the epoch;
                what the sampler has handed out if None. With accelerate: rows of all ranks, so
                steps times ``loader.total_batch_size``.

        Returns:
            Integers: `seed`; `epoch`; `position`, in rows of all ranks together; `rows`, the number
            of rows of the epoch, to recognise a state that belongs to another table.
        """
        total = int(self.epoch_rows().size)
        epoch, done = self.epoch, self._done(position)
        if done >= total and (done or self._pass is not None):
            epoch, done = epoch + 1, 0
        return {"seed": self.seed, "epoch": epoch, "position": done, "rows": total}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state: the next pass is the rest of its epoch.

        Args:
            state_dict: What `state_dict` has returned, on any rank.

        Raises:
            ConfigurationError: The position lies in an epoch of another length, so the table or the
                way of sampling is not the same.
        """
        seed, epoch, position = (int(state_dict[key]) for key in ("seed", "epoch", "position"))
        found = self._plan(np.random.default_rng((seed, epoch))).size if position else 0
        if position and found != state_dict["rows"]:
            raise ConfigurationError(
                f"The state was saved {position} rows into an epoch of {state_dict['rows']} rows, "
                f"but this sampler's has {found}.",
                hint="make the sampler from the same table, in the same way.",
            )
        self._seed, self.epoch, self._resume_at = seed, epoch, position
        self._pass, self._advances = None, False

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the pass under way; the copy's next pass is the rest of it."""
        state = self.__dict__ | {"_planned": None, "_pass": None}
        if self._pass is not None:
            now = self.state_dict()
            state |= {"epoch": now["epoch"], "_resume_at": now["position"], "_advances": False}
        return state

    def _done(self, position: int | None) -> int:
        """Return how many rows of the epoch, of all ranks together, are done."""
        if position is not None:
            return position * self._replicas()
        if self._pass is not None:
            return self._pass.start + self._pass.drawn * self._replicas()
        return self._resume_at

    def _share(self, rows: Rows) -> Rows:
        """Return this rank's share of rows."""
        return deal(rows, num_replicas=self._replicas(), rank=self.rank, even=self.even)

    def _replicas(self) -> int:
        """Return the number of ranks, and refresh which one this is, unless they were given."""
        if self._asks_torch and _is_distributed():
            ranks = dist.get_world_size(), dist.get_rank()
            self.num_replicas, self.rank = (1, 0) if _batches_are_dealt() else ranks
        return self.num_replicas


class _Pass:
    """One walk through row numbers that knows how far it is, at no cost per row.

    Args:
        rows: What to walk through.
        start: Rows of the epoch, of all ranks together, that lie before.
    """

    def __init__(self, rows: Rows, start: int) -> None:
        self.start = start
        self._rows = rows
        self._end = 0
        self._piece: Iterator[int] = iter(())

    def __iter__(self) -> Iterator[int]:
        return itertools.chain.from_iterable(self._pieces())

    def _pieces(self) -> Iterator[Iterator[int]]:
        for first in range(0, self._rows.size, _PIECE):
            piece = self._rows[first : first + _PIECE].tolist()
            self._end = first + len(piece)
            self._piece = iter(piece)
            yield self._piece

    @property
    def drawn(self) -> int:
        """Rows handed out so far."""
        return self._end - operator.length_hint(self._piece)


def _is_distributed() -> bool:
    """Whether there is a process group of several processes."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _batches_are_dealt() -> bool:
    """Whether the program has an ``Accelerator``, which deals out batches of what it prepares."""
    accelerate = loaded("accelerate.state")
    return accelerate is not None and bool(accelerate.is_initialized())


def _check(seed: int | None, num_replicas: int | None, rank: int | None) -> None:
    """Refuse a seed or a rank out of range."""
    if seed is not None and seed < 0:
        raise ConfigurationError(f"A seed must not be negative: {seed}.")
    if (num_replicas is None) != (rank is None):
        raise ConfigurationError(
            f"num_replicas={num_replicas} and rank={rank} belong together.",
            hint="give both, or neither to ask torch.distributed.",
        )
    if num_replicas is not None and rank is not None and not 0 <= rank < num_replicas:
        raise ConfigurationError(f"Rank {rank} is not one of {num_replicas}, counted from 0.")
