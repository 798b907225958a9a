"""The parts of the demo on small input, and the whole of it as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import tlc
from tlc.demo import digits, report, training
from tlc.dynamics import Suggestions, suggest
from tlc.errors import MissingExtraError
from tlc.url import Url


def files_below(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*.png")}


# digits


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    return folder, digits.write(Url(folder))


def test_every_digit_is_a_grey_image_of_8_x_8(written):
    from sklearn.datasets import load_digits

    folder, _ = written
    images, truth = files_below(folder), load_digits().images
    assert len(images) == 1797
    for name in list(images)[::97]:
        with Image.open(images[name]) as image:
            assert (image.mode, image.size) == ("L", (8, 8))
            pixels = truth[int(name[-8:-4])]
            np.testing.assert_allclose(np.asarray(image), 255 - pixels * 255 / 16, atol=1)


def test_one_training_label_in_twenty_is_wrong(written):
    from sklearn.datasets import load_digits

    folder, flipped = written
    truth = load_digits().target
    images = files_below(folder)
    split = {name.split(os.sep)[0] for name in images}
    train = [name for name in images if name.startswith("train")]
    wrong = {
        Path(name).name for name in images if truth[int(name[-8:-4])] != int(Path(name).parent.name)
    }
    assert split == {"train", "val"}
    assert wrong == flipped
    assert wrong <= {Path(name).name for name in train}
    assert len(wrong) == round(0.05 * len(train))


def test_writing_again_changes_nothing(written, tmp_path):
    folder, flipped = written
    before = {name: path.stat().st_mtime_ns for name, path in files_below(folder).items()}
    assert digits.write(Url(folder)) == flipped
    assert {name: p.stat().st_mtime_ns for name, p in files_below(folder).items()} == before
    assert digits.write(Url(tmp_path)) == flipped
    assert files_below(tmp_path).keys() == before.keys()


# training


@pytest.fixture
def train(tmp_path):
    """A table of twelve images, half of them labelled 0 and half of them 1."""
    for number in range(12):
        path = tmp_path / "images" / str(number // 6) / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number * 20).save(path)
    return tlc.Table.from_image_folder(tmp_path / "images", dataset_name="small")


def test_samples_become_numbers_from_0_to_1(train):
    image, label = training.to_tensor(train[11])
    assert (image.shape, label) == ((1, 8, 8), 1)
    assert image.flatten().tolist() == pytest.approx([220 / 255] * 64)


def test_every_sample_has_metrics_of_every_epoch_and_training_repeats(train):
    losses = []
    for name in ("one", "two"):
        run = tlc.init("p", name)
        training.fit(train, train, epochs=2)
        for split in ("train", "val"):
            metrics = run.metrics(table=train, split=split)
            assert metrics["example_id"].to_pylist() == [*range(12)] * 2
            assert metrics["epoch"].to_pylist() == [0] * 12 + [1] * 12
        logged = [values for values in run.constants["outputs"] if "train_loss" in values]
        losses.append([values["train_loss"] for values in logged])
    assert len(losses[0]) == 2
    assert losses[0] == losses[1]


# report


@pytest.fixture
def stored(train):
    """A run of two epochs that doubts rows 3, 7 and 9, and is sure of 3 and 9."""
    label_prob, confidence = np.full(12, 0.9), np.full(12, 0.9)
    predicted = np.array([0] * 6 + [1] * 6)
    predicted[[3, 7, 9]], label_prob[[3, 7, 9]] = [1, 0, 0], [0.2, 0.3, 0.1]
    confidence[7] = 0.5
    run = tlc.init("p", "r")
    for epoch in range(2):
        metrics = {"label_prob": label_prob, "predicted": predicted, "confidence": confidence}
        run.add_metrics(metrics, foreign_table_url=train, constants={"epoch": epoch})
    return run


def proposals(train, count):
    """Return that many proposals for a table, its first rows over and over."""
    nothing = np.zeros(count)
    return Suggestions(
        table=train,
        label="label",
        rows=np.arange(count) % len(train),
        current=nothing,
        proposed=np.full(count, 7),
        label_prob=nothing,
        proposed_prob=nothing,
        is_sure=np.ones(count, bool),
    )


@pytest.mark.parametrize(("count", "tiles"), [(1, 1), (8, 1), (9, 2), (12, 2)])
def test_the_contact_sheet_has_a_tile_for_each_suspect(train, tmp_path, count, tiles):
    url = report.contact_sheet(train, proposals(train, count), Url(tmp_path / "sheet.png"))
    with Image.open(str(url)) as sheet:
        assert (sheet.format, sheet.mode) == ("PNG", "RGB")
        assert sheet.size == (8 * 80, tiles * 102 + 8)
        # Each tile is an image of one grey, on a white sheet.
        greys = [sheet.getpixel((n % 8 * 80 + 40, n // 8 * 102 + 40)) for n in range(count)]
        assert greys == [(n * 20,) * 3 for n in range(count)]
        caption = sheet.crop((4, 76, 76, 106))
        assert len(caption.getcolors()) > 1


def test_the_contact_sheet_ends_after_forty(train, tmp_path):
    url = report.contact_sheet(train, proposals(train, 99), Url(tmp_path / "sheet.png"))
    with Image.open(str(url)) as sheet:
        assert sheet.size == (8 * 80, 5 * 102 + 8)


def test_precision_and_recall_count_files(train, stored):
    found = suggest(stored)
    names = {"03.png", "09.png", "05.png", "06.png"}
    outcome = report.Outcome(
        train, train.latest(), train, stored, stored, found, names, Url("sheet.png")
    )
    assert (outcome.hits, outcome.precision, outcome.recall) == (2, 2 / 3, 0.5)


def test_accuracy_is_that_of_the_last_epoch(train):
    run = tlc.init("p", "r")
    for epoch, right in ((1, 9), (0, 3)):
        run.add_metrics(
            {"correct": [True] * right + [False] * (12 - right)},
            foreign_table_url=train,
            constants={"epoch": epoch},
            split="val",
        )
    assert report.accuracy(run, train) == 9 / 12


# the whole


def test_a_missing_extra_is_named(monkeypatch):
    from tlc import _optional, demo

    def require(module, **options):
        raise MissingExtraError(module, **options)

    monkeypatch.setattr(_optional, "require", require)
    with pytest.raises(MissingExtraError, match=r"opentlc\[demo\]"):
        demo.main()


def run_demo(root):
    """Run the demo and return what it printed: the facts of its table, and whole lines."""
    done = subprocess.run(
        [sys.executable, "-m", "tlc", "demo", "--root", str(root)],
        capture_output=True,
        text=True,
        env={**os.environ, "TLC_DURABILITY": "os"},
    )
    assert done.returncode == 0, done.stderr
    facts = re.findall(r"^(\S.*?|  \S.*?)  +(.+)$", done.stdout, re.MULTILINE)
    return SimpleNamespace(facts={name.strip(): value for name, value in facts}, text=done.stdout)


def percent(text):
    return float(text.removesuffix("%"))


def check(facts):
    assert percent(facts["precision"]) >= 80
    assert percent(facts["recall"]) >= 80
    before, after = facts["validation accuracy before"], facts["validation accuracy after"]
    assert percent(after) >= percent(before)
    assert facts["wrong labels in the training set"] == "72 of 1438"


def test_the_demo_finds_wrong_labels_and_can_be_run_again(tmp_path):
    root = tmp_path / "projects"
    first = run_demo(root).facts
    check(first)
    table = tlc.Table.from_url(first["table"])
    assert table.latest() == tlc.Table.from_url(first["its latest revision"])
    assert len(table.revisions()) == 3
    for name in ("run before", "run after"):
        run = tlc.Run.from_url(first[name])
        assert run.state.status.name == "COMPLETED"
        assert len(run.metrics_tables) == 2 * run.parameters["epochs"]
        assert all(metrics.completeness.missing == 0 for metrics in run.metrics_tables)
    with Image.open(first["the most suspicious samples"]) as sheet:
        assert sheet.format == "PNG"

    second = run_demo(root).facts
    check(second)
    paths = ("table", "its latest revision", "run before", "run after")
    assert not {first[name] for name in paths} & {second[name] for name in paths}
    assert second["recall"] == first["recall"]  # the data and the seeds are the same
