"""The part of `Table` that makes tables from other things: families of factories, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tlc.format.layout import table_url
from tlc.table.annotation_factories import AnnotationFactories
from tlc.table.frame_factories import FrameFactories
from tlc.table.join import join_tables
from tlc.table.label_factories import LabelFactories
from tlc.table.yolo_factories import YoloFactories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.table.reading import Reading
    from tlc.url import Url


class Factories(FrameFactories, AnnotationFactories, YoloFactories, LabelFactories):
    """Tables that are there already, tables of tables, and all importers."""

    @classmethod
    def from_names(
        cls,
        table_name: str | None = None,
        dataset_name: str | None = None,
        project_name: str | None = None,
        root_url: Url | str | None = None,
    ) -> Self:
        """Open a table that is on disk already, exactly the one of that name.

        Args:
            table_name: Its name; ``"table"`` if None.
            dataset_name: Its dataset; ``"default-dataset"`` if None.
            project_name: Its project; the active run's if None, else ``"default-project"``.
            root_url: Folder that holds the project; the active run's or the configured one if None.

        Raises:
            ObjectNotFoundError: There is no such table.
        """
        return cls.from_url(table_url(table_name, dataset_name, project_name, root_url))

    @classmethod
    def join_tables(
        cls,
        tables: Sequence[Reading | Url | str],
        table_name: str | None = None,
        dataset_name: str | None = None,
        project_name: str | None = None,
        root_url: Url | str | None = None,
        *,
        if_exists: str = "rename",
        description: str = "",
        missing: str | None = None,
    ) -> Self:
        """Make a table with the rows of several tables, one below the other; nothing is copied.

        Classes are merged by name, in annotations too. Where a number means another class in a
        later table, or a class has another number there, that table's numbers change in the new
        one; only then the column is written anew. The manifest's operation tells which have.

        Args:
            tables: Tables with the same columns.
            table_name: Name of the new table; ``"joined"`` if None.
            dataset_name: Its dataset; the first table's if None.
            project_name: Its project; the first table's if None.
            root_url: Folder that holds the project; the first table's if None.
            if_exists: What to do if the name is taken.
            description: What others should know of the table.
            missing: ``"null"`` fills the columns that a table lacks with missing values; with None
                they are an error.

        Raises:
            ColumnError: The tables do not have the same columns.
            SchemaError: A column has different types, parts or metadata; or it cannot be told by
                name which classes are the same.
        """
        return join_tables(
            cls,
            tables,
            table_name=table_name,
            dataset_name=dataset_name,
            project_name=project_name,
            root_url=root_url,
            if_exists=if_exists,
            description=description,
            missing=missing,
        )
