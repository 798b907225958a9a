from __future__ import annotations

import pytest

from tlc import schemas
from tlc.errors import ColumnError, ObjectExistsError, OptionError, ReuseWarning, SchemaError
from tlc.schemas import MapElement, Schema
from tlc.table import Table


def labelled(name, labels, classes, **more):
    return Table.from_dict(
        {"label": labels, **more},
        schema={"label": schemas.CategoricalLabelSchema(classes=classes)},
        table_name=name,
        dataset_name="d",
        project_name="p",
    )


@pytest.fixture
def cats():
    return labelled("cats", [0, 1], {0: "cat", 1: "dog"}, n=[1, 2])


@pytest.fixture
def birds():
    return labelled("birds", [2, 0], {0: "cat", 2: "bird"}, n=[3, 4])


def test_rows_follow_each_other_in_the_order_of_the_tables(cats, birds):
    joined = Table.join_tables([birds, cats, birds])
    assert [sample["n"] for sample in joined] == [3, 4, 1, 2, 3, 4]
    assert len(joined) == 6
    assert (joined.name, joined.dataset_name, joined.project_name) == ("joined", "d", "p")
    assert joined.input_tables == [birds.url, cats.url, birds.url]


def test_tables_may_be_given_as_urls_and_the_new_one_be_named(cats, birds):
    joined = Table.join_tables(
        tables=[cats.url, str(birds.url)],
        table_name="all",
        dataset_name="e",
        project_name="q",
        description="why",
    )
    assert (joined.name, joined.dataset_name, joined.project_name) == ("all", "e", "q")
    assert [sample["n"] for sample in joined] == [1, 2, 3, 4]
    assert joined.description == "why"


def test_value_maps_are_merged_and_the_inputs_keep_theirs(cats, birds):
    joined = Table.from_url(Table.join_tables([cats, birds]).url)
    assert joined.get_simple_value_map("label") == {0: "cat", 1: "dog", 2: "bird"}
    assert cats.get_simple_value_map("label") == {0: "cat", 1: "dog"}


def test_value_maps_are_merged_inside_of_columns_too():
    def boxes(classes, label=0):
        part = Schema(values={"label": schemas.CategoricalLabelListSchema(classes)})
        return Table.from_dict({"bbs": [{"label": [label]}]}, {"bbs": part}, if_exists="rename")

    joined = Table.join_tables([boxes({0: "a"}), boxes({1: "b"}, 1), boxes(None)])
    assert joined.get_simple_value_map("bbs.label") == {0: "a", 1: "b"}
    plain = Table.join_tables([boxes(None), boxes({0: "a"})])
    assert plain.get_simple_value_map("bbs.label") == {0: "a"}


def test_how_a_class_is_shown_is_taken_from_the_first_table(cats):
    other = labelled("other", [0], {0: MapElement("cat", display_name="Kitty")}, n=[1])
    joined = Table.join_tables([other, cats])
    assert joined.get_value_map("label")[0].display_name == "Kitty"


def test_the_order_of_columns_does_not_matter(cats):
    other = Table.from_dict({"n": [9], "label": [1]}, cats.rows_schema.values, table_name="other")
    label = schemas.CategoricalLabelSchema()
    other = other.delete_column("label").add_column("label", [0], label)
    joined = Table.join_tables([cats, other])
    assert joined.columns == ["label", "n"]
    assert joined[-1] == {"label": 0, "n": 9}


def test_other_columns_are_refused_and_named(cats, birds):
    for other in (birds.add_column("extra", [1, 2]), birds.delete_column("n")):
        with pytest.raises(ColumnError, match=r"'extra'|'n'"):
            Table.join_tables([cats, other])
    assert Table.join_tables([cats, birds]).name == "joined"


def test_other_types_are_refused_and_named(cats):
    other = labelled("other", [0], ["cat"], n=["5"])
    with pytest.raises(SchemaError, match=r"'n' holds int64 .* string"):
        Table.join_tables([cats, other])
    joined = Table.join_tables([cats, other.set_schema("n", schemas.Int64Schema())])
    assert [sample["n"] for sample in joined] == [1, 2, 5]


def test_nothing_cannot_be_joined():
    with pytest.raises(ColumnError, match="at least one"):
        Table.join_tables([])


def test_one_or_empty_tables_can_be_joined(cats):
    nothing = cats.delete_rows([0, 1])
    assert list(Table.join_tables([cats])) == list(cats)
    assert list(Table.join_tables([nothing, cats, nothing])) == list(cats)
    assert len(Table.join_tables([nothing, nothing])) == 0


def test_a_joined_table_is_edited_like_any_other(cats, birds):
    joined = Table.join_tables([cats.set_values("n", [0], [10]), birds.delete_rows([0])])
    edited = joined.set_values("n", [2], [40]).delete_rows([1]).add_column("m", ["a", "b"])
    assert [(row["n"], row["m"]) for row in edited.table_rows] == [(10, "a"), (40, "b")]
    assert joined.latest() == edited
    again = Table.join_tables([edited, edited.set_values("m", [0], ["c"])], table_name="again")
    assert [row["m"] for row in again.table_rows] == ["a", "b", "c", "b"]


def test_rows_keep_their_keys(cats, birds):
    origins, indices = Table.join_tables([cats.delete_rows([0]), birds]).row_keys()
    assert origins.to_pylist() == [cats.id, birds.id, birds.id]
    assert indices.tolist() == [1, 0, 1]


def test_a_taken_name(cats, birds, recwarn):
    tables = [cats, birds]
    first = Table.join_tables(tables, table_name="j")
    assert Table.join_tables(tables, table_name="j").name == "j_0000"
    assert Table.join_tables(tables, table_name="j", if_exists="reuse") == first
    assert not recwarn.list
    with pytest.warns(ReuseWarning) as caught:
        assert Table.join_tables([cats], table_name="j", if_exists="reuse") == first
    assert caught[0].filename == __file__
    with pytest.raises(ObjectExistsError):
        Table.join_tables(tables, table_name="j", if_exists="raise")
    assert len(Table.join_tables([cats], table_name="j", if_exists="overwrite")) == 2
    with pytest.raises(OptionError):
        Table.join_tables(tables, if_exists="merge")
