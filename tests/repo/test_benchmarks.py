"""The benchmarks' own arithmetic: what is held against what, and what the documentation shows."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def case(**options):
    """Return a case whose sides say themselves how long they took."""
    from benchmarks.harness import Case, Timed

    seconds = {"loop": 1.0, "floor": 3.0, "tlc": 4.0, "peer": 9.0}
    sides = {name: (lambda s=s: Timed(s)) for name, s in seconds.items()}
    return Case("work", sides, **options)


def outcomes(item):
    from benchmarks.harness import run

    return run(item)[1]


def test_the_side_of_tlc_is_held_against_the_first():
    (found,) = outcomes(case(goal=3.9))
    assert (found.figure, found.goal, found.met, found.floor) == ("4 x", "<= 3.9 x", False, "loop")
    assert found.others == {"floor": "3 x", "peer": "9 x"}


def test_what_all_sides_do_besides_can_be_taken_off():
    (found,) = outcomes(case(goal=1.5, less="loop"))
    assert (found.figure, found.met, found.floor) == ("1.5 x", True, "floor, over loop")
    assert found.others == {"peer": "4 x"}


def test_a_time_can_have_a_limit_too():
    ratio, limit = outcomes(case(goal=5, limit=3000))
    assert ratio.met
    assert (limit.figure, limit.goal, limit.met) == ("4,000 ms", "<= 3,000 ms", False)


def test_facts_are_measured_when_their_turn_comes():
    from benchmarks.harness import Fact

    assert outcomes(Fact("bytes", lambda: 7, 8, "kB"))[0].met
    assert outcomes(Fact("bytes", 7, None, "kB"))[0].met is None


def test_the_page_gets_the_table_between_its_marks(tmp_path):
    from benchmarks.report import END, START, goals, write_markdown

    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    results = {"some_module": outcomes(case(goal=3.9))}
    write_markdown(page, results)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| work | 4 x | <= 3.9 x | **no** | loop | floor 3 x, peer 9 x |" in text
    assert goals(results)[-1] == "0 of 1 goals met"


def test_a_new_interpreter_tells_what_a_snippet_costs():
    from benchmarks.processes import fresh

    found = fresh("import colorsys; block = bytearray(50_000_000); result = block[:1].hex()")
    assert found.result == "00"
    assert "colorsys" in found.modules
    assert 45 < found.added_mb < 60
    assert found.seconds > 0
