"""Sample weights as weights of the loss: handed out with each sample, and used on each batch.

Weights can decide how often a row is drawn, which is what `tlc.samplers.create_sampler` is for, or
how much its loss counts, which is what this is for. Both at once would count them twice: so sample
with ``weighted=False``, which still leaves out rows of weight zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tlc.constants import SAMPLE_WEIGHT
from tlc.errors import WeightError
from tlc.samplers.weights import read_weights
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WeightedLoss", "weighted_mean", "with_weights"]


def with_weights(data: Table | TableView) -> TableView:
    """Return a view whose samples have their weight, a tensor of one float32.

    It is ``sample["weight"]`` of samples that are dictionaries, and the last part of tuples; of any
    other it makes a pair. Weights are read once, when called: give the revision that holds the
    edits, ``with_weights(table.latest())``.

    Args:
        data: A table, or a view of one.

    Raises:
        WeightError: `data` has no weights, or they cannot be used, or it is no table and no view.
            On reading: a dictionary has another ``"weight"`` already.
    """
    if not isinstance(data, Table | TableView):
        raise WeightError(
            f"Weights are those of a Table or a TableView, not of {type(data).__name__!r}.",
            hint='in a columns_view, name their column beside the others: ["x", "weight"].',
        )
    return _WeightedView(data)


def weighted_mean(losses: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Return the mean of the losses of a batch, each counting as much as its weight says.

    Args:
        losses: Shape `(B,)`, as with ``reduction="none"``; or `(B, ...)`, of which each sample's
            mean is taken first.
        weights: Shape `(B,)`; None for equal ones.

    Returns:
        ``sum(weights * losses) / sum(weights)``; 0 if no sample of the batch counts.

    Raises:
        WeightError: There is not one weight for each sample.
    """
    each = _by_sample(losses, weights).mean(1)
    if weights is None:
        return each.mean()
    weights = weights.to(each)
    total = weights.sum()
    return (each * weights).sum() / total.where(total > 0, 1)


class WeightedLoss:
    """Loss of Hugging Face's trainers: takes the weights out of the inputs, and weighs with them.

    The model does not get to see the weights, since most refuse what they do not know. The trainer
    must let them through, which takes ``remove_unused_columns=False``::

        Trainer(
            model,
            TrainingArguments(..., remove_unused_columns=False),
            train_dataset=with_weights(table),
            compute_loss_func=WeightedLoss(model, torch.nn.functional.cross_entropy),
            weighted=False,
        )

    It is the sum of weighted losses by the number of labels, which the trainer counts over all
    batches and ranks of a step; or else `weighted_mean`. Batches without weights count equally.

    Args:
        model: The model that is trained.
        loss: Gets logits, labels and ``reduction="none"``, and returns one loss per label, as those
            of ``torch.nn.functional`` do.
    """

    def __init__(self, model: torch.nn.Module, loss: Callable[..., torch.Tensor]) -> None:
        self._loss = loss
        self._weights: torch.Tensor | None = None
        model.register_forward_pre_hook(self._take, with_kwargs=True)

    def __call__(self, outputs: Any, labels: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        """Return the loss of the batch that the model got last."""
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs[0]
        losses = self._loss(logits, labels, reduction="none")
        if num_items_in_batch is None:
            return weighted_mean(losses, self._weights)
        each = _by_sample(losses, self._weights).sum(1)
        return (each if self._weights is None else each * self._weights).sum() / num_items_in_batch

    def _take(self, model: object, inputs: Any, named: dict[str, Any]) -> tuple[Any, Any]:
        self._weights = named.pop(SAMPLE_WEIGHT, None)
        return inputs, named


class _WeightedView(TableView):
    """A view that adds weights to samples; it travels to workers without them."""

    def __init__(self, source: Table | TableView) -> None:
        super().__init__(source, lambda sample: sample)
        table = self.source
        self._weights = read_weights(table)
        self._may_have_it = table.weights_column_name == SAMPLE_WEIGHT

    def __reduce__(self) -> tuple[Callable[..., TableView], tuple[Table | TableView]]:
        return with_weights, (self._source,)

    def __repr__(self) -> str:
        return f"with_weights({self._source!r})"

    def _transformed(self, sample: Any, index: int) -> Any:
        weight = torch.tensor(self._weights[index], dtype=torch.float32)
        if not isinstance(sample, dict):
            return (*(sample if isinstance(sample, tuple) else (sample,)), weight)
        if SAMPLE_WEIGHT in sample and not self._may_have_it:
            raise WeightError(
                f"The sample of row {index} of {self.url} has another {SAMPLE_WEIGHT!r} already.",
                hint="give that another name, in table.with_transform(...).",
            )
        return {**sample, SAMPLE_WEIGHT: weight}


def _by_sample(losses: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Return losses in the shape `(B, n)`, if there is a weight for each sample."""
    if not losses.ndim or (weights is not None and weights.shape != losses.shape[:1]):
        shape = None if weights is None else tuple(weights.shape)
        raise WeightError(
            f"Losses of shape {tuple(losses.shape)} and weights of shape {shape} do not fit.",
            hint='keep one loss per sample: reduction="none".',
        )
    return losses.reshape(len(losses), -1)
