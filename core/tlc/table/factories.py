"""The part of `Table` that makes tables from other things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from tlc.format.layout import table_url
from tlc.table.join import join_tables
from tlc.table.options import TableOptions, check_options, factory
from tlc.table.reading import Reading
from tlc.url import Url

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    import pandas as pd

    from tlc.importers.source import Source
    from tlc.schemas import MapElement, Schema

    Location: TypeAlias = Url | str | os.PathLike[str]


class Factories(Reading):
    """Importers as class methods. They share the keywords of `tlc.table.options.TableOptions`."""

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
    @factory(weights=False)
    def from_dict(
        cls,
        data: Mapping[str, Any],
        schema: Mapping[str, Schema] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from columns in memory.

        Args:
            data: Column name to a sequence of values, all of one length; in sample or row form.
            schema: Schemas of columns; the others are inferred from their values.
            options: See below.

        Raises:
            ColumnError: The columns differ in length, or a schema has no column.
            CellError: A value does not fit its schema.
        """
        from tlc.importers.columns import from_dict

        options.setdefault("add_weight_column", False)
        return cls._import(from_dict(data, schema), options)

    @classmethod
    @factory()
    def from_pandas(
        cls,
        df: pd.DataFrame,
        schema: Mapping[str, Schema] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a data frame; its index is left out.

        NaN in a column of floats stays NaN; elsewhere what pandas calls missing becomes None.

        Args:
            df: The data frame.
            schema: Schemas of columns; the others follow from the frame's types.
            options: See below.

        Raises:
            ColumnError: A schema has no column.
            CellError: A value does not fit its schema.
        """
        from tlc.importers.columns import from_pandas

        return cls._import(from_pandas(df, schema), options)

    @classmethod
    @factory()
    def from_csv(
        cls,
        input_url: Location,
        schema: Mapping[str, Schema] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a CSV file with a header line; an empty number is None.

        Args:
            input_url: The file.
            schema: Schemas of columns; the others follow from all their values. Relative urls in
                columns with a url schema are relative to the file.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file.
            ColumnError: It cannot be parsed, or a schema has no column.
        """
        from tlc.importers.files import from_csv

        return cls._import(from_csv(Url(input_url), schema), options)

    @classmethod
    @factory()
    def from_parquet(
        cls,
        input_url: Location,
        schema: Mapping[str, Schema] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a Parquet file; nested columns stay nested.

        Args:
            input_url: The file.
            schema: Schemas of columns; the others follow from their types.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file.
            ColumnError: It cannot be parsed, or a schema has no column.
        """
        from tlc.importers.files import from_parquet

        return cls._import(from_parquet(Url(input_url), schema), options)

    @classmethod
    @factory()
    def from_ndjson(
        cls,
        input_url: Location,
        schema: Mapping[str, Schema] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a file with one JSON object per line.

        Args:
            input_url: The file.
            schema: Schemas of columns; the others follow from their values.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file.
            ColumnError: It cannot be parsed, or a schema has no column.
        """
        from tlc.importers.files import from_ndjson

        return cls._import(from_ndjson(Url(input_url), schema), options)

    @classmethod
    @factory()
    def from_image_folder(
        cls,
        root: Location,
        *,
        include_label_column: bool = True,
        image_column_name: str = "image",
        label_column_name: str = "label",
        extensions: Sequence[str] | None = None,
        label_overrides: Mapping[str, MapElement | str] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a folder of images with one sub-folder per class.

        Images are referenced, not copied, and not opened. Classes are the names of the sub-folders
        in sorted order, with ids from 0.

        Args:
            root: The folder.
            include_label_column: False for images without labels, anywhere below `root`.
            image_column_name: Name of the column with the images.
            label_column_name: Name of the column with the class ids.
            extensions: File name endings that count as images; the usual ones if None.
            label_overrides: Class name to the name or `MapElement` to show instead.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such folder, or no image in it.
            ColumnError: Images lie in `root` itself, where they belong to no class.
        """
        from tlc.importers.image_folder import from_image_folder

        source = from_image_folder(
            Url(root),
            include_label_column=include_label_column,
            image_column_name=image_column_name,
            label_column_name=label_column_name,
            extensions=extensions,
            label_overrides=label_overrides,
        )
        return cls._import(source, options)

    @classmethod
    @factory()
    def from_torch_dataset(
        cls,
        dataset: Any,
        schema: Mapping[str, Schema] | None = None,
        *,
        all_arrays_are_fixed_size: bool = False,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a map-style torch dataset, by reading every sample of it.

        Where the data have files, `from_image_folder` and its like are the better choice: they
        reference the files. Images without a file are written as PNG.

        Args:
            dataset: Has a length; samples are tuples or dicts.
            schema: For tuple samples, a schema for each position, with the column's name; for
                dicts, schemas of some columns.
            all_arrays_are_fixed_size: Whether arrays have the shape they have in the first sample,
                and another shape is an error; else their shape may vary.
            options: See below.

        Raises:
            ColumnError: A sample does not have the columns of the schema.
            CellError: A value does not fit its schema.
        """
        from tlc.importers.torch_dataset import from_torch_dataset

        source = from_torch_dataset(
            dataset, schema, all_arrays_are_fixed_size=all_arrays_are_fixed_size
        )
        return cls._import(source, options)

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
    ) -> Self:
        """Make a table with the rows of several tables, one below the other; nothing is copied.

        Args:
            tables: Tables with the same columns. Classes that only some of them have are merged.
            table_name: Name of the new table; ``"joined"`` if None.
            dataset_name: Its dataset; the first table's if None.
            project_name: Its project; the first table's if None.
            root_url: Folder that holds the project; the first table's if None.
            if_exists: What to do if the name is taken.
            description: What others should know of the table.

        Raises:
            ColumnError: The tables do not have the same columns.
            SchemaError: A column has different types, or one class id has two names.
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
        )

    @classmethod
    def _import(cls, source: Source, options: TableOptions) -> Self:
        from tlc.table.create import write_source  # late: only what makes tables needs it

        check_options(options, f"Table.from_{source.kind}")
        return cls.from_url(write_source(source, cls, **options))
