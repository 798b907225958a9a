from __future__ import annotations

from contextlib import suppress
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc import schemas
from tlc.errors import ColumnNotFoundError, ExpressionError
from tlc.schemas import MapElement, Schema
from tlc.table import Table
from tlc.table.conditions import rows_where
from tlc.table.expression import parse

FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
ROWS = [
    (0, 1, 0.1, "cat.jpg", True, [0, 1], [0.9, 0.2]),
    (1, None, 2.5, "dog.jpg", None, [1], [0.4]),
    (2, 3, None, "it's a cat", False, [], []),
    (3, -4, float("nan"), None, True, None, None),
    (4, 1, 0.5, "CAT", False, [2, 2, 0], [None, 0.1, 0.6]),
]


@pytest.fixture
def zoo():
    label = schemas.CategoricalLabelListSchema(
        {0: "cat", 1: "dog", 2: MapElement("x2", display_name="bird")}
    )
    names = ["n", "whole", "real", "name", "seen", "labels", "scores"]
    columns = dict(zip(names, map(list, zip(*ROWS, strict=True)), strict=True))
    labels, scores = columns.pop("labels"), columns.pop("scores")
    columns["bbs"] = [
        {"size": n, "label": a, "score": b}
        for n, (a, b) in enumerate(zip(labels, scores, strict=True))
    ]
    columns["class"] = [0, 1, 2, 3, None]
    parts = {
        "size": schemas.Int64Schema(),
        "label": label,
        "score": Schema(value=schemas.values.Float32Value(), size0=label.size0),
    }
    return Table.from_dict(
        columns,
        {
            "whole": schemas.Int32Schema(),
            "real": schemas.Float32Schema(),
            "bbs": Schema(values=parts),
            "class": schemas.CategoricalLabelSchema(["cat", "dog", "cow"]),
        },
        table_name="zoo",
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("whole == 1", [0, 4]),
        ("whole != 1", [2, 3]),
        ("1 < whole", [2]),
        ("-5 <= whole < 1", [3]),
        ("not whole == 1", [2, 3]),
        ("whole is null", [1]),
        ("whole is not null", [0, 2, 3, 4]),
        ("whole in [1, 3, 3.5, 99999999999]", [0, 2, 4]),
        ("whole not in (1)", [2, 3]),
        ("whole in []", []),
        ("real == 0.1", [0]),
        ("real <= 0.1", [0]),
        ("real > 0", [0, 1, 4]),
        ("real != real", [3]),
        ("real > whole", []),
        ("whole > real", [0, 4]),
        ("name contains 'cat'", [0, 2]),
        ("name not contains 'cat'", [1, 4]),
        ("name endswith '.jpg' and not name startswith \"dog\"", [0]),
        (r"name contains 't\'s'", [2]),
        ("name == 'CAT' | name is null", [3, 4]),
        ("name < 'D'", [4]),
        ("seen", [0, 3]),
        ("~seen", [2, 4]),
        ("seen == false", [2, 4]),
        ("seen in [true]", [0, 3]),
        ("whole == 1 and seen or n == 2", [0, 2]),
        ("whole == 1 & (seen | n == 2)", [0]),
        ("class == 'dog'", [1]),
        ("class != 'dog'", [0, 2, 3]),
        ("class in ['cat', 'cow']", [0, 2]),
        ("class in ['cat', 3]", [0, 3]),
        ("class == 3", [3]),
        ("`class` == 'cow'", [2]),
        ("bbs.size >= 3", [3, 4]),
        ("len(bbs.label) > 1", [0, 4]),
        ("len(bbs.label) is null", [3]),
        ("any(bbs.label == 'cat')", [0, 4]),
        ("any(bbs.label == 'bird')", [4]),
        ("all(bbs.label == 'dog')", [1, 2, 3]),
        ("not any(bbs.label == 'cat')", [1, 2, 3]),
        ("any(bbs.label == 'cat' and bbs.score > 0.8)", [0]),
        ("any(bbs.label == 'x2' and bbs.score > 0.8)", []),
        ("not any(bbs.label == 'x2' and bbs.score > 0.8)", [0, 1, 2, 3]),
        ("any(bbs.score is null)", [4]),
        ("any(bbs.label == n)", [0, 1]),
        ("max(bbs.score) > 0.5", [0, 4]),
        ("min(bbs.label) == 0", [0, 4]),
        ("min(bbs.label) is null", [2, 3]),
        ("sum(bbs.label) == 0", [2, 3]),
        ("sum(bbs.label) == 4", [4]),
    ],
)
def test_rows_that_meet_a_condition_stay(zoo, condition, expected):
    assert rows_where(zoo, condition).tolist() == expected


def test_a_filtered_table_is_a_table_of_its_own(zoo):
    cats = zoo.filter("class == 'cat'")
    assert [row["n"] for row in cats.table_rows] == [0]
    assert (cats.name, cats.input_tables) == ("zoo-filter", [zoo.url])
    edits = cats._manifest.operation["edits"]
    assert edits == [{"type": "filter", "condition": "class == 'cat'", "rows": 1}]
    assert zoo.filter("class == 'cat'") == cats
    assert zoo.filter("class == 'dog'").name == "zoo-filter_0000"
    assert zoo.filter("class == 'dog'", table_name="dogs").name == "dogs"
    assert zoo.latest() == zoo


def test_a_condition_may_be_a_function_of_columns(zoo):
    found = zoo.filter(lambda cells: np.sqrt(np.abs(cells["whole"])) + cells["bbs.size"] > 4)
    assert [row["n"] for row in found.table_rows] == [3, 4]
    texts = zoo.filter(lambda cells: [text == "CAT" for text in cells["name"].to_pylist()])
    assert [row["n"] for row in texts.table_rows] == [4]
    assert texts != found
    assert zoo.filter(lambda cells: cells["n"] == 4) == texts
    with pytest.raises(ExpressionError, match=r"float64 values of shape \(5,\)"):
        zoo.filter(lambda cells: cells["whole"])
    with pytest.raises(ExpressionError, match=r"shape \(0,\)"):
        zoo.filter(lambda cells: np.empty(0, bool))
    with pytest.raises(ExpressionError, match="keep takes row numbers"):
        zoo.filter([0, 1])


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("", r"'the end' instead of a column.* character 1"),
        ("n ==", r"'the end' instead of a column"),
        ("n = 1", r"'= 1' is not understood, at character 3"),
        ("n == 1 n", r"'n' instead of 'and', 'or' or the end, at character 8"),
        ("(n == 1", r"instead of '\)'"),
        ("n in 1", r"instead of '\['"),
        ("n in [1 2]", r"instead of ','"),
        ("n is 1", r"instead of 'null'"),
        ("n not 1", r"instead of 'in' or 'contains'"),
        ("name contains 5", "a text in quotes"),
        ("len(1) > 1", "a path"),
        ("1 == 1", "a value, where a column is needed"),
        ("n == 'cat'", "'n' holds int64, and is not compared with 'cat'"),
        ("name > 5", "'name' holds string"),
        ("n == true", "int64"),
        ("seen == 1", "'seen' holds bool"),
        ("n", "'n' holds int64"),
        ("n == name", "not compared"),
        ("n contains 'a'", "only a text contains"),
        ("class == 'cta'", r"no class 'cta'.*'cat', 'dog', 'cow'"),
        ("class < 'dog'", "not ordered"),
        ("bbs.label == 'cat'", r"several values per row.*any\(bbs.label"),
        ("bbs == 1", r"has parts.*'bbs.size'"),
        ("any(n == 1)", "there is none in it"),
        ("any(any(bbs.label == 1))", "cannot stand inside"),
        ("any(max(bbs.label) == 1)", "any"),
        ("len(n) > 1", "needs a list"),
        ("n == 99999999999999999999", "does not fit"),
        ("(" * 200 + "n == 1" + ")" * 200, "nested too deep"),
        ("__import__('os').system('true')", "not understood"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_with_the_reason(zoo, condition, message):
    with pytest.raises(ExpressionError, match=message):
        zoo.filter(condition)


def test_a_column_that_is_not_there_is_named(zoo):
    with pytest.raises(ColumnNotFoundError, match="'lable'"):
        zoo.filter("lable == 1")


def test_lists_that_are_not_equally_long_are_not_compared():
    table = Table.from_dict({"a": [[1, 2]], "b": [[1]]})
    with pytest.raises(ExpressionError, match="equally many"):
        table.filter("any(a == b)")


WORDS = st.sampled_from(
    [
        *("==", "!=", "and", "or", "not", "in", "is", "null", "any", "len", "contains", "true"),
        *("n", "name", "bbs.label", "class", "1", "-2.5", "'cat'", '"', "`n`", "\n"),
        *"()[],<>&|~",
    ]
)


@FEW
@given(st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=12).map(" ".join)))
def test_any_text_is_a_condition_or_a_clear_error(zoo, text):
    with suppress(ExpressionError, ColumnNotFoundError):
        assert set(rows_where(zoo, text).tolist()) <= set(range(5))


SIMPLE = st.sampled_from(["whole > 0", "whole == 1", "real < 1", "name contains 'a'", "seen"])
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=6,
)


def judged(condition, row):
    """Decide by Python, with None where it cannot be told."""
    _, whole, real, name, seen, _, _ = row
    if condition.startswith("not ("):
        inner = judged(condition[5:-1], row)
        return None if inner is None else not inner
    if condition.startswith("("):
        depths = accumulate((sign == "(") - (sign == ")") for sign in condition)
        end = list(depths).index(0)
        word, _, rest = condition[end + 2 :].partition(" ")
        both = judged(condition[1:end], row), judged(rest[1:-1], row)
        decisive = word == "or"
        if decisive in both:
            return decisive
        return None if None in both else not decisive
    values = {"whole > 0": whole, "whole == 1": whole, "real < 1": real, "seen": seen}
    value = values.get(condition, name)
    if value is None:
        return None
    return {
        "whole > 0": lambda: whole > 0,
        "whole == 1": lambda: whole == 1,
        "real < 1": lambda: real < 1,
        "name contains 'a'": lambda: "a" in name,
        "seen": lambda: seen,
    }[condition]()


@FEW
@given(CONDITIONS)
def test_conditions_are_decided_as_in_a_database(zoo, condition):
    expected = [row[0] for row in ROWS if judged(condition, row)]
    assert rows_where(zoo, condition).tolist() == expected


def test_words_may_be_in_capitals_and_names_may_look_like_words():
    assert parse("a == 1 AND b IS NOT NULL") == parse("a == 1 and b is not null")
    table = Table.from_dict({"in": [1, 2], "a b": [3, 4], "any": [True, False]})
    assert rows_where(table, "`in` == 2 or `a b` == 4").tolist() == [1]
    assert rows_where(table, "any").tolist() == [0]
