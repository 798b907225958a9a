"""Sizes that COCO files tell, against those of the images."""

from __future__ import annotations

import os

import pytest
from tests.core.importers.coco_cases import good, write
from tests.core.importers.labelled import image_bytes

from tlc.errors import AnnotationFileError
from tlc.table import Table

C = "images[2] (id 20)"


@pytest.fixture
def written(tmp_path):
    return write(tmp_path, good())


def test_images_as_large_as_the_file_says(written):
    file, images = written
    assert Table.from_coco(file, images, check_images=True).import_report.counts == {}


@pytest.mark.parametrize("size", [(65, 48), (64, 47), (48, 64)])
def test_another_size_is_an_error(written, size):
    file, images = written
    (images / "c.png").write_bytes(image_bytes(size=size))
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_coco(file, images, check_images=True)
    (problem,) = caught.value.problems
    assert (problem.code, problem.record, problem.value) == ("SIZE_MISMATCH", C, "c.png")
    assert problem.message == f"its size is not (64, 48), but {size}"


def test_what_the_file_says_counts_where_errors_are_only_counted(written):
    file, images = written
    (images / "c.png").write_bytes(image_bytes(size=(65, 48)))
    table = Table.from_coco(file, images, check_images=True, on_error="skip")
    assert (len(table), table[2]["bbs"].x_max) == (3, 64)
    assert table.import_report.counts == {"SIZE_MISMATCH": 1}
    assert table.import_report.skipped == 0


@pytest.mark.parametrize(
    ("form", "size", "counts"), [("JPEG", (48, 64), {}), ("JPEG", (64, 48), {"SIZE_TURNED": 1})]
)
def test_images_that_viewers_turn(written, form, size, counts):
    file, images = written
    (images / "c.png").write_bytes(image_bytes(form, size=size, orientation=6))
    report = Table.from_coco(file, images, check_images=True).import_report
    assert report.counts == counts


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_what_is_no_image(written, content):
    file, images = written
    (images / "c.png").write_bytes(content)
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_coco(file, images, check_images=True)
    assert [(e.code, e.record) for e in caught.value.problems] == [("IMG_UNREADABLE", C)]


def test_no_image_is_opened_unless_asked_for(written):
    file, images = written
    (images / "c.png").write_bytes(b"no image")
    os.mkfifo(images / "d.png")  # which would wait for ever
    assert Table.from_coco(file, images).import_report.counts == {}


def test_a_missing_image_is_told_once(written):
    file, images = written
    (images / "c.png").unlink()
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_coco(file, images, check_images=True)
    assert [each.code for each in caught.value.problems] == ["IMG_MISSING"]


def test_images_elsewhere_are_not_checked_and_that_is_told(tmp_path):
    content = good()
    content["images"][2]["file_name"] = "https://example.com/c.png"
    names = ["b.png", "sub/a b.png"]
    file, images = write(tmp_path, content, names=names)
    report = Table.from_coco(file, images, check_images=True).import_report
    assert report.counts == {"IMG_UNCHECKED": 1}


def test_very_many_images(tmp_path):
    content = good()
    content["images"] = [
        {"id": number, "file_name": f"{number}.png", "width": 64, "height": 48}
        for number in range(1000)
    ]
    content["annotations"] = []
    file, images = write(tmp_path, content)
    for number in (17, 600):
        (images / f"{number}.png").write_bytes(image_bytes(size=(3, 2)))
    table = Table.from_coco(file, images, check_images=True, on_error="skip")
    examples = table.import_report.examples["SIZE_MISMATCH"]
    assert [each.value for each in examples] == ["17.png", "600.png"]
