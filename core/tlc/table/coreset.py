"""Small tables that stand for large ones."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, TypeVar

from tlc.errors import OptionError
from tlc.table import partition
from tlc.table.allotment import by_order, shuffled
from tlc.table.derived import derive, selected
from tlc.table.paths import Codes, cells_at, elements_of, groups_by, is_list, paths_of
from tlc.table.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from tlc.table.paths import Elements
    from tlc.table.placement import NamedPlacement

T = TypeVar("T", bound=Reading)

STRATEGIES = ("balanced", "stratified", "random")


def coreset(
    table: T,
    size: float,
    by: str | Sequence[str] | None,
    strategy: str,
    seed: int,
    placement: NamedPlacement,
) -> T:
    """Write a table with some rows of `table`; see `Table.coreset`."""
    paths = paths_of(by)
    if strategy not in STRATEGIES:
        names = ", ".join(map(repr, STRATEGIES))
        raise OptionError(f"There is no strategy {strategy!r}.", hint=f"it is one of {names}.")
    if bool(paths) != (strategy != "random"):
        need = "needs" if not paths else "takes no"
        raise OptionError(f"The strategy {strategy!r} {need} by=.", hint="as in by='label'.")
    count = _count(size, len(table))
    rows = _rows(table, count, paths, strategy, seed)
    operation = {
        "type": "coreset",
        "size": size if isinstance(size, int) else float(size),
        "strategy": strategy,
        "by": paths,
        "seed": seed,
        "rows": count,
    }
    return derive(table, placement.get("table_name"), operation, selected(table, rows), placement)


def _count(size: float, rows: int) -> int:
    if isinstance(size, Integral) and not isinstance(size, bool) and 0 <= int(size) <= rows:
        return int(size)
    if isinstance(size, Real) and not isinstance(size, Integral) and 0 <= float(size) <= 1:
        return round(float(size) * rows)
    raise OptionError(
        f"{size!r} of {rows} rows are not possible.",
        hint="give a number of rows that there are, or a fraction as in 0.1.",
    )


def _rows(table: Reading, count: int, paths: list[str], strategy: str, seed: int) -> np.ndarray:
    """Return the numbers of the rows, ascending."""
    import numpy as np

    totals = np.array([count, len(table) - count], np.int64)
    if strategy == "random":
        return (partition.at_random(totals, seed) == 0).nonzero()[0]
    cells = cells_at(table, paths[0])
    if is_list(cells.type) and len(paths) == 1:
        labels = elements_of(cells)
        if strategy == "balanced":
            return balanced_labels(labels, len(table), count, seed)
        return (partition.by_labels(labels, totals, seed) == 0).nonzero()[0]
    classes = groups_by(table, paths)
    if strategy == "balanced":
        return balanced(classes, count, seed)
    return (partition.by_class(classes, totals, seed) == 0).nonzero()[0]


def balanced(classes: Codes, count: int, seed: int) -> np.ndarray:
    """Return rows of which as many are of each class as possible, ascending.

    Classes that have fewer rows than their part give them all. Where the parts are not equal, they
    differ by one.
    """
    import numpy as np

    sizes = np.bincount(classes.codes, minlength=classes.different)
    wanted = levelled(sizes, count)
    order = by_order(classes.codes, shuffled(len(classes.codes), seed))
    places = np.arange(len(order)) - np.repeat(sizes.cumsum() - sizes, sizes)
    return np.sort(order[places < np.repeat(wanted, sizes)])


def levelled(sizes: np.ndarray, total: int) -> np.ndarray:
    """Return numbers of the given sum, as equal as sizes that they must not exceed allow."""
    import numpy as np

    level = _level(sizes, total)
    counts = np.minimum(sizes, level)
    larger = np.flatnonzero(sizes > level)
    counts[larger[: total - int(counts.sum())]] += 1
    return counts


def _level(sizes: np.ndarray, total: int) -> int:
    """Return the largest number such that sizes cut off there sum to `total` at most."""
    import numpy as np

    low, high = 0, int(sizes.max(initial=0))
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(sizes, middle).sum()) <= total:
            low = middle
        else:
            high = middle - 1
    return low


def balanced_labels(labels: Elements, rows: int, count: int, seed: int) -> np.ndarray:
    """Return rows such that about as many have each label as possible, ascending.

    It goes over the labels from the rarest on, and takes rows of each until there are enough that
    have it; rows have other labels too, so that there is room for more, and it goes over them
    again.
    """
    import numpy as np

    incidence = partition.Incidence(labels, rows)
    order = by_order(incidence.rarest, shuffled(rows, seed))
    ends = np.bincount(incidence.rarest, minlength=incidence.count + 1).cumsum()
    nexts = np.append(0, ends[:-1])
    got = np.zeros(incidence.count + 1, np.int64)
    taken: list[np.ndarray] = []
    left = count
    while left:
        is_open = nexts < ends
        level = int(got[is_open].min()) + max(1, _level(ends - nexts, left))
        for label in is_open.nonzero()[0].tolist():
            wanted = min(max(0, level - int(got[label])), left)
            found = order[nexts[label] : min(ends[label], nexts[label] + wanted)]
            nexts[label] += len(found)
            left -= len(found)
            taken.append(found)
            np.add.at(got, incidence.labels_of(found)[1], 1)
            if label == incidence.count:
                got[label] += len(found)
    return np.sort(np.concatenate([np.empty(0, np.int64), *taken]))
