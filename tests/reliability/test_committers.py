"""Many who commit to one lineage, or want one name, at the same time."""

from __future__ import annotations

import pytest
from tests.common.members import Member
from tests.reliability.scale import size

from tlc.errors import RevisionConflictError
from tlc.table import SetValues, Table

COMMITTERS, READERS, MEMBERS = 8, 2, 16
COMMITS = size(100, 1000)


@pytest.fixture(scope="module")
def members():
    """Processes that are ready to work at the same time."""
    crew = [Member("tests.reliability.committer") for _ in range(MEMBERS)]
    try:
        assert [member.answer() for member in crew] == ["ready"] * MEMBERS
        yield crew
    finally:
        for member in crew:
            member.close()


@pytest.fixture
def table():
    """One row per committer."""
    return Table.from_dict({"count": [0] * COMMITTERS}, table_name="counts")


def commit(members, table, count, **options):
    """Let all committers commit; return the ids of the revisions that each has acknowledged."""
    committers = members[:COMMITTERS]
    for row, member in enumerate(committers):
        member.start("commit", url=str(table.url), row=row, count=count, **options)
    return [member.answers() for member in committers]


def test_every_accepted_commit_is_in_one_history(members, table, tmp_path):
    readers = members[COMMITTERS : COMMITTERS + READERS]
    stop = tmp_path / "stop"
    for reader in readers:
        reader.start("follow", url=str(table.url), stop=str(stop))
    acknowledged = commit(members, table, COMMITS)
    stop.touch()
    looks = [reader.answers() for reader in readers]

    history = table.latest().history()
    assert [each._manifest.revision for each in history] == list(range(COMMITTERS * COMMITS + 1))
    order = {each.id: number for number, each in enumerate(history)}
    for ids in acknowledged:
        assert len(ids) == COMMITS
        assert sorted(ids, key=order.__getitem__) == ids
    assert len({*order}) == 1 + len({id_ for ids in acknowledged for id_ in ids})
    assert table.revisions() == history
    assert history[-1].column("count").to_pylist() == [COMMITS] * COMMITTERS
    for (found,) in looks:
        assert found[0] > 10
    # One more look, now that all is quiet: what was accepted is what each revision shows.
    rows = {id_: row for row, ids in enumerate(acknowledged) for id_ in ids}
    expected = [0] * COMMITTERS
    for each in history[1:]:
        expected[rows[each.id]] += 1
        assert each.column("count").to_pylist() == expected


def test_publishing_by_rename_would_be_caught(members, table):
    acknowledged = commit(members, table, 25, renaming=True)
    kept = {each.id for each in table.revisions()}
    assert {id_ for ids in acknowledged for id_ in ids} - kept


def test_of_many_who_edit_one_revision_one_succeeds(members, table):
    # Two branches want the same names for their revisions.
    heads = [table.set_values("count", [0], [number]) for number in range(2)]
    for _ in range(size(10, 100)):
        for row, member in enumerate(members[:COMMITTERS]):
            member.start("commit_on", url=str(heads[row % 2].url), row=row)
        answers = [member.answers()[0] for member in members[:COMMITTERS]]
        for number in range(2):
            mine = answers[number::2]
            (made,) = [answer["made"] for answer in mine if "made" in answer]
            conflicts = [answer for answer in mine if "made" not in answer]
            assert conflicts == [{"base": str(heads[number].url), "latest": made}] * len(conflicts)
            child = Table.from_url(made)
            assert child.input_tables == [heads[number].url]
            heads[number] = child
    assert len(table.revisions()) == 1 + 2 * len(heads[0].history()[1:])


@pytest.mark.parametrize("if_exists", ["raise", "rename", "reuse", "overwrite"])
def test_one_name_for_many(members, if_exists, tmp_path):
    url = tmp_path / "p" / "datasets" / "d" / "tables" / "t"
    for number, member in enumerate(members):
        member.start("create", url=str(url), number=number, if_exists=if_exists)
    answers = [member.answers()[0] for member in members]
    made = [each for each in answers if each]
    there = Table.from_url(url)
    urls = {each["url"] for each in made}
    if if_exists == "raise":
        assert len(made) == 1
    else:
        assert len(made) == MEMBERS
    if if_exists == "rename":
        assert len(urls) == len({each["id"] for each in made}) == MEMBERS
        for number, each in enumerate(answers):
            assert Table.from_url(each["url"]).column("n").to_pylist() == [number] * 3
    else:
        assert urls == {str(url)}
    if if_exists == "reuse":
        assert {each["id"] for each in made} == {there.id}
    last = {each["id"]: each["n"] for each in made}
    assert last[there.id] == there.column("n").to_pylist()


def test_a_lineage_without_others_takes_each_edit(table):
    made = table.revise_latest(lambda newest: [SetValues("count", [0], [len(newest)])])
    again = table.revise_latest(lambda newest: [SetValues("count", [1], [5])], description="why")
    assert again.history() == [table, made, again]
    assert again.column("count").to_pylist()[:2] == [COMMITTERS, 5]
    assert again.description == "why"


def test_edits_are_made_anew_for_the_revision_that_came_first(table):
    asked = []

    def edits(newest):
        if not asked:
            newest.set_values("count", [0], [1])  # somebody else, at the worst moment
        asked.append(newest.url.name)
        return [SetValues("count", [0], [newest.table_rows[0]["count"] + 1])]

    made = table.revise_latest(edits)
    assert asked == ["counts", "counts-r1"]
    assert made.column("count").to_pylist()[0] == 2
    assert len(made.history()) == 3


def test_who_is_always_too_late_is_told_and_leaves_no_file(table):
    def edits(newest):
        newest.set_values("count", [0], [1])
        return [SetValues("count", [1], [2])]

    with pytest.raises(RevisionConflictError) as caught:
        table.revise_latest(edits, attempts=3)
    assert caught.value.latest == table.latest().url
    assert len(table.revisions()) == 4
    for each in table.revisions()[1:]:
        assert len(list(each.url.to_local_path().rglob("*.*"))) == 2
