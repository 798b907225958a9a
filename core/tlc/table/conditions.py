"""Which rows of a table meet a condition.

A missing value meets no comparison, nor its opposite; ``is null`` finds it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from tlc._wording import some
from tlc.errors import ExpressionError
from tlc.format.patching import numbers_as_cells
from tlc.format.plain import numbers_of, validity_of
from tlc.table import expression as ex
from tlc.table.arrow_arrays import as_booleans
from tlc.table.comparing import aggregated, among, is_number, scalar, shown, trues
from tlc.table.paths import Elements, cells_at, elements_of, is_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pyarrow as pa

    from tlc.table.reading import Reading

_FUNCTIONS = {
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TESTS = {"contains": "match_substring", "startswith": "starts_with", "endswith": "ends_with"}


def rows_where(table: Reading, text: str) -> np.ndarray:
    """Return the numbers of the rows that meet a condition, ascending, int64.

    Raises:
        ExpressionError: The text is no condition, or does not fit the columns.
        ColumnNotFoundError: It names a part that is not there.
    """
    import pyarrow as pa

    condition = ex.parse(text)
    try:
        met = _Rows(table).met(condition)
    except (pa.ArrowException, OverflowError) as error:
        raise ExpressionError(
            f"The condition {text!r} does not fit the columns: {error}."
        ) from error
    return trues(met).nonzero()[0]


class _Scope(ABC):
    """Evaluates conditions on things that each have one value at a path."""

    def __init__(self, table: Reading) -> None:
        self.table = table

    @abstractmethod
    def values(self, path: str) -> pa.Array:
        """Return the values at a path."""

    @abstractmethod
    def aggregate(self, operand: ex.Aggregate) -> pa.Array:
        """Return a number for the list of each row."""

    @abstractmethod
    def quantified(self, condition: ex.Quantified) -> pa.Array:
        """Return where a condition holds for any, or for all, of what is in the lists."""

    def met(self, condition: ex.Condition) -> pa.Array:
        """Return where a condition is met: booleans, null where that cannot be told."""
        import pyarrow.compute as pc

        match condition:
            case ex.Both(word, left, right):
                function = pc.and_kleene if word == "and" else pc.or_kleene
                return function(self.met(left), self.met(right))
            case ex.Not(inner):
                return pc.invert(self.met(inner))
            case ex.Compare():
                return self._compare(condition)
            case ex.IsIn(operand, values):
                return self._is_in(operand, values)
            case ex.IsNull(operand):
                return self._cells(operand).is_null()
            case ex.TextTest(test, operand, text):
                return self._text_test(test, operand, text)
            case ex.IsTrue(operand):
                return self._compare(ex.Compare("==", operand, ex.Value(True)))
            case ex.Quantified():
                return self.quantified(condition)

    def _cells(self, operand: ex.Operand) -> pa.Array:
        match operand:
            case ex.Path(path):
                return self.values(path)
            case ex.Aggregate():
                return self.aggregate(operand)
            case ex.Value(value):
                raise ExpressionError(
                    f"{value!r} is a value, where a column is needed.",
                    hint="texts are in quotes, columns are not: label == 'cat'.",
                )

    def _compare(self, condition: ex.Compare) -> pa.Array:
        import pyarrow.compute as pc

        sign, left, right = condition.sign, condition.left, condition.right
        if isinstance(left, ex.Value):
            sign, left, right = _MIRRORED.get(sign, sign), right, left
        cells = self._cells(left)
        if not isinstance(right, ex.Value):
            other = self._cells(right)
            self._check_comparable(left, cells, right, other)
            return getattr(pc, _FUNCTIONS[sign])(cells, other)
        if isinstance(right.value, str) and (ids := self._class_ids(left, right.value)):
            if sign not in ("==", "!="):
                raise ExpressionError(f"Classes are not ordered: {shown(left)} {sign} ...")
            found = among(cells, ids)
            return pc.invert(found) if sign == "!=" else found
        return getattr(pc, _FUNCTIONS[sign])(cells, scalar(left, cells, right.value))

    def _is_in(self, operand: ex.Operand, values: tuple[ex.Literal, ...]) -> pa.Array:
        cells = self._cells(operand)
        wanted: list[Any] = []
        for value in values:
            ids = self._class_ids(operand, value) if isinstance(value, str) else []
            wanted += ids or [scalar(operand, cells, value).as_py()]
        return among(cells, wanted)

    def _text_test(self, test: str, operand: ex.Operand, text: str) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = self._cells(operand)
        if not pa.types.is_string(cells.type):
            raise ExpressionError(
                f"{shown(operand)} holds {cells.type}: only a text {test} another one."
            )
        return getattr(pc, _TESTS[test])(cells, text)

    def _class_ids(self, operand: ex.Operand, name: str) -> list[Any]:
        """Return the numbers of a class; none if the operand has no classes."""
        value_map = None
        if isinstance(operand, ex.Path):
            value_map = self.table._schema.get_value_map(operand.path)
        if not value_map:
            return []
        elements = value_map.items()
        ids = [key for key, element in elements if element.internal_name == name]
        ids = ids or [key for key, element in elements if element.display_name == name]
        if not ids:
            names = [repr(element.name) for element in value_map.values()]
            raise ExpressionError(
                f"{shown(operand)} has no class {name!r}.",
                hint=f"its classes are {some(names, 20)}.",
            )
        return ids

    @staticmethod
    def _check_comparable(
        left: ex.Operand, cells: pa.Array, right: ex.Operand, other: pa.Array
    ) -> None:
        import pyarrow as pa

        both = [cells.type, other.type]
        if all(is_number(kind) for kind in both):
            return
        for check in (pa.types.is_string, pa.types.is_boolean, pa.types.is_binary):
            if all(map(check, both)):
                return
        raise ExpressionError(
            f"{shown(left)} holds {both[0]} and {shown(right)} holds {both[1]}: "
            "they are not compared."
        )


class _Rows(_Scope):
    """Conditions on rows."""

    def values(self, path: str) -> pa.Array:
        import pyarrow as pa

        cells = cells_at(self.table, path)
        if is_list(cells.type):
            raise ExpressionError(
                f"{path!r} has several values per row.",
                hint=f"say any({path} ...), all({path} ...), or len({path}), min, max or sum.",
            )
        if pa.types.is_struct(cells.type):
            names = ", ".join(repr(f"{path}.{part.name}") for part in cells.type)
            raise ExpressionError(f"{path!r} has parts.", hint=f"they are {names}.")
        return cells

    def aggregate(self, operand: ex.Aggregate) -> pa.Array:
        import pyarrow.compute as pc

        cells = cells_at(self.table, operand.path)
        if not is_list(cells.type):
            raise ExpressionError(
                f"{operand.function} needs a list, and {operand.path!r} holds {cells.type}."
            )
        if operand.function == "len":
            return pc.list_value_length(cells)
        return aggregated(operand, elements_of(cells), len(cells))

    def quantified(self, condition: ex.Quantified) -> pa.Array:
        import numpy as np

        scope = _InLists(self.table, condition)
        met = scope.met(condition.condition)
        rows, count = scope.rows, len(self.table)
        valid = validity_of(met)
        unknown = np.zeros(len(rows), bool) if valid is None else ~valid
        decisive = trues(met) if condition.word == "any" else ~numbers_of(met) & ~unknown
        is_decided = np.bincount(rows[decisive], minlength=count) > 0
        is_unknown = np.bincount(rows[unknown], minlength=count) > 0
        holds = is_decided if condition.word == "any" else ~is_decided
        return as_booleans(holds, is_decided | ~is_unknown)


class _InLists(_Scope):
    """Conditions on what is in the lists of rows, all of one length in each row."""

    def __init__(self, table: Reading, condition: ex.Quantified) -> None:
        import numpy as np

        super().__init__(table)
        self._lists: dict[str, Elements] = {}
        self._word = condition.word
        first: tuple[str, np.ndarray] | None = None
        for path in dict.fromkeys(_paths(condition.condition)):
            cells = cells_at(table, path)
            if not is_list(cells.type):
                continue
            found = self._lists[path] = elements_of(cells)
            if first is None:
                first = path, found.rows
            elif not np.array_equal(first[1], found.rows):
                raise ExpressionError(
                    f"{first[0]!r} and {path!r} do not have equally many values in each row.",
                    hint="look at one of them at a time.",
                )
        if first is None:
            raise ExpressionError(f"{condition.word}(...) looks at lists, and there is none in it.")
        self.rows = first[1]

    def values(self, path: str) -> pa.Array:
        if path in self._lists:
            return self._lists[path].values
        import pyarrow as pa

        rows = numbers_as_cells(self.rows, pa.int64())
        return _Rows(self.table).values(path).take(rows)

    def aggregate(self, operand: ex.Aggregate) -> pa.Array:
        raise ExpressionError(f"{operand.function}(...) cannot stand inside of {self._word}(...).")

    def quantified(self, condition: ex.Quantified) -> pa.Array:
        raise ExpressionError(f"{condition.word}(...) cannot stand inside of {self._word}(...).")


def _paths(node: Any) -> Iterator[str]:
    """Yield the paths in a condition."""
    if isinstance(node, ex.Path):
        yield node.path
    elif hasattr(node, "__dataclass_fields__"):
        for part in vars(node).values():
            yield from _paths(part)
