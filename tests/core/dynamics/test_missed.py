"""True instances that are missed epoch after epoch, against plain loops and a real collector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tlc
from tlc.data_types import BoundingBoxes2D, SegmentationMasks, SemanticSegmentation
from tlc.dynamics import matched_ious, missed_instances
from tlc.errors import ColumnNotFoundError, MetricsError, SchemaError
from tlc.run import Run
from tlc.schemas import BoolSchema
from tlc.table import Table

SIZE = {"image_width": 64, "image_height": 48}
FLAGS = {"is_false_negative": BoolSchema(shape=(-1,))}


def boxes(count):
    """Return boxes of one class, side by side."""
    places = [[8 * n, 0, 8 * n + 6, 6] for n in range(count)]
    return BoundingBoxes2D(np.reshape(places, (-1, 4)), [0] * count, **SIZE)


def make_table(counts, name="train"):
    schema = {"bbs": BoundingBoxes2D.schema(classes=["cat"])}
    columns = {"n": range(len(counts)), "bbs": [boxes(count) for count in counts]}
    return Table.from_dict(columns, schema, table_name=name, if_exists="rename")


def add(run, table, flags, epoch, ids=None):
    ids = range(len(flags)) if ids is None else ids
    metrics = {"example_id": list(ids), "is_false_negative": flags}
    run.add_metrics(metrics, FLAGS, table, constants={"epoch": epoch})


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), epochs=st.integers(1, 4))
def test_misses_are_counted_for_each_instance(seed, epochs):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, 5).tolist()
    table, run = make_table(counts), Run.create("p")
    missed = [[0] * count for count in counts]
    seen = [0] * 5
    for epoch in range(epochs):
        rows = rng.permutation(5)[: rng.integers(1, 6)].tolist()
        flags = [(rng.random(counts[row]) < 0.5).tolist() for row in rows]
        add(run, table, flags, epoch, rows)
        for row, each in zip(rows, flags, strict=True):
            seen[row] += 1
            missed[row] = [total + flag for total, flag in zip(missed[row], each, strict=True)]
    found = missed_instances(run)
    expected = [each if count else None for each, count in zip(missed, seen, strict=True)]
    assert found["times_missed"].to_pylist() == expected
    assert found["instance_epochs"].tolist() == seen
    for row, share in enumerate(found["match_share"].to_pylist()):
        if seen[row]:
            assert share == pytest.approx([1 - each / seen[row] for each in missed[row]])
            kinds = [found[f"{name}_found"][row] for name in ("never", "sometimes", "always")]
            never, always = missed[row].count(seen[row]), missed[row].count(0)
            assert kinds == [never, counts[row] - never - always, always]
        else:
            assert share is None
            assert np.isnan(found["never_found"][row])


def test_they_become_hidden_columns_with_a_list_for_each_row():
    table, run = make_table([2, 0, 1, 1]), Run.create("p")
    add(run, table, [[True, False], [], [True]], 0)
    add(run, table, [[True, True], [], [False]], 1)
    revision = missed_instances(run).add_to_table()
    assert revision.column("times_missed").to_pylist() == [[2, 1], [], [1], None]
    assert revision.column("match_share").to_pylist() == [[0, 0.5], [], [0.5], None]
    assert list(revision[0]) == ["n", "bbs"]


def test_rows_whose_list_is_missing_were_not_collected():
    table, run = make_table([1, 1]), Run.create("p")
    add(run, table, [None, [True]], 0)
    add(run, table, [[False], [True]], 1)
    found = missed_instances(run)
    assert found["times_missed"].to_pylist() == [[0], [2]]
    assert found["instance_epochs"].tolist() == [1, 2]


def test_the_last_collection_of_an_epoch_counts():
    table, run = make_table([1, 1]), Run.create("p")
    add(run, table, [[True], [True]], 0)
    add(run, table, [[False]], 0, [1])
    found = missed_instances(run)
    assert found["times_missed"].to_pylist() == [[1], [0]]
    assert found["instance_epochs"].tolist() == [1, 1]


def test_rows_whose_number_of_instances_has_changed_are_left_out():
    table, run = make_table([1, 2]), Run.create("p")
    add(run, table, [[True], [True, False]], 0)
    edited = table.set_values("bbs", [0], [boxes(3)])
    add(run, edited, [[True, True, False], [True, True]], 1)
    for about, row in ((table, 0), (edited, 0)):
        found = missed_instances(run, about)
        assert found["times_missed"].to_pylist()[row] is None
        assert found["instance_epochs"].tolist() == [0, 2]
        assert np.isnan(found["never_found"]).tolist() == [True, False]
        assert found["times_missed"].to_pylist()[1] == [2, 1]


def test_a_collector_stores_what_is_needed():
    table, run = make_table([2, 1]), tlc.init("p", "r")
    numbers = table.with_transform(lambda sample: {"n": sample["n"]})
    collector = tlc.metrics.InstanceMetricsCollector(table)
    for epoch in range(3):
        first = [[0, 0, 6, 6]] if epoch == 0 else [[0, 0, 6, 6], [8, 0, 14, 6]]
        places = [first, [[40, 30, 60, 40]]]  # of the first image, and off the box of the second

        def detect(batch, places=places):
            found = [places[n] for n in batch["n"]]
            return [BoundingBoxes2D(p, [0] * len(p), [0.9] * len(p), **SIZE) for p in found]

        tlc.collect_metrics(numbers, collector, detect, split="val", constants={"epoch": epoch})
    found = missed_instances(run, split="val")
    assert found["times_missed"].to_pylist() == [[0, 1], [3]]
    assert found["never_found"].tolist() == [0, 1]
    assert found["sometimes_found"].tolist() == [1, 0]
    assert found["always_found"].tolist() == [1, 0]
    assert missed_instances(run, epochs=slice(1, None))["times_missed"].to_pylist() == [[0, 0], [2]]


@pytest.fixture
def detected():
    """A run that finds one box better in each of three epochs, and another only in the last."""
    table, run = make_table([2, 1]), tlc.init("p", "r")
    numbers = table.with_transform(lambda sample: {"n": sample["n"]})
    collector = tlc.metrics.InstanceMetricsCollector(table)
    for epoch, width in enumerate((3, 4.5, 6)):  # IoU 0.5, 0.75 and 1
        first = [[0, 0, width, 6], *([[8, 0, 14, 6]] if epoch == 2 else [])]
        places = [first, [[40, 30, 60, 40]]]

        def detect(batch, places=places):
            found = [places[n] for n in batch["n"]]
            return [BoundingBoxes2D(p, [0] * len(p), [0.9] * len(p), **SIZE) for p in found]

        tlc.collect_metrics(numbers, collector, detect, split="val", constants={"epoch": epoch})
    return run, table


def test_the_overlap_of_a_box_varies(detected):
    run, _ = detected
    found = matched_ious(run)
    assert found["times_matched"].to_pylist() == [[3, 1], [0]]
    means, spreads = found["iou_mean"].to_pylist(), found["iou_variability"].to_pylist()
    assert means[0] == pytest.approx([0.75, 1])
    assert spreads[0] == pytest.approx([np.std([0.5, 0.75, 1]), 0])
    assert np.isnan(means[1] + spreads[1]).all()
    assert matched_ious(run, threshold=0.7)["times_matched"].to_pylist() == [[2, 1], [0]]
    missed = missed_instances(run)["times_missed"].to_pylist()
    assert missed == [[0, 2], [3]]
    assert list(found.add_to_table()[0]) == ["n", "bbs"]


def test_crowds_are_never_matched_nor_missed():
    places, extras = [[0, 0, 6, 6], [8, 0, 14, 6]], {"iscrowd": [True, False]}
    boxes = BoundingBoxes2D(places, [0, 0], per_instance_extras=extras, **SIZE)
    kinds = {"iscrowd": BoolSchema()}
    schema = {"bbs": BoundingBoxes2D.schema(classes=["cat"], per_instance_schemas=kinds)}
    table, run = Table.from_dict({"n": [0], "bbs": [boxes]}, schema), tlc.init("p", "r")
    numbers = table.with_transform(lambda sample: {"n": sample["n"]})
    collector = tlc.metrics.InstanceMetricsCollector(table)
    found = BoundingBoxes2D(places, [0, 0], [0.9, 0.8], **SIZE)
    tlc.collect_metrics(numbers, collector, lambda batch: [found], constants={"epoch": 0})
    assert missed_instances(run)["times_missed"].to_pylist() == [[0, 0]]
    assert matched_ious(run)["times_matched"].to_pylist() == [[0, 1]]


def test_overlaps_are_told_of_rows_that_have_not_changed(detected):
    run, table = detected
    other = table.delete_rows([0])
    assert matched_ious(run, other)["times_matched"].to_pylist() == [[0]]
    edited = table.set_values("bbs", [1], [boxes(3)])
    assert matched_ious(run, edited)["times_matched"].to_pylist() == [[3, 1], None]


def test_overlaps_need_a_metrics_table_for_each_epoch(detected):
    run, table = detected
    metrics = {"is_false_negative": [[True, True], [True]], "epoch": [7, 8]}
    run.add_metrics(
        {**metrics, "bbs_predicted": [boxes(0), boxes(0)]},
        {**FLAGS, "bbs_predicted": BoundingBoxes2D.schema(include_per_instance_confidence=True)},
        table,
    )
    for epochs in (None, slice(-1, None)):
        with pytest.raises(MetricsError, match="holds several epochs"):
            matched_ious(run, epochs=epochs)
    assert matched_ious(run, epochs=3)["times_matched"].to_pylist() == [[3, 1], [0]]


def test_masks_have_instances_too():
    mask = np.zeros((48, 64, 2), np.uint8)
    mask[:4, :4, 0] = mask[20:, 20:, 1] = 1
    schema = {"seg": SegmentationMasks.schema(classes=["cat"])}
    masks = SegmentationMasks(masks=mask, labels=[0, 0], **SIZE)
    table = Table.from_dict({"n": [0, 1], "seg": [masks, None]}, schema, table_name="masks")
    run = Run.create("p")
    add(run, table, [[True, False], []], 0)
    assert missed_instances(run)["times_missed"].to_pylist() == [[1, 0], []]


def test_errors():
    table, run = make_table([1]), Run.create("p")
    with pytest.raises(ColumnNotFoundError, match="is_false_negative"):
        missed_instances(run)
    add(run, table, [[True]], 0)
    with pytest.raises(SchemaError, match=r"'n' of .* holds no annotations"):
        missed_instances(run, column="n")
    run.add_metrics({"false_negatives": [1]}, foreign_table_url=table, constants={"epoch": 0})
    with pytest.raises(MetricsError, match="holds int64, not lists of booleans"):
        missed_instances(run, missed="false_negatives")
    mask = SemanticSegmentation(np.zeros((48, 64), np.uint8))
    schema = {"seg": SemanticSegmentation.schema(classes=["sky"])}
    pixels, third = Table.from_dict({"seg": [mask]}, schema, table_name="pixels"), Run.create("p")
    add(third, pixels, [[True]], 0)
    with pytest.raises(MetricsError, match="has classes of pixels, no instances"):
        missed_instances(third)
    plain, other = Table.from_dict({"n": [1]}, table_name="plain"), Run.create("p")
    add(other, plain, [[True]], 0)
    with pytest.raises(MetricsError, match="no column of annotations"):
        missed_instances(other)
