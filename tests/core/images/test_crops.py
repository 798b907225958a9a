import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import tlc
from tlc.data_types import BoundingBoxes2D, Keypoints2D
from tlc.dynamics.embeddings import embeddings
from tlc.dynamics.scores import Scores
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    ImageReadError,
    MetricsError,
    OptionError,
    RowIndexError,
    TlcWarning,
)
from tlc.images import BoxCrops, box_crops, to_boxes
from tlc.schemas import (
    CategoricalLabelSchema,
    EmbeddingSchema,
    Float32Schema,
    ImageSchema,
    Int32Schema,
    Schema,
)
from tlc.table.edits import SetValues

WIDTH, HEIGHT = 40, 30
CLASSES = ["cat", "dog", "bird"]


def pixels(seed):
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.fromarray(pixels(number)).save(path)
    return paths


def table_of(paths, boxes, labels=None, size=(WIDTH, HEIGHT), **columns):
    width, height = size
    cells = [
        BoundingBoxes2D(each, own, image_width=width, image_height=height)
        for each, own in zip(boxes, labels or [[0] * len(each) for each in boxes], strict=True)
    ]
    schema = {"image": ImageSchema(), "bbs": BoundingBoxes2D.schema(classes=CLASSES)}
    data = {"image": [str(path) for path in paths], "bbs": cells, **columns}
    return tlc.Table.from_dict(data, schema=schema)


BOXES = [[[0, 0, 8, 6], [10.5, 3.2, 20.1, 9]], [], [[30, 20, 40, 30], [5, 5, 6, 6], [1, 2, 9, 29]]]
LABELS = [[1, 0], [], [2, 2, 1]]


@pytest.fixture
def table(pictures):
    return table_of(pictures, BOXES, LABELS)


def test_each_box_is_a_sample(table):
    crops = box_crops(table)
    assert len(crops) == 5
    assert crops.source.column("instance").to_pylist() == [0, 1, 0, 1, 2]
    sample = crops[1]
    assert (sample["box"], sample["label"]) == ((10, 3, 21, 9), 0)
    assert (np.asarray(sample["image"]) == pixels(0)[3:9, 10:21]).all()
    assert [each["label"] for each in crops] == [1, 0, 2, 2, 1]
    assert [each["image"].size for each in crops] == [(8, 6), (11, 6), (10, 10), (1, 1), (8, 27)]
    with pytest.raises(RowIndexError):
        crops[5]


def test_a_margin_is_added_within_the_image(table):
    crops = box_crops(table, margin=0.5)
    assert crops[0]["box"] == (0, 0, 12, 9)
    assert crops[2]["box"] == (25, 15, 40, 30)
    assert crops[4]["box"] == (0, 0, 13, 30)
    assert crops[3]["image"].size == (3, 3)
    assert (np.asarray(crops[3]["image"]) == pixels(2)[4:7, 4:7]).all()


def to_numbers(sample):
    return np.asarray(sample["image"], np.float32).mean(axis=(0, 1)), sample["label"]


def test_batches_come_from_worker_processes(table):
    data = pytest.importorskip("torch.utils.data")
    view = box_crops(table).with_transform(to_numbers)
    loader = data.DataLoader(view, batch_size=2, num_workers=1, multiprocessing_context="spawn")
    means = np.concatenate([batch[0].numpy() for batch in loader])
    assert np.allclose(means, [to_numbers(each)[0] for each in box_crops(table)])


def test_pickled_it_is_its_table_and_little_else(table):
    crops = box_crops(table, margin=0.25)
    crops[0]
    content = pickle.dumps(crops)
    assert len(content) < 1000
    again = pickle.loads(content)
    assert isinstance(again, BoxCrops)
    assert [each["box"] for each in again] == [each["box"] for each in crops]


def test_boxes_of_one_image_are_cut_out_of_one_reading(table, pictures):
    crops = box_crops(table)
    assert len(crops.__getitems__([2, 3])) == 2
    pictures[2].unlink()
    assert crops[4]["image"].size == (8, 27)
    crops[0]
    with pytest.raises(ImageReadError, match=r"2\.png"):
        crops[4]


def test_empty_boxes_are_left_out_and_counted(pictures):
    boxes = [[[3, 3, 3, 9], [1, 1, 5, 5]], [[50, 2, 60, 9]], [[-9, -9, 4, 4], [-5, 0, -1, 9]]]
    table = table_of(pictures, boxes)
    with pytest.warns(TlcWarning, match=r"3 of 5 boxes in 'bbs' .* empty, in rows 0, 1, 2: they"):
        crops = box_crops(table)
    assert [each["box"] for each in crops] == [(1, 1, 5, 5), (0, 0, 4, 4)]
    with pytest.raises(ColumnError, match="3 of 5 boxes"):
        box_crops(table, on_empty="raise")


def test_a_box_outside_of_an_image_of_unknown_size_is_told_when_it_is_read(pictures):
    crops = box_crops(table_of(pictures, [[[50, 2, 60, 9]], [], []], size=(None, None)))
    with pytest.raises(ImageReadError, match="outside of its image of 40 x 30") as caught:
        crops[0]
    assert "row 0" in caught.value.__notes__[0]


def test_turned_images_are_cut_as_annotated(tmp_path):
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(pixels(0)).save(path, exif=exif)
    upright = np.rot90(pixels(0), -1)
    shown = box_crops(table_of([path], [[[2, 3, 7, 11]]], size=(HEIGHT, WIDTH), row=[1]))
    assert (np.asarray(shown[0]["image"]) == upright[3:11, 2:7]).all()
    stored = box_crops(table_of([path], [[[2, 3, 7, 11]]], row=[2]))
    assert (np.asarray(stored[0]["image"]) == pixels(0)[3:11, 2:7]).all()


def test_boxes_are_scaled_to_images_of_another_size_than_was_annotated(pictures):
    boxes = [[[20, 12, 40, 18]], [[0, 0, 80, 60]], [[78, 58, 90, 90]]]
    crops = box_crops(table_of(pictures, boxes, size=(2 * WIDTH, 2 * HEIGHT)), margin=0.1)
    assert [each["box"] for each in crops] == [(9, 5, 21, 10), (0, 0, 40, 30), (38, 27, 40, 30)]
    assert (np.asarray(crops[0]["image"]) == pixels(0)[5:10, 9:21]).all()
    fractions = box_crops(table_of(pictures[:1], [[[0.5, 0.25, 1, 0.5]]], size=(1, 1), row=[1]))
    assert fractions[0]["box"] == (20, 7, 40, 15)


def test_a_missing_image_is_told(table, tmp_path):
    gone = table_of([tmp_path / "gone.png"], [[[0, 0, 2, 2]]])
    with pytest.raises(ImageReadError, match=r"gone\.png"):
        box_crops(gone)[0]
    none = tlc.Table.from_dict(
        {"image": [None], "bbs": [BoundingBoxes2D([[0, 0, 2, 2]])]},
        schema={"image": ImageSchema(), "bbs": BoundingBoxes2D.schema()},
    )
    crops = box_crops(none)
    for read in (crops.__getitem__, lambda index: crops.__getitems__([index])):
        with pytest.raises(ImageReadError, match="no image in the cell") as caught:
            read(0)
        assert "row 0" in caught.value.__notes__[0]


def test_boxes_without_labels_have_none(pictures):
    cells = [BoundingBoxes2D([[0, 0, 2, 2]], image_width=WIDTH, image_height=HEIGHT)]
    schema = {"image": ImageSchema(), "other": BoundingBoxes2D.schema()}
    table = tlc.Table.from_dict({"image": [str(pictures[0])], "other": cells}, schema=schema)
    assert set(box_crops(table)[0]) == {"image", "box"}


def test_boxes_by_another_schema_need_not_say_how_large_the_image_is(pictures):
    parts = {
        "instances": Float32Schema(shape=(-1, 4)),
        "instances_additional_data": Schema(values={"label": Int32Schema(shape=(-1,))}),
    }
    cell = {"instances": [[0, 0, 5, 7]], "instances_additional_data": {"label": [3]}}
    table = tlc.Table.from_dict(
        {"image": [str(pictures[0])], "own": [cell]},
        schema={"image": ImageSchema(), "own": Schema(values=parts)},
    )
    sample = box_crops(table)[0]
    assert (sample["box"], sample["label"]) == ((0, 0, 5, 7), 3)


def test_boxes_that_are_no_places_are_empty(pictures):
    parts = {
        "instances": Float32Schema(shape=(-1, 4)),
        "instances_additional_data": Schema(values={"label": Int32Schema(shape=(-1,))}),
    }
    boxes = [[0, 0, 5, float("nan")], [0, 0, 5, 7]]
    cell = {"instances": boxes, "instances_additional_data": {"label": [1, 2]}}
    table = tlc.Table.from_dict(
        {"image": [str(pictures[0])], "own": [cell]},
        schema={"image": ImageSchema(), "own": Schema(values=parts)},
    )
    with pytest.warns(TlcWarning, match="1 of 2 boxes"):
        assert [each["box"] for each in box_crops(table)] == [(0, 0, 5, 7)]


def test_tables_without_boxes_or_images_are_refused(table):
    plain = tlc.Table.from_dict({"image": ["a"]}, schema={"image": ImageSchema()})
    with pytest.raises(ColumnNotFoundError, match="no column of boxes"):
        box_crops(plain)
    with pytest.raises(ColumnNotFoundError, match="'boxes'"):
        box_crops(table, "boxes")
    with pytest.raises(ColumnError, match="holds no BoundingBoxes2D"):
        box_crops(table, "image")
    with pytest.raises(ColumnNotFoundError, match="'photo'"):
        box_crops(table, image="photo")
    points = tlc.Table.from_dict(
        {"keypoints_2d": [Keypoints2D(np.zeros((1, 2, 2)))]},
        schema={"keypoints_2d": Keypoints2D.schema(num_keypoints=2)},
    )
    with pytest.raises(ColumnNotFoundError, match="no column of boxes"):
        box_crops(points)


def test_options_are_checked(table):
    with pytest.raises(OptionError, match=r"margin is -0\.1"):
        box_crops(table, margin=-0.1)
    for margin in (float("inf"), float("nan")):
        with pytest.raises(OptionError, match=f"margin is {margin}"):
            box_crops(table, margin=margin)
    with pytest.raises(OptionError, match="on_empty is 'drop'"):
        box_crops(table, on_empty="drop")


def test_the_table_of_boxes_can_be_placed(table):
    assert box_crops(table, table_name="crops").url.name == "crops"
    assert box_crops(table).url == box_crops(table).url


def test_nothing_is_written_beside_the_table_if_boxes_are_placed_elsewhere(pictures):
    table = table_of(pictures, [[[3, 3, 3, 9], [1, 1, 5, 5]], [], []])
    with pytest.warns(TlcWarning, match="1 of 3|1 of 2"):
        crops = box_crops(table, project_name="elsewhere", table_name="crops")
    assert crops.url.name == "crops"
    assert "elsewhere" in crops.url.to_str()
    assert [path.name for path in table.url.parent.to_local_path().iterdir()] == [table.name]


# The way back


def test_scores_of_boxes_go_beside_the_boxes(table):
    crops = box_crops(table)
    predicted = {"predicted": CategoricalLabelSchema(CLASSES)}
    vectors = np.arange(10, dtype=np.float32).reshape(5, 2)
    found = to_boxes(
        Scores(crops.source, {"predicted": [2, 0, 1, 1, 0], "vector": vectors}, predicted), table
    )
    assert [each.tolist() for each in found["predicted"]] == [[2, 0], [], [1, 1, 0]]
    assert [each.tolist() for each in found["vector"]] == [
        [[0, 1], [2, 3]],
        [],
        [[4, 5], [6, 7], [8, 9]],
    ]
    revision = found.add_to_table()
    assert [row["predicted"] for row in revision.table_rows] == [[2, 0], [], [1, 1, 0]]
    assert revision.get_simple_value_map("predicted") == dict(enumerate(CLASSES))
    assert revision.table_rows[2]["vector"] == [[4, 5], [6, 7], [8, 9]]


def test_boxes_without_scores_have_nan(pictures):
    table = table_of(pictures, [[[3, 3, 3, 9], [1, 1, 5, 5]], [[0, 0, 2, 2]], []])
    with pytest.warns(TlcWarning, match="1 of 3 boxes"):
        crops = box_crops(table)
    found = to_boxes(Scores(crops.source, {"n": np.array([7, 8])}), table)
    assert np.array_equal(np.concatenate(found["n"]), [np.nan, 7, 8], equal_nan=True)
    assert found["n"][2].tolist() == []
    assert found.add_to_table().table_rows[1]["n"] == [8.0]


def test_images_without_boxes_have_empty_lists(table):
    rows = table.unroll("bbs", keep_empty=True)
    found = to_boxes(Scores(rows, {"n": np.arange(6)}), table)
    assert [each.tolist() for each in found["n"]] == [[0, 1], [], [3, 4, 5]]
    nothing = table.keep([])
    none = to_boxes(Scores(box_crops(nothing).source, {"n": np.zeros(0)}), nothing)
    assert none["n"] == []
    assert len(none.add_to_table()) == 0


def test_scores_find_rows_of_other_revisions_and_selections(table):
    crops = box_crops(table)
    part = crops.source.keep([4, 0])
    kept = table.keep([2, 0])
    found = to_boxes(Scores(part, {"n": np.array([1.5, 2.5])}), kept)
    assert np.array_equal(found["n"][0], [np.nan, np.nan, 1.5], equal_nan=True)
    assert np.array_equal(found["n"][1], [2.5, np.nan], equal_nan=True)


def test_removed_boxes_are_told(table):
    crops = box_crops(table)
    fewer = BoundingBoxes2D([[0, 0, 8, 6]], [1], image_width=WIDTH, image_height=HEIGHT)
    edited = table.revise(SetValues("bbs", [0], [fewer]))
    with pytest.raises(MetricsError, match=r"Row 0 .* has no box 1 in 'bbs'"):
        to_boxes(Scores(crops.source, {"n": np.zeros(5)}), edited)


def test_only_numbers_of_boxes_go_back(table):
    with pytest.raises(ColumnError, match="no row for each box"):
        to_boxes(Scores(table, {"n": np.zeros(3)}), table)
    crops = box_crops(table)
    with pytest.raises(ColumnError, match="'text' are no numbers"):
        to_boxes(Scores(crops.source, {"text": list("abcde")}), table)
    several = [np.zeros(1 + number % 2) for number in range(5)]
    with pytest.raises(ColumnError, match="arrays of several shapes"):
        to_boxes(Scores(crops.source, {"several": several}), table)


def test_embeddings_of_boxes_that_a_run_has_stored_go_to_the_boxes(tmp_path):
    digits = load_digits()
    sheet = Image.fromarray((digits.images[:6].reshape(48, 8) * 15).astype(np.uint8))
    path = tmp_path / "sheet.png"
    sheet.save(path)
    boxes = [[[0, 8 * n, 8, 8 * n + 8] for n in range(6)]]
    table = table_of([path], boxes, size=(8, 48))
    crops = box_crops(table)
    run = tlc.init("p", "r")
    vectors = np.stack([np.asarray(each["image"], np.float32).reshape(-1) for each in crops])
    assert np.allclose(vectors / 15, digits.data[:6])
    schema = {"embeddings_0": EmbeddingSchema(shape=(64,))}
    run.add_metrics({"embeddings_0": vectors}, schema, crops.source, constants={"epoch": 0})
    found = embeddings(run)
    back = to_boxes(Scores(found.table, {"embedding": found.vectors}), table)
    assert (back["embedding"][0] == vectors).all()
