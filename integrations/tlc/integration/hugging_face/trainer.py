"""`Trainer`: that of `transformers`, for tables, with metrics of each sample."""

from __future__ import annotations

from typing import Any

from tlc._optional import require
from tlc.integration.hugging_face.mixin import MetricsCollectionMixin

__all__ = ["Seq2SeqTrainer", "TLCTrainer", "Trainer"]

_Transformers: Any = require(
    "transformers", extra="huggingface", purpose="to work with its trainer"
)


class Trainer(MetricsCollectionMixin, _Transformers.Trainer):  # type: ignore[misc]
    """A ``transformers.Trainer`` whose datasets are tables or views.

    Rows are drawn by the weights of the training table. At the epochs asked for, the model goes
    over the training and the evaluation data in the order of their rows, and collectors get each
    batch with what the model made of it. Evaluations that the trainer makes anyway at such an epoch
    are used for that, unless they lack rows, as with ``dataloader_drop_last``. Nothing but the
    metrics is kept, however many samples there are.

    Rows say the epoch, which is the number of epochs done, and the step. An epoch that is cut
    short, as by ``max_steps``, counts when it ends.

    A training that goes on from a checkpoint goes on with its run, if there is no other active one,
    and does not collect again what it has of the time before.

    Arguments are those of ``transformers.Trainer``, and those of `MetricsCollectionMixin`, where
    all are explained.
    """


TLCTrainer = Trainer


class Seq2SeqTrainer(MetricsCollectionMixin, _Transformers.Seq2SeqTrainer):  # type: ignore[misc]
    """A ``transformers.Seq2SeqTrainer`` like `Trainer`, with the same arguments.

    With ``predict_with_generate``, collectors get the output for the labels that are given, not
    what is generated.
    """
