"""Weights of tables as repeat factors."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from tests.integrations.detectron2_models import (
    SIZE,
    config,
    detectron2,
    number,
    table_of_boxes,
)

import tlc
from tlc.data_types import BoundingBoxes2D
from tlc.errors import WeightError
from tlc.integration.detectron2 import (
    build_train_loader,
    create_training_sampler,
    register_table,
)


def weighted(folder, weights, *, empty=(), **options):
    """Return a table with weights, some rows of which have no boxes."""
    table = table_of_boxes(folder, len(weights), **options)
    schema = tlc.schemas.SampleWeightSchema()
    table = table.add_column("weight", weights, schema)
    none = BoundingBoxes2D.create_empty(image_width=SIZE, image_height=SIZE)
    return table.set_values("bbs", list(empty), [none] * len(empty)) if empty else table


def drawn(loader, count):
    """Return how often each image comes in so many."""
    numbers = (one for batch in loader for one in number(batch)["number"])
    return Counter(islice(numbers, count))


def test_rows_come_as_often_as_their_weights_say(tmp_path):
    register_table("rows", weighted(tmp_path, [0.0, 1.0, 2.5, 3.0, 0.0, 4.0], empty=[1]))
    loader = build_train_loader(config(tmp_path, SEED=1))
    found = drawn(loader, 950)
    assert set(found) == {2, 3, 5}  # positions in the list of what is left are others
    assert found[3] == pytest.approx(300, abs=4)
    assert found[5] == pytest.approx(400, abs=4)
    assert found[2] == pytest.approx(250, abs=20)


def test_weights_can_only_leave_rows_out(tmp_path):
    register_table("rows", weighted(tmp_path, [0.0, 1.0, 2.5, 0.5]))
    found = drawn(build_train_loader(config(tmp_path), weighted=False), 300)
    assert found == {1: 100, 2: 100, 3: 100}


def test_the_sampler_goes_with_detectron2_s_own_loader(tmp_path):
    register_table("rows", weighted(tmp_path, [0.0, 1.0, 1.0], empty=[1]))
    cfg = config(tmp_path)
    sampler = create_training_sampler(cfg)
    loader = detectron2.data.build_detection_train_loader(cfg, sampler=sampler)
    assert set(drawn(loader, 20)) == {2}


def test_several_datasets_have_weights_of_their_own(tmp_path):
    register_table("rows", weighted(tmp_path, [0.0, 1.0]))
    register_table("more", table_of_boxes(tmp_path, 2, table_name="more", add_weight_column=False))
    cfg = config(tmp_path, ("rows", "more"))
    assert drawn(build_train_loader(cfg), 300) == {0: 100, 1: 200}


def test_equal_seeds_give_equal_orders(tmp_path):
    register_table("rows", weighted(tmp_path, [0.5, 1.5, 2.5, 3.5]))
    orders = [
        list(islice(create_training_sampler(config(tmp_path, SEED=seed)), 50)) for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]


def test_nothing_to_train_on_is_told(tmp_path):
    register_table("rows", weighted(tmp_path, [0.0, 1.0, 0.0], empty=[1]))
    with pytest.raises(WeightError, match="zero"):
        create_training_sampler(config(tmp_path))
