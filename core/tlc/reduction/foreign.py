"""Which table metrics are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.constants import FOREIGN_TABLE_URL, NUMBER_ROLE_FOREIGN_KEY
from tlc.errors import MetricsError, ObjectNotFoundError
from tlc.table import Table, TableView
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    Groups: TypeAlias = list[tuple[Url, list[Table]]]


def foreign_url(metrics: Table) -> Url | None:
    """Return the url of the table that metrics are about, absolute; None if they are about none."""
    info = metrics.metrics_info
    if info is not None and info.foreign_table is not None:
        return Url(info.foreign_table.url).to_absolute(metrics.url)
    for part in metrics.rows_schema.values.values():
        where = part.metadata.get(FOREIGN_TABLE_URL)
        is_key = getattr(part.value, "number_role", "") == NUMBER_ROLE_FOREIGN_KEY
        if is_key and where and isinstance(where, str):
            return Url(where).to_absolute(metrics.url)
    return None


def by_foreign_table(tables: Iterable[Table]) -> Groups:
    """Return metrics tables by the table that they are about, in the order of their first ones.

    Tables that are about none are left out.
    """
    groups: dict[Url, list[Table]] = {}
    for table in tables:
        url = foreign_url(table)
        if url is not None:
            groups.setdefault(url, []).append(table)
    return list(groups.items())


def last_about(tables: Sequence[Table], foreign: Table | TableView | Url | str) -> Table:
    """Return the last of some metrics tables that is about a table, or another revision of it.

    Raises:
        MetricsError: None is.
    """
    urls = _family(foreign)
    for table in reversed(tables):
        if foreign_url(table) in urls:
            return table
    about = ", ".join(str(url) for url, _ in by_foreign_table(tables)) or "none"
    raise MetricsError(
        f"No metrics with the embeddings to reduce are about {urls[0]}.",
        hint=f"there are such metrics about: {about}.",
    )


def _family(foreign: Table | TableView | Url | str) -> list[Url]:
    """Return the urls of a table and of all revisions of its lineage, if it is still there."""
    if isinstance(foreign, TableView):
        foreign = foreign.source
    if not isinstance(foreign, Table):
        url = Url(foreign).to_absolute()
        try:
            foreign = Table.from_url(url)
        except ObjectNotFoundError:
            return [url]
    return [foreign.url, *(table.url for table in foreign.revisions())]
