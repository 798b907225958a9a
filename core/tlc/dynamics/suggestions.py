"""Proposed edits of labels and weights, for a person to look at before they are made."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlc.constants import SAMPLE_WEIGHT
from tlc.errors import RowIndexError
from tlc.schemas import SampleWeightSchema
from tlc.table.edits import AddColumn, Edit, SetValues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.table import Table

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

_SHOWN = 20


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Suggestions:
    """Proposed edits of a table, the most doubtful label first. Nothing is made until `commit`.

    Printed, it lists them. All arrays have one value for each proposal.

    Attributes:
        table: The table.
        label: Its column of labels.
        rows: Row numbers, int64.
        current: The labels, int64.
        proposed: What the model takes the samples for, int64.
        label_prob: Mean probability of the label, float64.
        proposed_prob: Mean probability of the proposed class, from below, float64: how sure the
            proposal is.
        is_sure: Whether the label is to become `proposed`; else the weight is to become 0.
    """

    table: Table
    label: str
    rows: Ints
    current: Ints
    proposed: Ints
    label_prob: Floats
    proposed_prob: Floats
    is_sure: Bools

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Suggestions({len(self)} of {len(self.table)} rows of {self.table.name})"

    def __str__(self) -> str:
        relabelled = int(self.is_sure.sum())
        lines = [
            f"{len(self)} suspicious labels in {self.table.url}: {relabelled} to be changed, "
            f"{len(self) - relabelled} to be given weight 0",
            f"{'row':>8}  {'label':<16}{'prob.':>6}  {'proposed':<16}{'prob.':>6}  edit",
        ]
        names = self.table.get_simple_value_map(self.label) or {}
        for at in range(min(_SHOWN, len(self))):
            current, proposed = (
                names.get(int(n), n) for n in (self.current[at], self.proposed[at])
            )
            edit = "label" if self.is_sure[at] else "weight 0"
            lines.append(
                f"{self.rows[at]:>8}  {current!s:<16}{self.label_prob[at]:>6.3f}  "
                f"{proposed!s:<16}{self.proposed_prob[at]:>6.3f}  {edit}"
            )
        if len(self) > _SHOWN:
            lines.append(f"{'...':>8}  and {len(self) - _SHOWN} more")
        return "\n".join(lines)

    def without(self, rows: Sequence[int] | np.ndarray) -> Suggestions:
        """Return the proposals but those for some rows, which are right as they are.

        Args:
            rows: Row numbers of the table.

        Raises:
            RowIndexError: There is no proposal for a row.
        """
        return self._where(~self._named(rows))

    def only(self, rows: Sequence[int] | np.ndarray) -> Suggestions:
        """Return the proposals for some rows.

        Args:
            rows: Row numbers of the table.

        Raises:
            RowIndexError: There is no proposal for a row.
        """
        return self._where(self._named(rows))

    def edits(self) -> list[Edit]:
        """Return the edits, for `Table.revise`: of labels and of weights, if there are any.

        A table without weights is given a column of them.
        """
        return [edit for edit, _ in self._edits()]

    def commit(self) -> Table:
        """Make the edits: a revision with the labels, and one of that with the weights.

        Returns:
            The newest of them; the table itself if there is nothing to do.

        Raises:
            RevisionConflictError: The table has been revised since.
        """
        table = self.table
        for edit, why in self._edits():
            table = table.revise(edit, description=why, base=table.url)
        return table

    def _edits(self) -> list[tuple[Edit, str]]:
        sure, unsure = self.rows[self.is_sure], self.rows[~self.is_sure]
        found: list[tuple[Edit, str]] = []
        if len(sure):
            values: Any = self.proposed[self.is_sure]
            why = f"{len(sure)} suspicious labels set to the predicted class"
            found.append((SetValues(self.label, sure, values), why))
        if len(unsure):
            why = f"{len(unsure)} samples left out, where the model is unsure"
            found.append((self._weights(unsure), why))
        return found

    def _weights(self, rows: Ints) -> Edit:
        name = self.table.weights_column_name
        if name is not None:
            return SetValues(name, rows, [0.0] * len(rows))
        weights: Any = np.ones(len(self.table), np.float32)
        weights[rows] = 0
        return AddColumn(SAMPLE_WEIGHT, weights, SampleWeightSchema())

    def _named(self, rows: Sequence[int] | np.ndarray) -> Bools:
        unknown = np.setdiff1d(rows, self.rows)
        if len(unknown):
            raise RowIndexError(
                f"Nothing is proposed for row {unknown[0]}.", hint="rows are those of the table."
            )
        return np.isin(self.rows, rows)

    def _where(self, kept: Bools) -> Suggestions:
        arrays: dict[str, Any] = {
            field.name: values[kept]
            for field in fields(self)
            if isinstance(values := getattr(self, field.name), np.ndarray)
        }
        return replace(self, **arrays)
