"""The part of `Run` that says how its metrics differ from those of another run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tlc.run.compare_values import How
    from tlc.run.comparison import RunComparison
    from tlc.run.run import Run
    from tlc.url import Url


class Comparable:
    """Compares runs."""

    def compare(
        self,
        other: Run | Url | str,
        metrics: str | Sequence[str] | None = None,
        split: str | None = None,
        how: How = "last",
        *,
        better: Mapping[str, str] | None = None,
    ) -> RunComparison:
        """Return how metrics changed from this run to another one, sample by sample.

        The runs may be about one table, or about revisions, splits or joins of it: rows are the
        same if their stable keys are. Metrics with one name of a split are compared; of a run that
        has metrics about several revisions, the rows of the one collected last count.

        Args:
            other: The later run, or its url.
            metrics: Metrics columns of numbers; None for all that both runs have, without class
                numbers, ids and constants such as the epoch.
            split: Only metrics that were collected with this split; None for each split that both
                runs have.
            how: What to make of several values of a row, as of several epochs: ``"last"``, the one
                collected last; or ``"first"``, ``"mean"``, ``"std"``, ``"min"``, ``"max"``,
                ``"sum"``, ``"count"``, as for `Metrics.by_example`.
            better: Metric to ``"higher"`` or ``"lower"``, whichever is better. Known without saying
                are, as lower, all that end in the word ``loss`` or ``error``, ``el2n``,
                ``false_positives`` and ``false_negatives``; as higher, all with one of the words
                ``accuracy``, ``correct``, ``iou``, ``precision``, ``recall`` and ``f1``,
                ``label_prob``, ``label_logit`` and ``true_positives``.

        Returns:
            For each split a table with the value of each row before and after, means, and how the
            samples fared that were edited in between.

        Raises:
            ColumnNotFoundError: There is no such metric in both runs.
            MetricsError: The runs have no rows with metrics in common, or a column does not hold
                numbers.
            OptionError: There is no such `how`, `better` says something else, or `metrics` is
                empty.
            ObjectNotFoundError: There is no such run, or a table is gone that metrics are about.
            CorruptObjectError: A file of such a table is damaged.
        """
        from tlc.run.comparing import compare_runs  # late: few programs compare runs

        before = cast("Run", self)
        after: Any = other if isinstance(other, Comparable) else before.from_url(cast("str", other))
        return compare_runs(before, after, metrics, split, how, better or {})
