"""A revision in the making: layers and schema of its parent, and what edits add to them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any

from tlc.constants import STRING_ROLE_SEGMENTATION_MASK_URL
from tlc.errors import (
    CellError,
    ColumnError,
    ColumnLengthError,
    ColumnNotFoundError,
    RowIndexError,
    RowIndexTypeError,
    SchemaError,
)
from tlc.format.bulk import BulkFolder
from tlc.format.encode import ColumnEncoder, common_length
from tlc.format.infer import infer_column
from tlc.format.layering import Layering
from tlc.format.names import check_column_name
from tlc.format.relative import holds_urls
from tlc.format.writer_name import new_writer
from tlc.schemas.arrow import arrow_type
from tlc.schemas.value_maps import make_value_map
from tlc.schemas.values import BoolValue, NumericValue, ScalarValue
from tlc.table.edits import (
    AddColumn,
    DeleteRows,
    DropColumn,
    Edit,
    KeepRows,
    SetSchema,
    SetValueMap,
    SetValues,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.format.manifest import Stack
    from tlc.schemas import Schema
    from tlc.url import Url


class Draft:
    """Applies edits; writes their files into the folder of the new revision.

    Args:
        stack: Layers of the parent, with paths relative to `folder`.
        schema: Schema of the parent's rows; not changed.
        folder: Folder of the new revision.
    """

    def __init__(self, stack: Stack, schema: Schema, folder: Url) -> None:
        self.schema = copy.copy(schema)  # parts are replaced, not changed
        self.schema.values = dict(schema.values)
        self.operations: list[dict[str, Any]] = []
        self._folder = folder
        self._writer = new_writer()
        self._layering = Layering(stack, self.schema.values, folder, self._writer)

    def stack(self) -> Stack:
        """Write what is left to write, and return the layers."""
        return self._layering.finish()

    def discard(self) -> None:
        """Delete the files that were written for `stack`: no table will name them."""
        self._layering.discard()

    def select(self, rows: np.ndarray) -> None:
        """Keep these rows, which exist, in this order; one that is named twice becomes two."""
        self._layering.keep_rows(rows)

    def put_column(self, name: str, schema: Schema, cells: pa.Array) -> None:
        """Put a column, new or in place of another one, whose cells are known to fit."""
        self.schema.add_sub_schema(name, schema)
        self._layering.set_column(name, cells)

    def drop_column(self, name: str) -> None:
        """Forget a column, which exists."""
        del self._columns[name]
        self._layering.drop_column(name)

    @singledispatchmethod
    def apply(self, edit: Edit) -> None:
        """Add `edit` to the draft.

        Raises:
            TypeError: It is no edit.
            TlcError: It does not fit the table; nothing is added then.
        """
        raise TypeError(f"{edit!r} is not an edit; see tlc.table.edits for those there are.")

    @apply.register(SetValues)
    def _(self, edit: SetValues) -> None:
        rows = self._positions(edit.rows)
        count = common_length({edit.column: edit.values})
        if len(rows) != count:
            raise ColumnLengthError(
                f"{len(rows)} rows of {edit.column!r} cannot take {count} values.",
                hint="give one value per row number.",
            )
        encoder = self._encoder(edit.column, self._column_schema(edit.column))
        self._layering.set_values(edit.column, rows, encoder.encode(edit.values))
        self._log("set_values", column=edit.column, cells=len(rows))

    @apply.register(AddColumn)
    def _(self, edit: AddColumn) -> None:
        name = check_column_name(edit.name)
        if name in self._columns:
            raise ColumnError(f"There is a column {name!r} already.", hint="choose another name.")
        count = common_length({name: edit.values})
        if count != self.row_count:
            raise ColumnLengthError(
                f"Column {name!r} has {count} values, the table {self.row_count} rows.",
                hint="give one value per row.",
            )
        schema = copy.deepcopy(edit.schema) if edit.schema else infer_column(name, edit.values)
        self._set_column(name, schema, edit.values)
        self._log("add_column", column=name)

    @apply.register(DropColumn)
    def _(self, edit: DropColumn) -> None:
        self._column_schema(edit.name)
        self.drop_column(edit.name)
        self._log("drop_column", column=edit.name)

    @apply.register(DeleteRows)
    def _(self, edit: DeleteRows) -> None:
        import numpy as np

        kept = np.ones(self.row_count, dtype=bool)
        kept[self._positions(edit.rows)] = False
        rows = np.flatnonzero(kept)
        self._log("delete_rows", rows=self.row_count - len(rows))
        self._layering.keep_rows(rows)

    @apply.register(KeepRows)
    def _(self, edit: KeepRows) -> None:
        rows = self._positions(edit.rows)
        check_unique(rows)
        self._log("keep_rows", rows=len(rows))
        self._layering.keep_rows(rows)

    @apply.register(SetValueMap)
    def _(self, edit: SetValueMap) -> None:
        self._columns.update(copy.deepcopy(self._columns))
        value = self.schema.find(edit.path).value
        if value is None:
            raise SchemaError(
                f"Column {edit.path!r} has parts, and no value map of its own.",
                hint=f"the parts are {', '.join(map(repr, self.schema.find(edit.path)))}.",
            )
        if not _holds_numbers(value):
            raise SchemaError(
                f"Column {edit.path!r} holds {value.arrow}, which takes no value map.",
                hint="a value map has names for numbers.",
            )
        value.map = make_value_map(edit.value_map)
        self._log("set_value_map", column=edit.path)

    @apply.register(SetSchema)
    def _(self, edit: SetSchema) -> None:
        name, new = edit.column, copy.deepcopy(edit.schema)
        old = self._column_schema(name)
        if arrow_type(old) == arrow_type(new) and holds_urls(old) == holds_urls(new):
            self._columns[name] = new
        else:
            try:
                self._set_column(name, new, self._layering.read(name))
            except CellError as error:
                raise SchemaError(
                    f"The cells of column {name!r} do not fit the new schema: {error.message}"
                ) from error
        self._log("set_schema", column=name)

    @property
    def row_count(self) -> int:
        """Number of rows as the edits have left them."""
        return self._layering.row_count

    @property
    def _columns(self) -> dict[str, Schema]:
        return self.schema.values

    def _column_schema(self, name: str) -> Schema:
        if name not in self._columns:
            raise ColumnNotFoundError(
                f"There is no column {name!r}.",
                hint=f"the columns are {', '.join(map(repr, self._columns))}.",
            )
        return self._columns[name]

    def _encoder(self, name: str, schema: Schema) -> ColumnEncoder:
        files = BulkFolder(self._folder, name, self._writer, schema.bulk_data_location)
        return ColumnEncoder(name, schema, files)

    def _set_column(self, name: str, schema: Schema, values: Sequence[Any]) -> None:
        """Write all cells of a column, in place of those of that name if there are any."""
        cells = self._encoder(name, schema).encode(values)
        self.schema.add_sub_schema(name, schema)
        self._layering.set_column(name, cells)

    def _positions(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        return positions(rows, self.row_count)

    def _log(self, type_: str, **facts: Any) -> None:
        self.operations.append({"type": type_, **facts})


def _holds_numbers(value: ScalarValue) -> bool:
    """Whether there are numbers to name: in the cells, or in the label images they lead to."""
    role = getattr(value, "string_role", "")
    return isinstance(value, (NumericValue, BoolValue)) or role == STRING_ROLE_SEGMENTATION_MASK_URL


def as_row_numbers(rows: Iterable[int] | np.ndarray) -> np.ndarray:
    """Return row numbers as an array, as they are given.

    Raises:
        RowIndexTypeError: They are no list, array or other iterable of whole numbers.
    """
    import numpy as np

    one_by_one = isinstance(rows, Iterable) and not hasattr(rows, "__len__")
    numbers = np.asarray(list(rows) if one_by_one else rows)
    if numbers.shape == (0,):
        return np.empty(0, np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        what = repr(rows) if numbers.ndim == 0 else f"{numbers.dtype} values of {numbers.shape}"
        raise RowIndexTypeError(
            f"{what} is not a list of row numbers.",
            hint="give them as in [0] or range(2); np.flatnonzero makes one of a mask.",
        )
    return numbers


def positions(rows: Iterable[int] | np.ndarray, count: int) -> np.ndarray:
    """Return row numbers counted from the start, for such as may be negative.

    Raises:
        RowIndexTypeError: They are no list, array or other iterable of whole numbers.
        RowIndexError: One is not that of one of `count` rows.
    """
    import numpy as np

    numbers = as_row_numbers(rows)
    outside = (numbers < -count) | (numbers >= count)
    if outside.any():
        raise RowIndexError(
            f"Row {numbers[outside][0]} does not exist: the table has {count} rows."
        )
    return np.where(numbers < 0, numbers + count, numbers)


def check_unique(rows: np.ndarray) -> None:
    """Refuse row numbers, counted from the start, of which one is there twice.

    Raises:
        RowIndexError: One is.
    """
    import numpy as np

    repeated = np.flatnonzero(np.bincount(rows, minlength=1) > 1)
    if len(repeated):
        raise RowIndexError(
            f"Row {repeated[0]} is named more than once.",
            hint="a table has each row once; sampling weights show some more often.",
        )
