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

    Args:
        model: This and what follows is as of ``transformers.Trainer``.
        args: Arguments of the training.
        data_collator: Makes batches of samples.
        train_dataset: Table or view to train on.
        eval_dataset: Table or view to evaluate on, or several by name.
        processing_class: Tokenizer, image processor or the like.
        model_init: Makes the model.
        compute_loss_func: Gives the loss of a batch.
        compute_metrics: Gives metrics of all predictions.
        callbacks: Further callbacks.
        optimizers: Optimizer and scheduler.
        preprocess_logits_for_metrics: Gets the logits before they are kept for `compute_metrics`.
        run_name: Name of the run; one of that name in the project is gone on with. Default: the
            active run, else a new one.
        run_description: Description of a new run.
        exclude_zero_weights_metrics_collection: Collect no metrics of rows of weight zero.
        exclude_zero_weights_train: Train on no rows of weight zero.
        weighted: Let weights decide how often a row comes; a table without weights has all rows
            once.
        shuffle: Random order.
        repeat_by_weight: Repeat rows by their weight instead of drawing them.
        metrics_collectors: Collectors, or functions ``(batch, predictor_output) -> {column:
            values}``; one or several. Default: collect nothing.
        metrics_collection_epochs: When to collect: 0 is before training, 1 after the first epoch,
            and so on. Default: at each evaluation, of the evaluation data only.
        run: Run, or its url, in place of `run_name`.
        **more: Further arguments of ``transformers.Trainer``.

    Raises:
        OptionError: Rows are to be both drawn by weight and grouped by length.
    """


TLCTrainer = Trainer


class Seq2SeqTrainer(MetricsCollectionMixin, _Transformers.Seq2SeqTrainer):  # type: ignore[misc]
    """A ``transformers.Seq2SeqTrainer`` like `Trainer`, with the same arguments.

    With ``predict_with_generate``, collectors get the output for the labels that are given, not
    what is generated.
    """
