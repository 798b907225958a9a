"""Splitting a table into several."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar

from tlc.errors import ColumnError, OptionError
from tlc.format.names import check_name
from tlc.format.publish import claim
from tlc.table import partition
from tlc.table.allotment import rounded
from tlc.table.derived import derive, place_beside, selected
from tlc.table.paths import cells_at, elements_of, groups_by, is_list, paths_of
from tlc.table.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from tlc.table.placement import Placement

T = TypeVar("T", bound=Reading)

STRATEGIES = ("random", "stratified", "group", "ordered")
_SLACK = 1e-6


def split(
    table: T,
    splits: Mapping[str, float | None],
    strategy: str,
    by: str | Sequence[str] | None,
    seed: int,
    placement: Placement,
) -> dict[str, T]:
    """Write a table for each of `splits`; see `Table.split`."""
    shares = {check_name(name, "table"): _share(name, each) for name, each in splits.items()}
    paths = _checked(strategy, by, shares)
    totals = totals_of(shares, len(table))
    parts = _parts(table, strategy, paths, totals, seed)
    _check_none_is_empty(shares, parts, len(table))
    for name in shares:  # before the first one is written
        claim(place_beside(table, name, placement), placement.get("if_exists", "reuse"), "table")
    made: dict[str, T] = {}
    for number, name in enumerate(shares):
        rows = (parts == number).nonzero()[0]
        operation = {
            "type": "split",
            "split": name,
            "splits": shares,
            "strategy": strategy,
            "by": paths,
            "seed": seed,
            "rows": len(rows),
        }
        made[name] = derive(table, name, operation, selected(table, rows), placement)
    return made


def totals_of(shares: Mapping[str, float | int | None], rows: int) -> np.ndarray:
    """Return how many rows each part gets, int64, by the method of the largest remainder.

    Raises:
        OptionError: The shares are more or less than all rows.
    """
    import numpy as np

    quotas = [each if isinstance(each, int) else (each or 0.0) * rows for each in shares.values()]
    rest = rows - sum(quotas)
    slack = _SLACK * max(1, rows)
    if None in shares.values() and rest >= -slack:
        quotas[list(shares.values()).index(None)] = max(0.0, rest)
    elif abs(rest) > slack:
        what = "fewer" if rest > 0 else "more"
        raise OptionError(
            f"The splits {dict(shares)} together take {what} than the {rows} rows that there are.",
            hint="fractions sum to 1, numbers of rows to all; None stands for the rest.",
        )
    return rounded(np.asarray(quotas, np.float64), rows)


def _share(name: str, share: Any) -> float | int | None:
    if share is None:
        return None
    if isinstance(share, Integral) and not isinstance(share, bool) and int(share) >= 0:
        return int(share)
    is_fraction = isinstance(share, Real) and not isinstance(share, Integral)
    if is_fraction and 0 <= float(share) <= 1:
        return float(share)
    raise OptionError(
        f"The share {share!r} of the split {name!r} is not possible.",
        hint="give a fraction as in 0.8, a whole number of rows, or None for the rest.",
    )


def _checked(
    strategy: str, by: str | Sequence[str] | None, shares: Mapping[str, float | int | None]
) -> list[str]:
    """Return the paths of `by`, if the arguments fit each other."""
    if strategy not in STRATEGIES:
        names = ", ".join(map(repr, STRATEGIES))
        raise OptionError(f"There is no strategy {strategy!r}.", hint=f"it is one of {names}.")
    paths = paths_of(by)
    if bool(paths) != (strategy in ("stratified", "group")):
        need = "needs" if not paths else "takes no"
        raise OptionError(
            f"The strategy {strategy!r} {need} by=.",
            hint='by= names columns for "stratified" and "group".',
        )
    if not shares or list(shares.values()).count(None) > 1:
        raise OptionError(
            f"{dict(shares)} are no splits.", hint='as in {"train": 0.8, "val": None}.'
        )
    if len({name.casefold() for name in shares}) < len(shares):
        raise OptionError("The names of two splits differ only by case.", hint="choose others.")
    return paths


def _parts(
    table: Reading, strategy: str, paths: list[str], totals: np.ndarray, seed: int
) -> np.ndarray:
    if strategy == "ordered":
        return partition.in_order(totals)
    if strategy == "random":
        return partition.at_random(totals, seed)
    if strategy == "group":
        return partition.by_group(groups_by(table, paths), totals, seed)
    cells = cells_at(table, paths[0])
    if is_list(cells.type) and len(paths) == 1:
        labels = elements_of(cells)
        try:
            return partition.by_labels(labels, totals, seed)
        except TypeError as error:
            raise ColumnError(
                f"Rows cannot be stratified by {paths[0]!r}: {error}.",
                hint="give the path of the labels in it.",
            ) from error
    return partition.by_class(groups_by(table, paths), totals, seed)


def _check_none_is_empty(
    shares: Mapping[str, float | int | None], parts: np.ndarray, rows: int
) -> None:
    import numpy as np

    counts = np.bincount(parts, minlength=len(shares)).tolist()
    for (name, share), count in zip(shares.items(), counts, strict=True):
        if rows and share and not count:
            raise OptionError(
                f"The split {name!r} with its share of {share} would get none of {rows} rows.",
                hint="give numbers of rows instead of fractions, or fewer splits.",
            )
