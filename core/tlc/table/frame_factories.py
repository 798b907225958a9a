"""The part of `Table` that makes tables from columns: in memory, in files, from other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from tlc.table.importing import Importing
from tlc.table.options import TableOptions, factory
from tlc.url import Url

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    import pandas as pd

    from tlc.schemas import Schema

    Location: TypeAlias = Url | str | os.PathLike[str]


class FrameFactories(Importing):
    """Importers of columns. They share the keywords of `tlc.table.options.TableOptions`."""

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
    def from_arrow(
        cls,
        frame: Any,
        schema: Mapping[str, Schema] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a frame of any library that speaks Arrow.

        That is whatever has ``__arrow_c_stream__``: frames of polars and narwhals, relations of
        DuckDB, tables and readers of batches of pyarrow, and more. Its columns are taken as they
        are, in batches, so that a relation or a reader may be larger than memory. A frame of pandas
        is taken as by `from_pandas`.

        A reader of batches can be read only once, so it is never compared with a table of the name
        that exists already.

        Args:
            frame: The frame.
            schema: Schemas of columns; the others follow from the frame's types.
            options: See below.

        Raises:
            ColumnError: It is no such frame, or a schema has no column.
            CellError: A value does not fit its schema.
        """
        from tlc.importers.arrow_stream import from_arrow

        return cls._import(from_arrow(frame, schema), options)

    @classmethod
    @factory()
    def from_csv(
        cls,
        input_url: Location,
        schema: Mapping[str, Schema] | None = None,
        *,
        delimiter: str | None = None,
        decimal_point: str = ".",
        encoding: str | None = None,
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a CSV file with a header line.

        An empty number is None. Numbers whose text says more, such as 007, stay text, and so do
        dates and times. Lists and dictionaries are read from JSON where a schema asks for them.
        The file may be larger than memory: it is read twice, piece by piece.

        Args:
            input_url: The file.
            schema: Schemas of columns; the others follow from all their values. Relative urls in
                columns with a url schema are relative to the file.
            delimiter: What separates cells; None for commas, if nothing speaks against them.
            decimal_point: What separates the whole part of a number from the rest.
            encoding: Encoding of the file, such as ``"utf-16"`` or ``"cp1252"``; None for UTF-8.
            on_error: ``"raise"`` refuses a file with rows that are wrong, with an error that tells
                their lines; ``"skip"`` leaves them out and counts them in `import_report`.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file.
            AnnotationFileError: It cannot be read, or rows are wrong.
            ColumnError: A schema has no column.
        """
        from tlc.importers.files import from_csv

        source = from_csv(
            Url(input_url),
            schema,
            delimiter=delimiter,
            decimal_point=decimal_point,
            encoding=encoding,
            on_error=on_error,
        )
        return cls._import(source, options)

    @classmethod
    @factory()
    def from_parquet(
        cls,
        input_url: Location,
        schema: Mapping[str, Schema] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a Parquet file, which may be larger than memory.

        Nested columns stay nested.

        Args:
            input_url: The file.
            schema: Schemas of columns; the others follow from their types.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file.
            AnnotationFileError: It cannot be read.
            ColumnError: A schema has no column.
        """
        from tlc.importers.files import from_parquet

        return cls._import(from_parquet(Url(input_url), schema), options)

    @classmethod
    @factory()
    def from_ndjson(
        cls,
        input_url: Location,
        schema: Mapping[str, Schema] | None = None,
        *,
        encoding: str | None = None,
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a file with one JSON object per line.

        The file may be larger than memory: it is read twice, piece by piece.

        Args:
            input_url: The file.
            schema: Schemas of columns; the others follow from their values. Relative urls in
                columns with a url schema are relative to the file.
            encoding: Encoding of the file; None for UTF-8.
            on_error: ``"raise"`` refuses a file with lines that are wrong, such as a last one that
                is cut off, with an error that tells which; ``"skip"`` leaves them out and counts
                them in `import_report`.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file.
            AnnotationFileError: It cannot be read, or lines are wrong.
            ColumnError: A schema has no column.
        """
        from tlc.importers.files import from_ndjson

        source = from_ndjson(Url(input_url), schema, encoding=encoding, on_error=on_error)
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
    @factory()
    def from_hugging_face_dataset(
        cls,
        hf_dataset: Any,
        schema: Mapping[str, Schema] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a `datasets.Dataset`: its rows, in the order that it has them.

        Class labels become `CategoricalLabelSchema`, arrays NumPy arrays, nested features nested
        columns, and JSON dictionaries. Images, sounds and the like are referenced where the data
        set has files of them; else their bytes are written to files, just as they are.

        Columns that the format of the data set leaves out are left out. A transform is not applied:
        give it to `with_transform` of the table.

        Args:
            hf_dataset: The data set: one split.
            schema: Schemas of columns; the others follow from the features.
            options: See below.

        Raises:
            ColumnError: It is several splits, or an iterable; or a schema has no column.
            CellError: A value does not fit its schema.
        """
        from tlc.importers.hugging_face import from_hugging_face_dataset

        return cls._import(from_hugging_face_dataset(hf_dataset, schema), options)

    @classmethod
    @factory()
    def from_hugging_face_hub(
        cls,
        path: Location,
        name: str | None = None,
        *,
        split: Any = None,
        schema: Mapping[str, Schema] | None = None,
        load_options: Mapping[str, Any] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a data set on the Hugging Face hub, or in a folder.

        Needs the package `datasets`, which keeps what it downloads.

        Args:
            path: The id of a data set; a folder of files as `datasets.load_dataset` takes it; or a
                folder that `save_to_disk` of a data set has written.
            name: Configuration of the data set, where it has several.
            split: The split, such as ``"train"`` or ``"train[:10%]"``; None if there is only one.
            schema: Schemas of columns; the others follow from the features.
            load_options: Further arguments of `datasets.load_dataset`, such as ``revision``.
            options: See below.

        Raises:
            MissingExtraError: The package `datasets` is not installed.
            UrlNotFoundError: There is no such data set.
            AnnotationFileError: Files of the data set are damaged.
            OptionError: There is no such split, or several where none was named.
        """
        from tlc.importers.hugging_face import from_hugging_face_dataset, load

        dataset = load(path, name, split, load_options)
        return cls._import(from_hugging_face_dataset(dataset, schema), options)

    @classmethod
    @factory()
    def from_webdataset(
        cls,
        shards: Location | Sequence[Location],
        schema: Mapping[str, Schema] | None = None,
        *,
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from the tar shards of a WebDataset.

        Files of one sample follow each other, and their names differ after the first dot only.
        Images become the column ``image``, numbers in ``cls`` files ``label``; other columns have
        the ends of the names: ``json`` dictionaries, ``txt`` texts, ``npy`` arrays, the rest files.
        What is no number, text or JSON is written to files of the table, just as it is.

        Args:
            shards: Shards, or folders of them, in order; ``{000..123}`` stands for many.
            schema: Schemas of columns; the others follow from the names of the files.
            on_error: ``"raise"`` refuses shards with samples that are wrong, with an error that
                tells which; ``"skip"`` leaves them out and counts them in `import_report`.
            options: See below.

        Raises:
            OptionError: A pattern stands for more than a million shards.
            UrlNotFoundError: There is no such shard.
            AnnotationFileError: A shard is damaged, or samples are wrong.
            ColumnError: A schema has no column.
        """
        from tlc.importers.webdataset import from_webdataset

        return cls._import(from_webdataset(shards, schema, on_error=on_error), options)
