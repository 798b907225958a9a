"""The part of `Table` that reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tlc.constants import NUMBER_ROLE_SAMPLE_WEIGHT, SAMPLE_WEIGHT
from tlc.format.layers import read_keys
from tlc.format.layout import place_of
from tlc.format.manifest import MANIFEST, Completeness, MetricsInfo, TableManifest, file_entries
from tlc.format.open import open_table, schema_of
from tlc.schemas import MapElement, Schema
from tlc.table import display
from tlc.table.rows import Rows, RowsView
from tlc.table.view import MapStyle, TableView
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from PIL.Image import Image

    from tlc.importers.report import ImportReport
    from tlc.table.columns_view import ColumnBatch, ColumnsView
    from tlc.table.rows import Finish


class Reading(MapStyle):
    """Names, schema, rows and samples of a table that is on disk."""

    def __init__(self, url: Url, manifest: TableManifest, *, partial: bool = False) -> None:
        self._url = url
        self._manifest = manifest
        self._partial = partial
        self._schema = schema_of(manifest.rows_schema, url)
        self._rows = Rows(manifest.stack, self._schema, url)

    @classmethod
    def from_url(cls, url: Url | str) -> Self:
        """Open a table that is on disk already.

        Args:
            url: Its folder, as in ``table.url``.

        Raises:
            ObjectNotFoundError: There is nothing at `url` (a FileNotFoundError).
            ObjectKindError: What is there is no table (a ValueError).
            CorruptObjectError: The table's manifest is damaged.
            UnsupportedFormatError: A newer version wrote the table.
        """
        folder = Url(url).to_absolute()
        if folder.name == MANIFEST:
            folder = folder.parent
        manifest, partial = open_table(folder)
        return cls(folder, manifest, partial=partial)

    @property
    def url(self) -> Url:
        """The table's folder, absolute."""
        return self._url

    @property
    def id(self) -> str:
        """The table's identity, a UUID; it stays the same when the project is moved."""
        return self._manifest.id

    @property
    def name(self) -> str:
        """The last part of the url."""
        return self._url.name

    @property
    def dataset_name(self) -> str:
        """The dataset that the table belongs to; empty outside the usual layout."""
        return place_of(self._url).dataset

    @property
    def project_name(self) -> str:
        """The project that the table belongs to; empty outside the usual layout."""
        return place_of(self._url).project

    @property
    def root_url(self) -> str:
        """The folder that holds the project; empty outside the usual layout."""
        return place_of(self._url).root

    @property
    def description(self) -> str:
        """What its maker wrote about it."""
        return self._manifest.description

    @property
    def created(self) -> str:
        """When it was made: UTC, ISO 8601."""
        return self._manifest.created

    @property
    def source(self) -> dict[str, Any]:
        """What the importer that made the table noted of its input; empty for other tables."""
        return self._manifest.source

    @property
    def import_report(self) -> ImportReport | None:
        """What the importer that made the table found wrong or odd; None for other tables."""
        from tlc.importers.report import ImportReport  # late: few tables are asked for it

        report = self._manifest.operation.get("report")
        return ImportReport.from_dict(report) if report else None

    @property
    def rows_schema(self) -> Schema:
        """Schema of a row; ``.values`` maps column names to their schemas, in order.

        Each call makes a new one: it can be changed and used for another table.
        """
        return Schema.from_dict(self._manifest.rows_schema)

    @property
    def row_schema(self) -> Schema:
        """The same as `rows_schema`, under its older name."""
        return self.rows_schema

    @property
    def schema(self) -> Schema:
        """Schema of the table as an object: its rows are the value ``rows``."""
        return Schema(values={"rows": self.rows_schema})

    @property
    def columns(self) -> list[str]:
        """Names of all columns, the hidden ones too."""
        return list(self._schema.values)

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return len(self._rows)

    @property
    def file_size(self) -> int:
        """Bytes of the data files that the rows are read from, those of other tables too."""
        return sum(entry.length for entry in file_entries(self._manifest.stack))

    @property
    def is_partial(self) -> bool:
        """Whether this is a metrics table whose writer did not finish (yet)."""
        return self._partial

    @property
    def metrics_info(self) -> MetricsInfo | None:
        """What a metrics table refers to; None for other tables."""
        return self._manifest.metrics

    @property
    def completeness(self) -> Completeness | None:
        """Rows, unique ids, dropped repeats and missing ids of a metrics table, so far."""
        if self._partial:
            from tlc.table.collected import completeness_so_far  # late: few tables are partial

            return completeness_so_far(self)
        return self._manifest.metrics.completeness if self._manifest.metrics else None

    def missing_example_ids(self) -> np.ndarray:
        """Return the row numbers that a metrics table has no metrics of, int64, ascending.

        They are rows of the table that it is about: those left out on purpose, and those lost.
        """
        from tlc.table.collected import missing_example_ids  # late: few tables are about others

        return missing_example_ids(self)

    @property
    def weights_column_name(self) -> str | None:
        """Name of the column with the sample weights, or None."""
        for name, schema in self._schema.values.items():
            if getattr(schema.value, "number_role", "") == NUMBER_ROLE_SAMPLE_WEIGHT:
                return name
        return SAMPLE_WEIGHT if SAMPLE_WEIGHT in self._schema.values else None

    @property
    def table_rows(self) -> RowsView:
        """The rows in row form: plain values of all columns, urls instead of media."""
        return RowsView(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return the sample of row `index`: a dict with one value per visible column.

        Raises:
            RowIndexError: There is no such row (an IndexError).
            RowIndexTypeError: `index` is no integer (a TypeError).
            ImageReadError: A file that the row refers to cannot be read as an image.
            CellError: A cell cannot be turned into its sample form.
        """
        rows = self._rows
        if type(index) is int and 0 <= index < rows.count:  # the usual case, faster
            return rows.sample(index)
        return rows.sample(rows.position(index))

    def __getitems__(self, indices: Sequence[int], finish: Finish | None = None) -> list[Any]:
        """Return several samples; what a ``DataLoader`` calls for a batch.

        Args:
            indices: Rows.
            finish: Gets each sample and its row number; what it makes of them is returned instead.
        """
        return self._rows.samples(indices, finish)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self._rows.sample, range(self._rows.count))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reading):
            return NotImplemented
        return (self._url, self.id) == (other._url, other.id)

    def __hash__(self) -> int:
        return hash((self._url, self.id))

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return type(self).from_url, (self._url.to_str(),)

    def __repr__(self) -> str:
        return display.text(self)

    def _repr_html_(self) -> str:
        return display.html(self)

    def show(self, index: int, *, width: int = 640) -> Image:
        """Return the image of a row with its annotations drawn on it; a notebook shows it.

        Boxes, masks, keypoints and the names of classes are drawn in the colours of their classes.

        Args:
            index: Number of the row.
            width: Width of the picture in pixels, at most.

        Raises:
            ColumnError: The row has neither an image nor an annotation of a known size.
            ImageReadError: The image cannot be read.
            RowIndexError: There is no such row.
        """
        from tlc.drawing import draw_row  # late: it needs Pillow

        return draw_row(self.table_rows[index], self.rows_schema, width)

    def with_transform(self, transform: Callable[[Any], Any]) -> TableView:
        """Return a view whose samples go through `transform` when they are read.

        Args:
            transform: Gets the sample dict and returns what the model takes. It must be picklable,
                so a top-level function, if worker processes read the view.
        """
        return TableView(self, transform)  # type: ignore[arg-type]

    def columns_view(
        self,
        columns: Sequence[str] | None = None,
        transform: Callable[[ColumnBatch], Any] | None = None,
    ) -> ColumnsView:
        """Return a view that gives whole batches as columns: much faster than single samples.

        Args:
            columns: Names of the columns; None for those that samples have.
            transform: Gets the columns of a batch and returns what the model takes; None for the
                columns. It must be picklable if worker processes read the view.

        Raises:
            ColumnNotFoundError: There is no such column (a KeyError).
        """
        from tlc.table.columns_view import ColumnsView

        return ColumnsView(self, columns, transform)  # type: ignore[arg-type]

    def get_batch(
        self, indices: Sequence[int], columns: Sequence[str] | None = None
    ) -> ColumnBatch:
        """Return columns of several samples.

        Args:
            indices: Row numbers, in any order; negative ones count from the end.
            columns: Names of the columns, hidden ones too; None for those that samples have.

        Returns:
            By column: an array with one number, or one array of numbers, per row and of the
            column's own type; a list of samples if they are anything else. A missing float is NaN.

        Raises:
            ColumnNotFoundError: There is no such column (a KeyError).
            RowIndexError: There is no such row (an IndexError).
            CellError: A whole number or boolean is missing, or a sample cannot be made.
        """
        from tlc.table.columns_view import ColumnBatch

        names = self._rows.visible if columns is None else columns
        return ColumnBatch(self._rows.batch(indices, names))

    def get_column_as_pyarrow_array(self, name: str) -> pa.Array:
        """Return a column as one Arrow array, in row form.

        Raises:
            ColumnNotFoundError: There is no such column (a KeyError).
        """
        return self._rows.column(name)

    column = get_column = get_column_as_pyarrow_array
    """Shorter names of `get_column_as_pyarrow_array`."""

    def column_parts(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield columns in parts, the first rows first, and keep none of them in memory.

        Several columns are read faster together than one by one, and a table that does not fit
        into memory can be read like this.

        Args:
            names: Names of the columns.

        Yields:
            Column name to Arrow array, in row form: about 131,072 rows, as they lie in the files.

        Raises:
            ColumnNotFoundError: There is no such column (a KeyError).
        """
        return self._rows.parts(names)

    def write_to_url(self, force: bool = False) -> Url:
        """Return the url; every table is on disk from the start, and `force` changes nothing."""
        return self._url

    def to_arrow(self) -> pa.Table:
        """Return all columns, in row form, as an Arrow table."""
        import pyarrow as pa

        names = self.columns
        return pa.table([self._rows.column(name) for name in names], names=names)

    def to_pandas(self) -> pd.DataFrame:
        """Return all columns, in row form, as a data frame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from tlc._optional import require

        require("pandas", extra="pandas", purpose="to make a data frame")
        return self.to_arrow().to_pandas()

    def get_value_map(self, path: str) -> dict[Any, MapElement] | None:
        """Return the value map of a column: value to `MapElement`; None if it has none.

        Args:
            path: Name of the column, or a dotted path such as
                ``"bbs.instances_additional_data.label"``.

        Raises:
            ColumnNotFoundError: There is no such column.
        """
        value_map = self._schema.get_value_map(path)
        return None if value_map is None else dict(value_map)

    def get_simple_value_map(self, path: str) -> dict[Any, str] | None:
        """Return the value map of a column as value to name; None if it has none.

        Raises:
            ColumnNotFoundError: There is no such column.
        """
        return self._schema.get_simple_value_map(path)

    def row_keys(self) -> tuple[pa.Array, np.ndarray]:
        """Return the stable keys of the rows: origin table id (strings), index there (int64).

        A row keeps its key through edits, deletions, joins and splits, so that metrics of one
        revision can be shown beside another.
        """
        return read_keys(self._manifest.stack, self._url)

    def ensure_fully_defined(self) -> None:
        """Do nothing: schema and rows of a table on disk are always there."""
