"""Classifiers and segmentation models of SuperGradients on tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from super_gradients.training import models
from super_gradients.training.metrics import IoU
from super_gradients.training.transforms.transforms import (
    SegConvertToTensor,
    SegResize,
    SegStandardize,
)
from tests.integrations.super_gradients_trainings import (
    CLASSES,
    SIDE,
    fit,
    images,
    table_of,
    table_of_classes,
)
from torch.utils.data import DataLoader
from torchvision.transforms import Resize, ToTensor

import tlc
from tlc.data_types import SemanticSegmentation
from tlc.errors import ColumnNotFoundError, SchemaError
from tlc.integration.super_gradients import (
    ClassificationDataset,
    MetricsCollectionCallback,
    SegmentationDataset,
)

ROWS = 6


@pytest.fixture
def labelled(tmp_path):
    return table_of_classes(tmp_path / "images", ROWS, 32)


def masks():
    """Return label maps: 5 is the background, 9 the void."""
    made = []
    for i in range(ROWS):
        mask = np.full((48, SIDE), 5)
        mask[:10, : 8 * i] = 3
        mask[10:20] = 7
        mask[40:] = 9
        made.append(SemanticSegmentation(mask, background=5))
    return made


@pytest.fixture
def segmented(tmp_path):
    schema = SemanticSegmentation.schema(classes=CLASSES, background=5, void=9)
    columns = {"image": images(tmp_path / "images", ROWS), "mask": masks()}
    return table_of(columns, {"mask": schema})


def test_a_classifier_is_trained_and_its_classes_are_collected(labelled):
    run = tlc.init("super")
    dataset = ClassificationDataset(labelled, [ToTensor()])
    assert dataset.classes == ["square", "disc"]
    image, label = dataset[2]
    assert (image.shape, label) == ((3, 32, 32), 1)
    assert image[:, 0, 0].tolist() == pytest.approx([2 / 255, 0, 0])
    model = models.get("resnet18_cifar", num_classes=2, pretrained_weights=None)
    callback = MetricsCollectionCallback(batch_size=4, inference_chunk_size=5)
    loader = DataLoader(dataset, 4)
    fit(model, loader, initial_lr=0.01, phase_callbacks=[callback])
    _, metrics = run.metrics_tables
    assert metrics.get_column("example_id").to_pylist() == list(range(ROWS))
    with torch.no_grad():
        logits = model.eval()(torch.stack([dataset[i][0] for i in range(ROWS)]))
    wanted = [[3, 7][i] for i in logits.argmax(1).tolist()]
    assert metrics.get_column("predicted").to_pylist() == wanted
    losses = torch.nn.functional.cross_entropy(
        logits, torch.tensor([dataset[i][1] for i in range(ROWS)]), reduction="none"
    )
    np.testing.assert_allclose(metrics.get_column("loss").to_pylist(), losses, atol=1e-4)
    assert set(metrics.get_value_map("predicted")) == {3, 7}


def test_a_classification_dataset_tells_how_images_are_prepared(labelled):
    dataset = ClassificationDataset(labelled, [Resize(16), ToTensor()], label_column_name="class")
    params = dataset.get_dataset_preprocessing_params()
    assert params["class_names"] == ["square", "disc"]
    (steps,) = params["image_processor"].values()
    assert len(steps["processings"]) == 3
    with pytest.raises(ColumnNotFoundError, match="label_column_name"):
        ClassificationDataset(tlc.Table.from_dict({"image": ["a"]}, project_name="super"))
    with pytest.raises(SchemaError, match="class names"):
        ClassificationDataset(labelled, label_column_name="image")


def test_background_is_a_class_and_void_is_none(segmented):
    dataset = SegmentationDataset(segmented)
    assert dataset.classes == ["square", "background", "disc"]
    image, mask = dataset[2]
    assert (image.shape, image.dtype, mask.dtype) == ((48, SIDE, 3), np.uint8, np.uint8)
    assert image[0, 0].tolist() == [2, 0, 0]
    assert [mask[row, 0] for row in (0, 15, 30, 45)] == [0, 2, 1, dataset.ignore_index]


def test_label_images_will_do(tmp_path):
    maps = [Image.fromarray(each.mask.astype(np.uint8)) for each in masks()]
    schema = {"mask": tlc.schemas.SemanticSegmentationSchema(classes=CLASSES)}
    table = table_of({"image": images(tmp_path, ROWS), "mask": maps}, schema)
    _, mask = SegmentationDataset(table)[2]
    assert [mask[row, 0] for row in (0, 15, 30, 45)] == [0, 1, 2, 2]


def test_a_segmentation_model_is_trained_and_its_maps_are_collected(segmented):
    run = tlc.init("super")
    transforms = [SegResize(h=SIDE, w=SIDE), SegStandardize(), SegConvertToTensor()]
    dataset = SegmentationDataset(segmented, transforms)
    model = models.get(
        "ddrnet_23_slim",
        num_classes=3,
        arch_params={"use_aux_heads": False},
        pretrained_weights=None,
    )
    callback = MetricsCollectionCallback(collect_val_only=True, metrics_collection_epochs=[0])
    fit(
        model,
        DataLoader(dataset, 3),
        initial_lr=0.01,
        criterion_params={"ignore_index": dataset.ignore_index},
        train_metrics_list=[],
        valid_metrics_list=[IoU(num_classes=4, ignore_index=dataset.ignore_index)],
        metric_to_watch="IoU",
        phase_callbacks=[callback],
    )
    (metrics,) = run.metrics_tables
    assert metrics.get_column("example_id").to_pylist() == list(range(ROWS))
    row = metrics[2]
    path = segmented.table_rows[2]["image"]
    wanted = model.predict(path, fuse_model=False, fp16=False).prediction.segmentation_map
    assert np.array_equal(np.array(row["predicted_mask"]), np.array([3, 5, 7])[wanted])
    assert row["predicted_mask"].size == (SIDE, 48)
    assert len(row["iou_per_class"]) == 3
    true = masks()[2].mask
    found = np.array(row["predicted_mask"])
    scored = true != 9
    both = (found == 7) & (true == 7)
    either = ((found == 7) | (true == 7)) & scored
    assert row["iou_per_class"][2] == pytest.approx(both.sum() / either.sum(), abs=1e-6)


@pytest.mark.parametrize(("name", "length"), [("resnet18_cifar", 512), ("ddrnet_23_slim", 256)])
def test_embeddings_are_pooled_features(labelled, segmented, name, length):
    run = tlc.init("super")
    callback = MetricsCollectionCallback(
        collect_embeddings=True, collect_val_only=True, embeddings_method=None
    )
    options = {"pretrained_weights": None, "num_classes": 3}
    if "resnet" in name:
        model = models.get(name, **options)
        dataset = ClassificationDataset(labelled, [ToTensor()])
        fit(model, DataLoader(dataset, 3), phase_callbacks=[callback])
    else:
        model = models.get(name, arch_params={"use_aux_heads": False}, **options)
        steps = [SegResize(h=SIDE, w=SIDE), SegStandardize(), SegConvertToTensor()]
        dataset = SegmentationDataset(segmented, steps)
        metrics = {
            "train_metrics_list": [],
            "valid_metrics_list": [IoU(num_classes=4, ignore_index=3)],
            "metric_to_watch": "IoU",
        }
        loss = {"criterion_params": {"ignore_index": 3}}
        fit(model, DataLoader(dataset, 3), phase_callbacks=[callback], **metrics, **loss)
    (metrics,) = run.metrics_tables
    found = np.array(metrics.get_column("embeddings").to_pylist())
    assert found.shape == (ROWS, length)
    assert not any("embeddings" in key for each in run.constants["outputs"] for key in each)
