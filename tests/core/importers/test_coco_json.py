"""COCO files decoded to columns, against the standard library's JSON, and files that are wrong."""

from __future__ import annotations

import gc
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.errors import AnnotationFileError
from tlc.importers.coco_columns import coco_columns
from tlc.importers.coco_json import decode_coco
from tlc.table import Table
from tlc.url import register_url_alias, unregister_url_alias

IDS = st.integers(0, 30) | st.integers(-(2**63) + 1, 2**63 - 1)
PIXELS = st.floats(-1e6, 1e6, allow_nan=False)
NAMES = st.text("aé/ .-_", min_size=1).filter(lambda name: name[0] != "/")


def optional(**members):
    return st.fixed_dictionaries({}, optional=members)


@st.composite
def files(draw):
    """Draw the content of a COCO file whose references hold."""
    images = [
        {"id": id_, "file_name": draw(NAMES), "license": 1}
        | draw(optional(width=st.integers(1, 9999), height=st.integers(1, 9999)))
        for id_ in draw(st.lists(IDS, unique=True, max_size=6))
    ]
    categories = [
        {"id": id_, "name": draw(NAMES)} | draw(optional(supercategory=NAMES))
        for id_ in draw(st.lists(IDS, unique=True, max_size=4))
    ]
    count = draw(st.integers(0, 15)) if images and categories else 0
    ids = draw(st.lists(IDS, min_size=count, max_size=count, unique=True) | st.none())
    annotations = [
        draw(annotation(images, categories)) | ({} if ids is None else {"id": ids[number]})
        for number in range(count)
    ]
    return {"images": images, "annotations": annotations, "categories": categories, "info": {}}


def annotation(images, categories):
    polygons = st.lists(st.lists(PIXELS, max_size=4), max_size=2)
    return st.fixed_dictionaries(
        {
            "image_id": st.sampled_from([image["id"] for image in images]),
            "category_id": st.sampled_from([category["id"] for category in categories]),
            "bbox": st.lists(PIXELS | st.integers(-5, 5), min_size=4, max_size=4),
        },
        optional={
            "area": PIXELS | st.none(),
            "iscrowd": st.sampled_from([0, 1, False, True]),
            "segmentation": polygons,
            "attributes": st.dictionaries(NAMES, st.none(), max_size=1),
        },
    )


def expected(content, folder):
    """Return the rows that a plain reader makes of the content."""
    return [
        {
            "image": f"{folder}/{image['file_name']}",
            "image_id": image["id"],
            "width": image.get("width"),
            "height": image.get("height"),
            "boxes": [each["bbox"] for each in its],
            "category_id": [each["category_id"] for each in its],
            "area": [each.get("area") for each in its],
            "iscrowd": [bool(each.get("iscrowd", 0)) for each in its],
            "annotation_id": [each.get("id") for each in its],
        }
        for image in content["images"]
        for its in [[a for a in content["annotations"] if a["image_id"] == image["id"]]]
    ]


@given(content=files())
def test_columns_are_what_plain_json_says(content):
    coco = decode_coco(json.dumps(content).encode(), "a.json", raw=["segmentation"])
    columns = {name: cells.to_pylist() for name, cells in coco_columns(coco, "/data").items()}
    without_ids = coco.annotation_ids is None
    assert without_ids == all("id" not in each for each in content["annotations"])
    for row in (wanted := expected(content, "/data")):
        if without_ids:
            del row["annotation_id"]
    assert [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ] == wanted
    assert coco.categories == {each["id"]: each["name"] for each in content["categories"]}
    assert coco.supercategories == {
        each["id"]: each["supercategory"]
        for each in content["categories"]
        if "supercategory" in each
    }


@given(content=files())
def test_a_member_that_is_asked_for_comes_as_text_beside_its_box(content):
    coco = decode_coco(json.dumps(content).encode(), "a.json", raw=["segmentation", "attributes"])
    grouped = [
        each
        for image in content["images"]
        for each in content["annotations"]
        if each["image_id"] == image["id"]
    ]
    for name, texts in coco.raw.items():
        found = [json.loads(bytes(text)) if bytes(text) else None for text in texts]
        assert found == [each.get(name) for each in grouped]


def test_columns_make_a_table(tmp_path):
    content = minimal()
    content["annotations"].append(content["annotations"][0] | {"id": 8, "image_id": 5})
    columns = coco_columns(decode_coco(json.dumps(content).encode(), "a.json"), "/data")
    table = Table.from_dict(columns)
    assert [dict(row) for row in table.table_rows] == expected(content, "/data")


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_matter():
    data = b"\xef\xbb\xbf" + json.dumps(minimal(), indent=2).replace("\n", "\r\n").encode()
    assert decode_coco(data, "a.json").categories == {3: "dog"}


def test_absolute_file_names_and_aliases_stay_what_they_are():
    content = minimal()
    names = ["/elsewhere/a.jpg", "s3://bucket/a.jpg"]
    for image, name in zip(content["images"], names, strict=True):
        image["file_name"] = name
    coco = decode_coco(json.dumps(content).encode(), "a.json")
    assert coco_columns(coco, "/data")["image"].to_pylist() == names
    register_url_alias("ELSEWHERE", "/elsewhere")
    try:
        urls = coco_columns(coco, "/data")["image"].to_pylist()
        assert urls == ["<ELSEWHERE>/a.jpg", "s3://bucket/a.jpg"]
    finally:
        unregister_url_alias("ELSEWHERE")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled):
    try:
        gc.enable() if enabled else gc.disable()
        decode_coco(json.dumps(minimal()).encode(), "a.json")
        assert gc.isenabled() == enabled
        with pytest.raises(AnnotationFileError):
            decode_coco(b"{", "a.json")
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def minimal():
    return {
        "images": [
            {"id": 4, "file_name": "a.jpg", "width": 10, "height": 20},
            {"id": 5, "file_name": "b.jpg", "width": 10, "height": 20},
        ],
        "annotations": [{"id": 7, "image_id": 4, "category_id": 3, "bbox": [1, 2, 3, 4.5]}],
        "categories": [{"id": 3, "name": "dog"}],
    }


def changed(name, number, **members):
    content = minimal()
    records = content[name]
    records[number].update(members)
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            changed("annotations", 0, image_id=99),
            r"image_id: .*no image.*annotations\[0\] names 99",
        ),
        (changed("annotations", 0, category_id=0), r"category_id: .*annotations\[0\] names 0"),
        (changed("annotations", 0, image_id="4"), r"annotations\[0\]\.image_id: Expected `int`"),
        (changed("annotations", 0, bbox=[1, 2, 3]), r"annotations\[0\]\.bbox: .*length 4"),
        (changed("annotations", 0, bbox=[1, 2, 3, None]), r"annotations\[0\]\.bbox\[3\]: .*float"),
        (changed("annotations", 0, iscrowd=2), r"annotations\[0\]\.iscrowd: it is 2"),
        (changed("annotations", 0, id=2**63), r"annotations\[0\]\.id: .*more than 64 bits"),
        (changed("annotations", 0, area="big"), r"annotations\[0\]\.area: Expected"),
        (changed("images", 1, id=4), r"images\[0\] and images\[1\] have the same id 4"),
        (changed("images", 1, file_name=None), r"images\[1\]\.file_name: Expected `str`"),
        (changed("images", 1, id=2**64), r"images\[1\]\.id: .*more than 64 bits"),
        (minimal() | {"categories": [{"id": 3, "name": "a"}] * 2}, r"categories\[0\] and categ"),
        (
            minimal() | {"annotations": minimal()["annotations"] * 2},
            r"annotations\[0\] and annotations\[1\] have the same id 7",
        ),
        (minimal() | {"annotations": [{"id": 1}]}, r"annotations\[0\]: .*missing.*image_id"),
        (minimal() | {"images": {}}, "images: Expected `array`"),
        ({"images": []}, "Object missing required field"),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_what_is_wrong_is_named_with_file_record_and_member(content, message):
    with pytest.raises(AnnotationFileError, match=f"a.json: {message}"):
        decode_coco(json.dumps(content).encode(), "a.json")


def test_ids_that_only_some_annotations_have_are_an_error():
    for order in (1, -1):
        content = minimal()
        without = {k: v for k, v in content["annotations"][0].items() if k != "id"}
        content["annotations"] = [content["annotations"][0], without][::order]
        with pytest.raises(AnnotationFileError, match="has no id, but others have"):
            decode_coco(json.dumps(content).encode(), "a.json")


def test_many_dangling_references_are_counted():
    content = minimal()
    content["annotations"] = [
        {"image_id": 100 + i, "category_id": 3, "bbox": [0, 0, 1, 1]} for i in range(20)
    ]
    with pytest.raises(AnnotationFileError, match=r"annotations\[4\] names 104, and 15 more"):
        decode_coco(json.dumps(content).encode(), "a.json")


@pytest.mark.parametrize("width", [0, -3, 1.5, 2**40])
def test_a_size_that_is_none_names_its_image(width):
    coco = decode_coco(json.dumps(changed("images", 1, width=width)).encode(), "a.json")
    with pytest.raises(AnnotationFileError, match=r"images\[1\] \(id 5\)\.width"):
        coco_columns(coco, "/data")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        json.dumps(minimal()).encode()[:-20],
        json.dumps(changed("annotations", 0, area=math.nan)).encode(),
        json.dumps(changed("annotations", 0, segmentation=[math.inf])).encode(),
        json.dumps(minimal()).encode("utf-16"),
        json.dumps(changed("images", 0, file_name="\udc80")).encode(),
        b'{"images": [{"id": 1, "file_name": "\xff"}]}',
        b'{"info": ' + b"[" * 100_000,
        b"\x1f\x8b\x08\x00",
    ],
    ids=range(10),
)
def test_what_is_no_json_is_one_clear_error(data):
    with pytest.raises(AnnotationFileError, match=r"a\.json: it is not valid JSON"):
        decode_coco(data, "a.json")


def test_the_place_where_json_breaks_is_shown():
    data = json.dumps(changed("annotations", 0, area=math.nan)).encode()
    with pytest.raises(AnnotationFileError, match=r"byte \d+.*near .*\"area\": NaN"):
        decode_coco(data, "a.json")
