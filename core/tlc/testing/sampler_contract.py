"""What every sampler of a table must do, as tests to inherit.

Subclass `SamplerContract` in a test module, name the class `Test...`, and write `make`.
"""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch.utils.data import DistributedSampler

__all__ = ["SamplerContract", "TableStandIn"]


@dataclass
class TableStandIn:
    """As much of a table as a sampler asks for; as a dataset, sample `i` is `i`.

    Args:
        weights: Weights of the rows, None in place of a null; or an Arrow array.
        weights_column_name: Name of their column; None for a table without weights.
        url: What errors name.
    """

    weights: Any
    weights_column_name: str | None = "weight"
    url: str = "/projects/stand-in/table"

    def get_column_as_pyarrow_array(self, name: str, /) -> Any:
        """Return the weights as a float64 array, or as the Arrow array they are."""
        assert name == self.weights_column_name, name
        if isinstance(self.weights, pa.Array):
            return self.weights
        return pa.array(self.weights, pa.float64(), from_pandas=False)

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, index: int) -> int:
        return index


class SamplerContract:
    """Tests of one kind of sampler; subclass it and write `make`.

    Attributes:
        weights: Weights that the tests use; at least one is zero, at the edges too.
        random: Whether one epoch differs from another.
        epochs: How many epochs are counted to compare the mean count of a row with what it should
            be.
    """

    weights: tuple[float, ...] = (0.0, 1.0, 0.25, 0.0, 2.0, 1.5, 1.0, 0.0, 3.75, 0.5, 1.0, 0.0)
    random = True
    epochs = 4000

    def make(self, table: TableStandIn, **options: Any) -> DistributedSampler[int]:
        """Return the sampler under test, with `state_dict` and `load_state_dict`.

        Args:
            table: The table to sample.
            **options: Any of `seed`, `num_replicas`, `rank` and `even`, to be handed on.
        """
        raise NotImplementedError

    def expected_counts(self) -> npt.NDArray[np.float64]:
        """Return how often each row should come in an epoch, on average.

        Returns:
            Shape `(rows,)`. Here: proportional to the weights, and in all as many as rows above
            zero.
        """
        weights = np.array(self.weights, dtype=np.float64)
        share: npt.NDArray[np.float64] = weights / weights.sum()
        return share * np.count_nonzero(weights)

    def sampler(self, **options: Any) -> Any:
        """Return the sampler under test over the contract's weights; with seed 0 unless given."""
        return self.make(TableStandIn(list(self.weights)), **{"seed": 0, **options})

    def epoch(self, sampler: Any, epoch: int = 0) -> list[int]:
        """Return the rows of one epoch."""
        sampler.set_epoch(epoch)
        return list(sampler)

    def test_zero_weight_is_never_drawn(self) -> None:
        """No epoch has a row of weight zero."""
        sampler, zero = self.sampler(), {i for i, w in enumerate(self.weights) if w == 0}
        assert zero
        for epoch in range(200):
            assert not zero & set(self.epoch(sampler, epoch))

    def test_mean_count_is_as_expected(self) -> None:
        """The mean count of each row over epochs is its expectation, to five standard errors."""
        sampler, counts = self.sampler(seed=7), np.zeros(len(self.weights))
        for epoch in range(self.epochs):
            counts += np.bincount(self.epoch(sampler, epoch), minlength=counts.size)
        expected = self.expected_counts()
        error = np.sqrt(np.maximum(expected, 0.25 * (expected > 0)) / self.epochs)
        np.testing.assert_array_less(abs(counts / self.epochs - expected), 5 * error + 1e-12)

    def test_rows_are_python_integers_as_many_as_len_says(self) -> None:
        """Datasets index lists with them, and trainers plan by the length."""
        sampler = self.sampler()
        for epoch in range(5):
            rows = self.epoch(sampler, epoch)
            assert len(sampler) == len(rows)
            assert {type(row) for row in rows} == {int}

    def test_seed_and_epoch_decide(self) -> None:
        """The same pair gives the same rows; others of either give others, with some luck equal."""
        first = self.epoch(self.sampler(seed=3), 5)
        assert self.epoch(self.sampler(seed=3), 5) == first
        if self.random:
            assert any(self.epoch(self.sampler(seed=3), epoch) != first for epoch in range(6, 16))
            assert any(self.epoch(self.sampler(seed=seed), 5) != first for seed in range(4, 14))

    def test_epochs_advance_by_themselves(self) -> None:
        """A loop that never calls `set_epoch` sees the same epochs as one that does."""
        alone, told = self.sampler(), self.sampler()
        assert [list(alone) for _ in range(4)] == [self.epoch(told, e) for e in range(4)]
        next(iter(alone))
        assert list(alone) == self.epoch(told, 5)

    @pytest.mark.parametrize("replicas", [1, 2, 3, 5])
    def test_ranks_together_are_the_epoch(self, replicas: int) -> None:
        """With `even=False` each row of the epoch is on exactly one rank."""
        whole = self.epoch(self.sampler(num_replicas=1, rank=0), 2)
        ranks = [
            self.epoch(self.sampler(num_replicas=replicas, rank=rank, even=False), 2)
            for rank in range(replicas)
        ]
        assert Counter(row for rows in ranks for row in rows) == Counter(whole)
        assert max(map(len, ranks)) - min(map(len, ranks)) <= 1

    @pytest.mark.parametrize("replicas", [1, 2, 3, 5])
    def test_even_ranks_are_equally_long_and_miss_nothing(self, replicas: int) -> None:
        """By default all ranks have equally many rows: the epoch's, and fewer more than ranks."""
        whole = Counter(self.epoch(self.sampler(num_replicas=1, rank=0), 2))
        ranks = [
            self.epoch(self.sampler(num_replicas=replicas, rank=rank), 2)
            for rank in range(replicas)
        ]
        together = Counter(row for rows in ranks for row in rows)
        assert len({len(rows) for rows in ranks}) == 1
        assert not whole - together
        assert (together - whole).total() < replicas

    @pytest.mark.parametrize("taken", [0, 1, 3])
    def test_resumes_within_an_epoch(self, taken: int) -> None:
        """A new sampler with the state of an old one goes on in its epoch."""
        old, new = self.sampler(seed=1), self.sampler()
        old.set_epoch(4)
        running = iter(old)
        list(islice(running, taken))
        new.load_state_dict(old.state_dict())
        assert [list(new), list(new)] == [list(running), list(old)]

    def test_pickles_where_it_stands(self) -> None:
        """A copy goes on like the original."""
        sampler = self.sampler(seed=2)
        list(sampler)
        running = iter(sampler)
        next(running)
        copy = pickle.loads(pickle.dumps(sampler))
        assert [list(copy), list(copy)] == [list(running), list(sampler)]

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    @pytest.mark.parametrize("workers", [0, 2])
    def test_feeds_a_loader(self, workers: int) -> None:
        """A DataLoader, with and without workers, yields the epoch's rows in their order."""
        from torch.utils.data import DataLoader

        table = TableStandIn(list(self.weights))
        sampler = self.make(table, seed=0)
        loader: DataLoader[int] = DataLoader(
            table,  # type: ignore[arg-type]
            batch_size=3,
            sampler=sampler,
            num_workers=workers,
        )
        seen = [row for batch in loader for row in batch.tolist()]
        assert seen == self.epoch(self.sampler())
