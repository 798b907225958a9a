from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.errors import NameNotAllowedError
from tlc.format.names import check_case, check_column_name, check_name


@pytest.mark.parametrize(
    "name", ["a", "my table & more", "Größe_2 (b)", "表", "v1.0", "a" * 200, "-r1", "{x}"]
)
def test_a_usual_name_is_taken_as_it_is(name):
    assert check_name(name, "table") == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        (".hidden", "dot"),
        ("..", "dot"),
        ("ends.", "dot"),
        (" a", "space"),
        ("a ", "space"),
        ("a/b", "'/'"),
        ("a\\b", r"'\\\\'"),
        ("a:b", "':'"),
        ("<a>", "'<'"),
        ('"', "'\"'"),
        ("a|b", "'|'"),
        ("what?", "'?'"),
        ("*", "'*'"),
        ("a\nb", "control"),
        ("a\x00", "control"),
        ("a\ud800", "control"),
        ("ä" * 101, "200 bytes"),
        (3, "an int"),
        (None, "NoneType"),
    ],
)
def test_a_name_that_no_folder_can_have_is_refused_with_the_reason(name, reason):
    with pytest.raises(NameNotAllowedError, match=reason) as caught:
        check_name(name, "dataset")
    assert "dataset" in str(caught.value)
    assert isinstance(caught.value, ValueError)


@given(st.text())
def test_what_is_allowed_is_one_part_of_a_path(name):
    try:
        check_name(name, "table")
    except NameNotAllowedError:
        return
    assert name == name.strip()
    assert name not in {"", ".", ".."}
    assert not set(name) & set('/\\<>:"|?*\0\n')


@pytest.mark.parametrize("name", ["", "a\tb", "\x7f", 0, None, ("a", "b")])
def test_a_column_needs_a_printable_string_for_a_name(name):
    with pytest.raises(NameNotAllowedError):
        check_column_name(name)


@pytest.mark.parametrize("name", ["a.b", "a/b", " ", "ß", "a:b", "?", "0"])
def test_a_column_may_have_any_printable_name(name):
    assert check_column_name(name) == name


def test_names_that_differ_by_case_only_are_refused():
    with pytest.raises(NameNotAllowedError, match="'Train' exists"):
        check_case("train", ["val", "Train"], "table")


def test_the_same_name_is_no_clash():
    check_case("train", ["train", "trains"], "table")
