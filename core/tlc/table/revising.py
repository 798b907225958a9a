"""The part of `Table` that makes new revisions and finds them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from tlc.errors import (
    CorruptObjectError,
    ObjectExistsError,
    OptionError,
    RevisionConflictError,
    SchemaError,
)
from tlc.format.commit import INPUT, REVISION
from tlc.format.encode import is_sequence
from tlc.format.manifest import Parent, TableManifest, new_id, now
from tlc.format.names import check_name
from tlc.format.publish import claim, exists_error, numbered, publish_table
from tlc.format.rebase import rebase_manifest, rebase_stack
from tlc.table import lineage
from tlc.table.edits import (
    AddColumn,
    DeleteRows,
    DropColumn,
    Edit,
    SetSchema,
    SetValueMap,
    SetValues,
)
from tlc.table.reading import Reading
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np

    from tlc.schemas import Schema

_FIRST_WAIT, _LONGEST_WAIT = 0.001, 0.2  # seconds


class Revising(Reading):
    """Edits that make revisions, and the lineage that connects them."""

    def revise(
        self,
        *edits: Edit,
        description: str | None = "",
        name: str | None = None,
        base: Url | str | None = None,
        table_url: Url | str | None = None,
    ) -> Self:
        """Make a new table that is this one with `edits` applied in order; this one stays as it is.

        Only what changes is written. Two people who edit the same table make two branches.

        Args:
            edits: Values of `tlc.table.edits`; row numbers count in the table as the edits before
                have left it.
            description: Why, for those who look at the lineage later.
            name: Name of the new table, beside this one; ``<first name>-r<number>`` if None. A
                taken name gets a number.
            base: Url of the revision that the edits were made on. If it is no longer the newest one
                of its lineage, nothing is written; of several who edit it at once one succeeds.
                It excludes `name`. See `revise_latest` for edits that can wait for their turn.
            table_url: Write there instead, replacing a table that is there. Such a table is made
                from this one but is no revision of it: `latest` does not lead there.

        Raises:
            RevisionConflictError: `base` has been revised by somebody else.
            OptionError: `base` and `name` are both given: the usual name decides who was first.
            TlcError: An edit does not fit the table; nothing is written then.
        """
        if base is not None and name is not None:
            raise OptionError(f"{name!r}: a revision of a given base has a name already.")
        number = self._manifest.revision + 1
        name = check_name(name or lineage.revision_name(self.name, number), "table")
        if_exists = "overwrite" if table_url else "rename"
        wanted = Url(table_url).to_absolute() if table_url else self.url.create_sibling(name)
        folder = claim(wanted, if_exists, "table")
        if base is not None:
            self._check_base(base)
        from tlc.table.draft import Draft  # late: only what edits tables needs it

        draft = Draft(rebase_stack(self._manifest.stack, self.url, folder), self._schema, folder)
        for edit in edits:
            draft.apply(edit)
        relation = INPUT if table_url else REVISION
        manifest = TableManifest(
            id=new_id(),
            created=now(),
            description=description or "",
            revision=0 if table_url else number,
            parents=(self._as_parent(folder, relation),),
            operation={"edits": draft.operations},
            rows_schema=draft.schema.to_dict(),
            stack=draft.stack(),
        )
        if base is None or table_url:
            return self.from_url(publish_table(folder, manifest, if_exists))
        try:
            return self.from_url(self._publish_on(base, wanted, folder, manifest))
        except RevisionConflictError:
            draft.discard()
            raise

    def revise_latest(
        self,
        edits: Callable[[Self], Iterable[Edit]],
        *,
        description: str | None = "",
        attempts: int = 1000,
    ) -> Self:
        """Make the next revision of the newest one, whatever others do at the same time.

        Of several processes that edit one lineage each gets its turn: nobody makes a branch, and
        nothing that anybody has done is lost.

        Args:
            edits: Gets the newest revision and returns the edits to make in it. It is asked again
                if somebody else's revision came first: rows may have other numbers there.
            description: Why.
            attempts: How often to try.

        Raises:
            RevisionConflictError: Others were faster each time.
            TlcError: An edit does not fit the newest revision.
        """
        import random  # late: few programs need it

        newest = self.latest()
        for attempt in range(1, attempts + 1):
            try:
                return newest.revise(*edits(newest), description=description, base=newest.url)
            except RevisionConflictError as error:
                if attempt == attempts:
                    raise
                # Full jitter: those who met here will hardly meet again.
                time.sleep(random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt)))
                newest = self.from_url(str(error.latest)).latest()
        raise OptionError(f"attempts={attempts} is not possible: it is 1 or more.")

    def set_values(
        self,
        column: str,
        rows: Sequence[int] | np.ndarray,
        values: Any,
        *,
        description: str | None = "",
    ) -> Self:
        """Return a new revision with other values in some rows of a column.

        Args:
            column: Name of the column.
            rows: Row numbers.
            values: One value per row number in a list, tuple, array or other sequence; or one
                value, such as a number, text or dict, for all of them.
            description: Why.

        Raises:
            ColumnNotFoundError: There is no such column.
            RowIndexError: There is no such row.
            RowIndexTypeError: These are no row numbers.
            CellError: A value does not fit the column's schema.
        """
        from tlc.table.draft import as_row_numbers

        numbers = as_row_numbers(rows)
        listed = values if is_sequence(values) else [values] * len(numbers)
        return self.revise(SetValues(column, numbers, listed), description=description)

    def set_value_map(
        self,
        path: str,
        value_map: Mapping[Any, Any] | Sequence[Any],
        *,
        description: str | None = "",
    ) -> Self:
        """Return a new revision with other names for the values of a column; the values stay.

        Args:
            path: Name of the column, or a dotted path into a nested one.
            value_map: Map from value to name or `MapElement`, or a list of names.
            description: Why.

        Raises:
            ColumnNotFoundError: There is no such column.
            SchemaError: The column does not hold numbers.
        """
        return self.revise(SetValueMap(path, value_map), description=description)

    def add_column(
        self,
        name: str,
        values: Sequence[Any],
        schema: Schema | None = None,
        *,
        description: str | None = "",
    ) -> Self:
        """Return a new revision with one more column.

        Args:
            name: Its name.
            values: One value per row, in sample or row form.
            schema: Its schema; inferred from the values if None.
            description: Why.

        Raises:
            ColumnError: There is such a column, or the number of values is wrong.
            CellError: A value does not fit the schema.
        """
        return self.revise(AddColumn(name, values, schema), description=description)

    def delete_column(self, name: str, *, description: str | None = "") -> Self:
        """Return a new revision without a column.

        Raises:
            ColumnNotFoundError: There is no such column.
        """
        return self.revise(DropColumn(name), description=description)

    def delete_rows(
        self,
        indices: Sequence[int] | np.ndarray,
        table_url: Url | str | None = None,
        description: str | None = None,
    ) -> Self:
        """Return a new table without some rows; the others keep their order.

        Args:
            indices: Row numbers; may be empty.
            table_url: Where to write it, replacing what is there; such a table is a subset with a
                life of its own, not a revision that `latest` would find. None makes a revision.
            description: Why.

        Raises:
            RowIndexError: There is no such row.
            RowIndexTypeError: These are no row numbers.
        """
        return self.revise(DeleteRows(indices), description=description, table_url=table_url)

    def set_schema(self, column: str, schema: Schema, *, description: str | None = "") -> Self:
        """Return a new revision in which a column has another schema.

        Raises:
            ColumnNotFoundError: There is no such column.
            SchemaError: The cells do not fit `schema`.
        """
        return self.revise(SetSchema(column, schema), description=description)

    def squash(
        self,
        table_name: str | None = None,
        dataset_name: str | None = None,
        project_name: str | None = None,
        root_url: Url | str | None = None,
        *,
        if_exists: str = "rename",
        description: str | None = "",
    ) -> Self:
        """Return this table written out in full, so that it needs no file of another table.

        With no names it is the next revision. With a name, dataset, project or root it is a table
        of its own, made from this one. Rows keep their stable keys.

        Args:
            table_name: Name of the new table.
            dataset_name: Its dataset; this table's if None.
            project_name: Its project; this table's if None.
            root_url: Folder that holds the project; this table's if None.
            if_exists: What to do if the name is taken.
            description: Why.
        """
        from tlc.table.squash import squash

        return squash(
            self,
            table_name=table_name,
            dataset_name=dataset_name,
            project_name=project_name,
            root_url=root_url,
            if_exists=if_exists,
            description=description,
        )

    def latest(self) -> Self:
        """Return the newest revision made from this table, or this table.

        Tables made from this one by splitting, joining or writing to a url of their own are not
        revisions. Where there are branches the newest counts and a `BranchWarning` names the
        others. A revision that cannot be read is named in a `DamagedObjectWarning`, and the next
        newest counts.
        """
        nodes = lineage.nodes_beside(self.url)
        start = nodes.get(self.id)
        while start and (ends := lineage.ends(start, nodes.values())):
            if found := self._readable(ends[-1:]):
                lineage.warn_of_branches(start, ends)
                return found[0]
            del nodes[ends[-1].id]
        return self

    def revisions(self) -> list[Self]:
        """Return all revisions of this table's lineage, branches too, oldest first."""
        nodes = lineage.nodes_beside(self.url)
        start = nodes.get(self.id)
        if start is None:
            return [self]
        first = (lineage.ancestors(start, nodes) or [start])[0]
        family = [first, *lineage.descendants(first, nodes.values())]
        return self._readable(family)

    def history(self) -> list[Self]:
        """Return the revisions that led to this one, oldest first; this one is the last."""
        nodes = lineage.nodes_beside(self.url)
        if self.id not in nodes:
            return [self]
        return [*self._readable(lineage.ancestors(nodes[self.id], nodes)), self]

    @property
    def input_tables(self) -> list[Url]:
        """Urls of the tables that this one was made from, absolute."""
        return [Url(parent.url).to_absolute(self.url) for parent in self._manifest.parents]

    def _readable(self, nodes: Iterable[lineage.Node]) -> list[Self]:
        """Open tables; those that cannot be read are named in a warning and left out."""
        tables: list[Self] = []
        for node in nodes:
            try:
                table = self.from_url(node.url)
            except (CorruptObjectError, SchemaError) as error:
                lineage.warn_of_damage(node.url, error)
                continue
            if table.id == node.id:  # or it has just been overwritten
                tables.append(table)
        return tables

    def _as_parent(self, folder: Url, relation: str) -> Parent:
        return Parent(self.url.to_relative(folder).to_str(), self.id, relation)

    def _publish_on(
        self, base: Url | str, wanted: Url, folder: Url, manifest: TableManifest
    ) -> Url:
        """Publish the one revision of `base`.

        All who want to try the same names in the same order, and look who has taken each. So no
        two can succeed, whatever a listing shows or leaves out.
        """
        for place in numbered(wanted):
            try:
                return publish_table(place, rebase_manifest(manifest, folder, place), "raise")
            except ObjectExistsError:
                self._refuse_if_revised(base, place)
        raise exists_error(wanted, "table")

    def _refuse_if_revised(self, base: Url | str, place: Url) -> None:
        """Refuse if the table at `place` is a revision of this one."""
        try:
            holder = self.from_url(place)
        except CorruptObjectError:
            return
        if any((p.id, p.relation) == (self.id, REVISION) for p in holder._manifest.parents):
            raise _conflict(Url(base).to_absolute(), holder.url)

    def _check_base(self, base: Url | str) -> None:
        expected = Url(base).to_absolute()
        edited = self if expected == self.url else self.from_url(expected)
        latest = edited.latest()
        if latest.url != expected or expected != self.url:
            raise _conflict(expected, latest.url)


def _conflict(base: Url, latest: Url) -> RevisionConflictError:
    return RevisionConflictError(
        f"The edits were made on {base}, but the newest revision is {latest} now.",
        base=base,
        latest=latest,
        hint="edit the newest one, as revise_latest does; without base= it is a branch.",
    )
