"""Collecting from the validations and tests that SuperGradients' trainer makes anyway."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tlc._optional import require
from tlc.constants import EXAMPLE_ID
from tlc.errors import MetricsError
from tlc.integration._loader_pass import LoaderPass
from tlc.integration.super_gradients._framework import part
from tlc.metrics._guard import evaluation_mode
from tlc.metrics._tensors import to_array
from tlc.metrics.batch_ids import BatchIds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.metrics.collection import Collectors
    from tlc.run import Run

__all__ = ["LoaderRows", "ValidationPass", "rows_of"]


class LoaderRows:
    """Tells the rows of the batches of a loader: as they say themselves, or else as they are drawn.

    Batches say it in their third part: ``(inputs, targets, {"example_id": ...})``.

    Args:
        loader: The loader.
    """

    def __init__(self, loader: Any) -> None:
        self._ids: BatchIds | None = None
        self._rows: list[int] = []
        with suppress(MetricsError):  # told by next, if batches do not say it, either
            self._ids = BatchIds(loader)

    def note(self, context: Any) -> None:
        """Note the rows of the batch that begins, and have the context say it: ``example_id``."""
        said = context.additional_batch_items.get(EXAMPLE_ID)
        if said is not None and said is self._rows:
            return  # another callback has noted it
        self._rows = []
        with suppress(MetricsError):
            self._rows = [] if self._ids is None else self._ids.next()
        if said is not None:
            self._rows = to_array(said).reshape(-1).tolist()
        if self._rows:
            context.additional_batch_items[EXAMPLE_ID] = self._rows
            context.example_id = self._rows

    def next(self) -> list[int]:
        """Return the rows that were noted last.

        Raises:
            MetricsError: They are not known.
        """
        if not self._rows:
            raise MetricsError(
                "It is not known which rows the batch is made of.",
                hint='give a torch DataLoader, or batches (inputs, targets, {"example_id": ids}).',
            )
        return self._rows

    @property
    def dropped(self) -> list[int]:
        """Rows that the loader left out, as they do not fill a batch."""
        return [] if self._ids is None else self._ids.dropped


def rows_of(context: Any, loader: Any) -> LoaderRows:
    """Return what tells the rows of a loader, one for all callbacks of a training.

    Args:
        context: The ``PhaseContext`` of the training.
        loader: The loader.
    """
    found = _known.setdefault(context, {})
    if id(loader) not in found:
        found[id(loader)] = LoaderRows(loader)
    return found[id(loader)]


_known: WeakKeyDictionary[Any, dict[int, LoaderRows]] = WeakKeyDictionary()


class ValidationPass:
    """Collects metrics of a validation or a test, batch by batch.

    Args:
        context: The ``PhaseContext`` that it began with.
        rows: What tells the rows of the loader's batches.
        loader: The loader.
        collectors: Collectors or functions.
        run: Where the metrics go.
        split: Put before the names of aggregates.
        constants: Column name to the value that every row gets.
    """

    def __init__(
        self,
        context: Any,
        rows: LoaderRows,
        loader: Any,
        collectors: Collectors,
        run: Run,
        split: str,
        constants: Mapping[str, Any],
    ) -> None:
        ids: Any = rows
        self._pass = LoaderPass(loader, collectors, run, split, constants, ids=ids).open()
        self._net = context.net
        self._context: Any = None

    def add(self, context: Any) -> None:
        """Collect a batch."""
        self._context = context
        batch = context.inputs, context.target
        more = {k: v for k, v in context.additional_batch_items.items() if k != EXAMPLE_ID}
        self._pass.add((*batch, more) if more else batch, context.preds)

    def finish(self) -> None:
        """Collect what the loader left out of its last batch, and publish what was collected."""
        if self._context is not None:
            self._pass.add_dropped(self._predict)
        self._pass.finish()

    def abort(self) -> None:
        """Stop; what came in stays readable, marked partial."""
        self._pass.abort()

    def _predict(self, batch: Any) -> Any:
        torch = require("torch", extra="torch", purpose="to predict")
        net, device = self._context.net or self._net, self._context.device
        moved = part("training.utils.utils", "tensor_container_to_device")(batch, device)
        inputs, *_ = part("training.utils.sg_trainer_utils", "unpack_batch_items")(moved)
        with evaluation_mode(net), torch.no_grad():
            return net(inputs)
