"""One pass of a validator over a split, collected as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import OptionError
from tlc.integration._reduction import EMBEDDINGS
from tlc.integration.ultralytics.collectors import Seen, collectors_of
from tlc.integration.ultralytics.embeddings import Embeddings
from tlc.integration.ultralytics.losses import ImageLoss
from tlc.integration.ultralytics.predictions import annotations_of
from tlc.metrics import Collection, PredictorOutput
from tlc.metrics._tensors import to_array
from tlc.run.launch import this_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tlc.integration.ultralytics.settings import Settings
    from tlc.integration.ultralytics.split import Split
    from tlc.run import Run


class Collecting:
    """Collects what a validator makes of the batches of a split.

    Args:
        split: The split.
        settings: What is collected.
        run: Where the metrics go.
        constants: Column name to the value that every row gets.
        finished: Called when the metrics table is published.
    """

    def __init__(
        self,
        split: Split,
        settings: Settings,
        run: Run,
        constants: Mapping[str, Any],
        finished: Callable[[], None],
    ) -> None:
        self._split = split
        self._settings = settings
        self._finished = finished
        self._is_wanted = np.zeros(len(split), bool)
        self._is_wanted[split.rows(training=False)] = True
        self._embeddings: Embeddings | None = None
        self._loss: ImageLoss | None = None
        self._collection = Collection(
            split.table,
            collectors_of(split, settings),
            run=run,
            split=split.name,
            constants=constants,
            unique_ids=True,
            ranks=this_rank(),
        )

    def begin(self, model: Any) -> None:
        """Begin, now that it is known which model predicts.

        Raises:
            OptionError: It has classes that the table has not.
        """
        count, known = len(model.names), len(self._split.classes)
        if count > known:
            raise OptionError(
                f"The model has {count} classes, but {self._split.table.url} has {known}.",
                hint="train the model on the table, or give the table all classes of the model, in "
                "their order.",
            )
        module = _module(model)
        if self._settings.image_embeddings_dim:
            self._embeddings = Embeddings(module, self._split.task)
        if self._settings.collect_loss:
            self._loss = ImageLoss(module)
        self._collection.open()

    def add(self, validator: Any, preds: Any, raw: Any, batch: Any) -> None:
        """Take a batch.

        Args:
            validator: The validator.
            preds: What its ``postprocess`` returned.
            raw: What the model returned.
            batch: The batch, with the row of each image as ``example_id``.
        """
        rows = to_array(batch["example_id"]).reshape(-1).astype(np.int64)
        kept = np.flatnonzero(self._is_wanted[rows])
        if not len(kept):
            return
        seen = Seen(preds, batch, kept)
        if self._split.task == "classify":
            seen.logits = _logits(preds, raw)
        else:
            seen.annotations = annotations_of(
                validator, preds, batch, self._split.ids, self._settings
            )
        if self._embeddings is not None:
            seen.columns[EMBEDDINGS] = self._embeddings.of_batch()
        if self._loss is not None:
            seen.columns |= self._loss.of(raw, batch)
        self._collection.add(rows[kept], batch, PredictorOutput(seen))

    def finish(self) -> None:
        """Publish the metrics table."""
        self._close()
        self._collection.finalize()
        self._finished()

    def abort(self) -> None:
        """Stop; what came in stays readable, marked partial."""
        self._close()
        self._collection.abort()

    def _close(self) -> None:
        if self._embeddings is not None:
            self._embeddings.close()
            self._embeddings = None


def _logits(preds: Any, raw: Any) -> Any:
    """Return the logits of a classifier, which returns them beside probabilities, if at all."""
    if isinstance(raw, list | tuple) and len(raw) > 1:
        return raw[1]
    return preds.float().clamp_min(1e-37).log()


def _module(model: Any) -> Any:
    """Return the module behind what a validator calls a model."""
    backend = getattr(model, "backend", None)
    return model if backend is None else getattr(backend, "model", backend)
