"""Whatever happens to the bytes of a file is noticed, or harmless; other objects are fine."""

from __future__ import annotations

import itertools
import random
import re
import warnings
from contextlib import contextmanager

import pytest
from tests.reliability import sample_project
from tests.reliability.scale import size

from tlc.catalog import list_runs, list_tables
from tlc.errors import CorruptObjectError, TlcError
from tlc.upkeep import examine
from tlc.url import Url

FLIPS = size(4000, 20_000)
CUTS = size(400, 2000)
SWAPS = size(40, 200)
EXAMINED_EACH = 20
SEED = 11


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return sample_project.make(tmp_path_factory.mktemp("corruption"))


@contextmanager
def replaced(contents):
    """Give files other contents until the block ends."""
    before = {path: path.read_bytes() for path in contents}
    try:
        for path, content in contents.items():
            path.write_bytes(content)
        yield
    finally:
        for path, content in before.items():
            path.write_bytes(content)


def outcome(sample, url, paths):
    """Return how an object reads while files are damaged: same, detected, or what is wrong."""
    try:
        value, warned = sample_project.read_aloud(url)
    except TlcError as error:
        return "detected" if names(str(error), url, paths) else f"{url}: nothing is named: {error}"
    except Exception as error:  # noqa: BLE001
        return f"{url}: {type(error).__name__}: {error}"
    if any(names(text, url, paths) for text in warned):
        return "detected"
    return "same" if value == sample.objects[url] else f"{url} reads otherwise"


def names(text, url, paths):
    return url in text or any(str(path) in text for path in paths)


def judge(sample, contents):
    """Return the outcomes for the objects that need some files, while those are damaged."""
    paths = list(contents)
    users = sorted({url for path in paths for url in sample.users[path]})
    with replaced(contents):
        return {url: outcome(sample, url, paths) for url in users}


def check_others(sample, contents):
    """Assert that all other objects read as ever, that the listing is whole, and what is told."""
    users = {url for path in contents for url in sample.users[path]}
    with replaced(contents), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for url, value in sample.objects.items():
            assert url in users or sample_project.read(url) == value
        listed = list_tables(sample.project) + list_runs(sample.project)
        assert len(listed) == len([url for url in sample.objects if "/metrics/" not in url])
        assert {str(entry.url) for entry in listed if entry.fault} <= users
        return examine(sample.project).damages


def told(damages, contents):
    """Whether `tlc doctor` names a damaged file, or the object that it makes."""
    places = {str(finding.url) for finding in damages}
    texts = "\n".join(f"{finding.fault} {finding.affects}" for finding in damages)
    return all(
        str(path) in places
        or str(path.parent) in places
        or re.search(rf"{re.escape(str(path.parent))}(?=[\s,]|$)|{re.escape(str(path))}", texts)
        for path in contents
    )


def flipped(content, generator):
    position, bit = generator.randrange(len(content)), generator.randrange(8)
    return content[:position] + bytes([content[position] ^ 1 << bit]) + content[position + 1 :]


def run_all(sample, cases):
    """Judge many damages, and return how many were detected."""
    wrong, detected = [], 0
    for number, contents in enumerate(cases):
        outcomes = judge(sample, contents)
        bad = {url: text for url, text in outcomes.items() if text not in ("same", "detected")}
        wrong += [f"{shown(contents)}: {text}" for text in bad.values()]
        detected += "detected" in outcomes.values()
        if number % EXAMINED_EACH == 0:
            damages = check_others(sample, contents)
            if "detected" in outcomes.values() and not told(damages, contents):
                wrong.append(f"{shown(contents)}: tlc doctor does not name it")
    assert not wrong, "\n".join(wrong)
    return detected


def shown(contents):
    """Return which files were damaged, and the first byte where each differs."""
    return ", ".join(f"{path} at {first_difference(path, c)}" for path, c in contents.items())


def first_difference(path, content):
    before = path.read_bytes()
    pairs = enumerate(zip(before, content, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(before), len(content)))


def by_turns(sample):
    """Return paths of files, each kind as often as any other."""
    turns = [itertools.cycle(paths) for paths in sample.kinds.values()]
    return (next(turn) for turn in itertools.cycle(turns))


def test_every_kind_of_file_is_there(sample):
    assert set(sample.kinds) == {
        *("manifest of tables", "manifest of a run", "manifest of metrics", "opened of metrics"),
        *("data", "edits", "keys", "order", "rank-0", "events", ".png", ".jpg", ".webp", ".npy"),
    }


def test_flipped_bits(sample):
    generator = random.Random(SEED)
    paths = itertools.islice(by_turns(sample), FLIPS)
    cases = ({path: flipped(path.read_bytes(), generator)} for path in paths)
    assert run_all(sample, cases) > FLIPS * 0.8


def test_files_that_were_cut_short(sample):
    generator = random.Random(SEED)

    def cut(path):
        content = path.read_bytes()
        return content[: generator.choice([0, len(content) - 1, generator.randrange(len(content))])]

    paths = (path for path in by_turns(sample) if path.suffix != ".jsonl")
    cases = ({path: cut(path)} for path in itertools.islice(paths, CUTS))
    assert run_all(sample, cases) > CUTS * 0.8


def test_a_log_that_was_cut_short_is_one_whose_process_was_killed(sample):
    path = sample.kinds["events"][0]
    url = str(next(iter(sample.users[path])))
    lines = path.read_bytes().splitlines(keepends=True)
    for cut in range(0, len(b"".join(lines)), 17):
        with replaced({path: b"".join(lines)[:cut]}):
            _, warned = sample_project.read_aloud(url)
        assert warned == []


def test_files_in_each_others_place(sample):
    generator = random.Random(SEED)
    pairs = [pair for paths in sample.kinds.values() for pair in itertools.combinations(paths, 2)]
    # Two manifests that change places are two tables that change their names, if all they need is
    # in place; that may be meant.
    pairs = [pair for pair in pairs if pair[0].suffix != ".json"]

    def swap(one, other):
        return {one: other.read_bytes(), other: one.read_bytes()}

    cases = [swap(*pair) for pair in generator.sample(pairs, min(SWAPS, len(pairs)))]
    assert run_all(sample, cases) == len(cases)


def test_manifests_in_each_others_place_are_tables_that_changed_names(sample):
    for one, other in itertools.combinations(sample.kinds["manifest of tables"], 2):
        swapped = {one: other.read_bytes(), other: one.read_bytes()}
        values = {sample.objects[str(path.parent)] for path in (one, other)}
        with replaced(swapped):
            for path in (one, other):
                try:
                    found = sample_project.read(str(path.parent))
                except CorruptObjectError as error:
                    found = "" if "it is missing" in str(error) else str(error)
                assert found in {"", *values}


def test_a_page_full_of_zeros(sample):
    """As some disks and file systems leave after a power cut."""
    cases = ({path: bytes(len(path.read_bytes()))} for path in sample_project.files(sample))
    run_all(sample, cases)


def test_an_object_that_is_damaged_does_not_hurt_its_project(sample):
    manifests = sample.kinds["manifest of tables"]
    damages = check_others(sample, dict.fromkeys(manifests[:3], b""))
    assert {str(finding.url) for finding in damages} == {str(path.parent) for path in manifests[:3]}
    assert Url(sample.project).exists()
