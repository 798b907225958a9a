"""Reduced tables on disk: what stays is not copied, unless its source is to be deleted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from tlc.errors import TlcError, UrlNotFoundError
from tlc.format.commit import INPUT
from tlc.format.manifest import (
    MANIFEST,
    OPENED,
    Parent,
    TableManifest,
    file_entries,
    new_id,
    now,
)
from tlc.format.publish import create, object_exists
from tlc.format.rebase import moved, rebase_manifest, rebase_stack
from tlc.format.writer_name import new_writer
from tlc.reduction.jobs import schema_of
from tlc.reduction.model import save_model
from tlc.schemas import Schema
from tlc.table.draft import Draft
from tlc.table.operations import REDUCE_EMBEDDINGS
from tlc.table.paths import split_path, with_part
from tlc.table.squash import write_keys
from tlc.table.written_out import written_out
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tlc.format.manifest import Stack
    from tlc.reduction.jobs import Job
    from tlc.table import Table

NAME = "reduced"


@dataclass
class Model:
    """Fitted reducers, and where they are stored.

    Attributes:
        fit_url: The table they were fitted on.
        fit_id: Its id.
        jobs: What they make of what.
        url: Where they are; None before they are stored.
    """

    fit_url: Url
    fit_id: str
    jobs: Sequence[Job]
    url: Url | None = None

    def save(self, folder: Url) -> Url:
        """Store them below the folder of a table, and return where."""
        url = folder / "model" / new_writer()
        reducers = {job.target: (job.source, job.reducer) for job in self.jobs}
        save_model(url, reducers, self.fit_table(url))
        return url

    def fit_table(self, folder: Url) -> Parent:
        """Return the table they were fitted on as a folder refers to it."""
        return Parent(self.fit_url.to_relative(folder).to_str(), self.fit_id, INPUT)


@dataclass(frozen=True)
class Reduced:
    """A table with reduced columns that is not written yet.

    Attributes:
        table: The table it is made from.
        jobs: What is made of what.
        cells: Dotted paths of new columns to their cells.
    """

    table: Table
    jobs: Sequence[Job]
    cells: Mapping[str, pa.Array]

    def draft(self, folder: Url) -> Draft:
        """Return the table in the making, in its folder."""
        stack = rebase_stack(self.table._manifest.stack, self.table.url, folder)
        draft = Draft(stack, self.table.rows_schema, folder)
        for column, (schema, cells) in self._changed().items():
            draft.put_column(column, schema, cells)
        for column in self._dropped:
            draft.drop_column(column)
        return draft

    def in_full(self, folder: Url) -> tuple[Schema, Stack]:
        """Write all columns and the keys of the rows, and return schema and layers."""
        schema, changed = self.table.rows_schema, self._changed()
        kept = {
            name: changed.get(name) or (part, self.table.column(name))
            for name, part in schema.values.items()
            if name not in self._dropped
        }
        columns = kept | changed
        writer = new_writer()
        keys = write_keys(self.table, folder, writer)
        stack = written_out(columns, len(self.table), folder, writer, keys=keys)
        return Schema(values={name: part for name, (part, _) in columns.items()}), stack

    @property
    def retains_all(self) -> bool:
        """Whether all columns of the source stay."""
        return not self._gone

    @property
    def _gone(self) -> list[str]:
        """Paths of the sources that do not stay."""
        sources = dict.fromkeys(job.source for job in self.jobs if not job.retains)
        return [each for each in sources if each not in self.cells]

    @property
    def _dropped(self) -> list[str]:
        return [path for path in self._gone if path in self.table.columns]

    def _changed(self) -> dict[str, tuple[Schema, pa.Array]]:
        """Return the columns that are new, or have other parts."""
        schema = self.table.rows_schema
        changed: dict[str, tuple[Schema, pa.Array]] = {}
        for job in self.jobs:
            column, *names = split_path(schema, job.source)
            made, cells = schema_of(job, schema.find(job.source)), self.cells[job.target]
            if names:
                before = changed[column][1] if column in changed else self.table.column(column)
                name = job.target.rpartition(".")[2]
                schema.find(job.source.rpartition(".")[0]).add_sub_schema(name, made)
                made, cells = (
                    schema.values[column],
                    with_part(before, names[:-1], _adding(name, cells)),
                )
            changed[column if names else job.target] = made, cells
        for path in self._gone:
            column, *names = split_path(schema, path)
            if names:
                del schema.find(path.rpartition(".")[0]).values[names[-1]]
                cells = with_part(changed[column][1], names[:-1], _adding(names[-1], None))
                changed[column] = schema.values[column], cells
        return changed


def write_reduced(reduced: Reduced, model: Model, *, standalone: bool) -> Url:
    """Write a reduced table beside its source, under the next free name, and return its url.

    Args:
        reduced: The table.
        model: What its columns were made by; it is stored with the first table.
        standalone: Whether it must not need the files of its source. It does all the same if all
            columns of that stay.
    """
    numbers = count()
    while True:
        folder = reduced.table.url.create_sibling(f"{NAME}_{next(numbers):04d}")
        if object_exists(folder):
            continue
        saved = None if model.url else model.save(folder)
        is_written = False
        try:
            is_written = _write(reduced, model, folder, saved, standalone=standalone)
        finally:
            if not is_written and saved is not None:
                with suppress(TlcError, OSError):
                    UrlAdapterRegistry.delete_tree(saved)
        if is_written:
            model.url = saved or model.url
            return folder


def _write(
    reduced: Reduced,
    model: Model,
    folder: Url,
    saved: Url | None,
    *,
    standalone: bool,
) -> bool:
    """Write a reduced table; return whether no other process was faster to take the name."""
    draft = None if standalone and not reduced.retains_all else reduced.draft(folder)
    schema, stack = (draft.schema, draft.stack()) if draft else reduced.in_full(folder)
    manifest = msgspec.structs.replace(
        _manifest(reduced.table, folder, standalone=standalone),
        operation={"edits": [_operation(reduced, model, saved or model.url, folder)]},
        rows_schema=schema.to_dict(),
        stack=stack,
    )
    if create(folder, manifest):
        return True
    if draft is not None:
        draft.discard()
        return False
    for entry in file_entries(stack):
        with suppress(TlcError, OSError):
            (folder / entry.path).delete()
    return False


def delete_table(url: Url) -> None:
    """Delete a table: it exists no more, and `tlc gc` clears its files away that nobody needs."""
    for name in (MANIFEST, OPENED):
        with suppress(UrlNotFoundError):
            (url / name).delete()


def _manifest(table: Table, folder: Url, *, standalone: bool) -> TableManifest:
    """Return a manifest as the source's is, but for what it holds."""
    source = table._manifest  # not read again: metrics that are being written have grown since
    rebased = rebase_manifest(source, table.url, folder)
    parents, metrics = rebased.parents, rebased.metrics
    if metrics is not None:
        foreign = metrics.foreign_table
        if foreign is not None:
            path = moved(foreign.url, table.url, folder)
            foreign = msgspec.structs.replace(foreign, url=path)
        metrics = msgspec.structs.replace(metrics, foreign_table=foreign, linked=False)
    if not standalone:
        itself = Parent(table.url.to_relative(folder).to_str(), table.id, INPUT)
        parents = (itself, *(each for each in parents if metrics and each == metrics.foreign_table))
    return msgspec.structs.replace(
        source,
        id=new_id(),
        created=now(),
        description="",
        revision=0,
        parents=tuple(Parent(each.url, each.id, INPUT) for each in parents),
        source={},
        metrics=metrics,
    )


def _operation(reduced: Reduced, model: Model, url: Url | None, folder: Url) -> dict[str, Any]:
    assert url is not None
    jobs = reduced.jobs
    fit = model.fit_table(folder)
    return {
        "type": REDUCE_EMBEDDINGS,
        "source": reduced.table.id,
        "columns": {job.target: job.source for job in jobs},
        "method": ", ".join(dict.fromkeys(job.reducer.method for job in jobs)),
        "fit_table": {"url": fit.url, "id": fit.id},
        "model": url.to_relative(folder).to_str(),
    }


def _adding(name: str, cells: pa.Array | None) -> Callable[[pa.Array], pa.Array]:
    """Return what adds a part to structs, or replaces it, or drops it."""

    def add(structs: pa.Array) -> pa.Array:
        if structs.offset:
            structs = pa.concat_arrays([structs])  # the fields below know no offsets
        parts = {part.name: structs.field(i) for i, part in enumerate(structs.type)}
        parts.pop(name, None)
        if cells is not None:
            parts[name] = cells
        mask = structs.is_null() if structs.null_count else None
        return pa.StructArray.from_arrays(list(parts.values()), list(parts), mask=mask)

    return add
