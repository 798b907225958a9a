from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from torch.nn import functional

from tlc.errors import CollectorError
from tlc.metrics import (
    ClassificationMetricsCollector,
    EmbeddingsMetricsCollector,
    FunctionalMetricsCollector,
    MetricsCollector,
    Predictor,
    PredictorOutput,
    SegmentationMetricsCollector,
)

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 3.0], [1.0, 5.0, 1.0], [0.0, 1.0, 1.0]])
LABELS = torch.tensor([0, 1, 1, 2])


def classify(logits, labels, **arguments):
    collector = ClassificationMetricsCollector(**arguments)
    return collector({"label": labels}, PredictorOutput(logits))


class TestBase:
    def test_heirs_need_only_compute_metrics(self):
        class Mine(MetricsCollector):
            def __init__(self):
                super().__init__()

            def compute_metrics(self, batch, predictor_output):
                return {"x": batch}

        mine = Mine()
        assert mine([1, 2], None) == {"x": [1, 2]}
        assert mine.column_schemas == {}
        assert mine.name == "Mine"
        assert mine.aggregate_values == {}
        mine.start_aggregates().aggregate_batch(mine([1, 2], None))
        assert mine.aggregate_values == {"x_avg": 1.5}
        mine.start_aggregates()
        assert mine.aggregate_values == {}

    def test_preprocess_fn_comes_first(self):
        collector = FunctionalMetricsCollector(
            lambda batch, predictions: {
                "sum": [b + p for b, p in zip(batch, predictions, strict=True)]
            },
            preprocess_fn=lambda batch, output: (batch[1], output.forward),
        )
        assert collector([[9], [1, 2]], PredictorOutput([10, 20])) == {"sum": [11, 22]}

    def test_preprocess_fn_must_return_two_things(self):
        collector = FunctionalMetricsCollector(dict, preprocess_fn=lambda batch, output: batch)
        with pytest.raises(CollectorError, match="preprocess_fn"):
            collector({}, None)

    def test_functions_lend_their_name_and_schemas(self):
        collector = FunctionalMetricsCollector(per_sample, {"a": 1}, False, column_schemas={"b": 2})
        assert collector.name == "per_sample"
        assert collector.column_schemas == {"a": 1, "b": 2}
        assert collector.start_aggregates() is None


def per_sample(batch, predictor_output):
    return {"x": [0.0] * len(batch)}


class TestClassification:
    def test_columns(self):
        columns = classify(LOGITS, LABELS)
        probabilities = LOGITS.softmax(1)
        assert {name: values.dtype for name, values in columns.items()} == {
            "loss": np.float32,
            "predicted": np.int32,
            "accuracy": np.float32,
            "confidence": np.float32,
            "label_prob": np.float32,
            "label_logit": np.float32,
            "max_other_logit": np.float32,
            "el2n": np.float32,
            "correct": np.bool_,
        }
        expected = functional.cross_entropy(LOGITS.double(), LABELS, reduction="none").numpy()
        np.testing.assert_allclose(columns["loss"], expected, rtol=1e-6)
        assert columns["predicted"].tolist() == [0, 2, 1, 1]
        assert columns["accuracy"].tolist() == [1.0, 0.0, 1.0, 0.0]
        assert columns["correct"].tolist() == [True, False, True, False]
        assert columns["max_other_logit"].tolist() == [0.0, 3.0, 1.0, 1.0]
        assert columns["label_logit"].tolist() == LOGITS[range(4), LABELS].tolist()
        errors = (probabilities - functional.one_hot(LABELS, 3)).norm(dim=1)
        np.testing.assert_allclose(columns["el2n"], errors, rtol=1e-5)
        np.testing.assert_allclose(columns["confidence"], probabilities.amax(1), rtol=1e-6)
        np.testing.assert_allclose(
            columns["label_prob"], probabilities[range(4), LABELS].numpy(), rtol=1e-6
        )

    @pytest.mark.parametrize(
        "forward",
        [
            LOGITS,
            (LOGITS, "aux"),
            {"logits": LOGITS},
            SimpleNamespace(logits=LOGITS),
            LOGITS.numpy(),
            LOGITS.bfloat16(),
            LOGITS.clone().requires_grad_(),
        ],
    )
    @pytest.mark.parametrize(
        "batch",
        [
            {"labels": LABELS},
            {"x": 0, "target": LABELS.tolist()},
            [0, LABELS],
            (0, LABELS[:, None]),
            {"label": LABELS.float()},
            LABELS,
        ],
    )
    def test_logits_and_labels_are_found(self, forward, batch):
        columns = ClassificationMetricsCollector()(batch, PredictorOutput(forward))
        assert columns["accuracy"].tolist() == [1.0, 0.0, 1.0, 0.0]

    def test_preprocessed_logits_are_used(self):
        collector = ClassificationMetricsCollector(
            preprocess_fn=lambda batch, output: (LABELS, LOGITS)
        )
        assert collector(None, None)["predicted"].tolist() == [0, 2, 1, 1]

    @pytest.mark.parametrize("shape", [(4,), (4, 1)])
    def test_one_logit_is_a_binary_classifier(self, shape):
        logits = torch.tensor([2.0, -1.0, -3.0, 0.5])
        labels = torch.tensor([1, 1, 0, 0])
        columns = classify(logits.reshape(shape), labels)
        loss = functional.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
        np.testing.assert_allclose(columns["loss"], loss, rtol=1e-5)
        assert columns["predicted"].tolist() == [1, 0, 0, 1]
        np.testing.assert_allclose(columns["max_other_logit"], [0.0, 0.0, -3.0, 0.5])
        own = classify(
            logits.reshape(shape), labels, loss_fn=nn.BCEWithLogitsLoss(reduction="none")
        )
        np.testing.assert_allclose(own["loss"], loss, rtol=1e-5)

    def test_a_single_class_has_no_other_logit(self):
        columns = classify(torch.tensor([[1.0], [2.0]]), torch.tensor([0, 0]), classes=["only"])
        assert columns["accuracy"].tolist() == [1.0, 1.0]
        assert np.isnan(columns["max_other_logit"]).all()
        assert columns["el2n"].tolist() == [0.0, 0.0]
        assert columns["label_prob"].tolist() == [1.0, 1.0]

    def test_samples_without_label_stay_out(self):
        labels = LABELS.clone()
        labels[1] = -100
        columns = classify(LOGITS, labels)
        named = ("loss", "accuracy", "label_prob", "label_logit", "max_other_logit", "el2n")
        for name in named:
            assert np.isnan(columns[name]).tolist() == [False, True, False, False]
        assert columns["predicted"].tolist() == [0, 2, 1, 1]
        assert not np.isnan(columns["confidence"]).any()
        collector = ClassificationMetricsCollector()
        collector.start_aggregates().aggregate_batch(columns, collector.column_schemas)
        assert collector.aggregate_values["accuracy_avg"] == pytest.approx(2 / 3)
        own = classify(LOGITS, labels, loss_fn=nn.CrossEntropyLoss(reduction="none"))
        np.testing.assert_allclose(own["loss"], columns["loss"], rtol=1e-5)

    def test_aggregates_are_of_numbers_only(self):
        collector = ClassificationMetricsCollector(["a", "b", "c"])
        columns = collector([0, LABELS], PredictorOutput(LOGITS))
        collector.start_aggregates().aggregate_batch(columns, collector.column_schemas)
        assert set(collector.aggregate_values) == {
            "loss_avg", "accuracy_avg", "confidence_avg", "label_prob_avg", "label_logit_avg",
            "max_other_logit_avg", "el2n_avg",
        }  # fmt: skip
        assert collector.column_schemas["predicted"].value.map[1].internal_name == "b"
        assert ClassificationMetricsCollector().column_schemas["predicted"].value.map is None
        assert ClassificationMetricsCollector(compute_aggregates=False).start_aggregates() is None

    @pytest.mark.parametrize(
        ("forward", "batch", "message"),
        [
            (LOGITS, {"image": 0}, "found no labels in the batch among 'image'"),
            (LOGITS, [0], "found no labels"),
            (LOGITS, {"label": [0, 1, 3, 2]}, "sample 2 of the batch has label 3.*classes 0 to 2"),
            (LOGITS, {"label": [0, -1, 0, 0]}, "sample 1 of the batch has label -1"),
            (LOGITS, {"label": [0.0, 0.0, 0.0, 0.5]}, "sample 3 of the batch has label 0.5"),
            (LOGITS[:, 0], {"label": [0, 2, 0, 0]}, "sample 1 .* label 2.*classes 0 to 1"),
            (LOGITS, {"label": [0, 1]}, r"labels of shape \(2,\) and 4 rows"),
            (LOGITS, {"label": torch.ones(4, 3)}, "labels of shape"),
            (LOGITS[None], {"label": LABELS}, "logits of shape"),
            ("text", {"label": LABELS}, "found no logits in a model output of type 'str'"),
        ],
    )
    def test_errors(self, forward, batch, message):
        with pytest.raises(CollectorError, match=message):
            ClassificationMetricsCollector()(batch, PredictorOutput(forward))

    def test_no_model_is_an_error(self):
        with pytest.raises(CollectorError, match="predictor=model"):
            ClassificationMetricsCollector()({"label": LABELS}, None)

    def test_reduced_losses_are_refused(self):
        with pytest.raises(CollectorError, match="reduction='none'"):
            classify(LOGITS, LABELS, loss_fn=nn.CrossEntropyLoss())


def embed(activations, **arguments):
    output = PredictorOutput(None, {3: activations})
    return EmbeddingsMetricsCollector([3], **arguments)(None, output)["embeddings_3"]


class TestEmbeddings:
    MAPS = torch.randn(2, 5, 6, 6, generator=torch.Generator().manual_seed(0))

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ((2,), lambda x: x[:, None]),
            ((2, 5), lambda x: x),
            ((2, 7, 5), lambda x: x.mean(1)),
            ((2, 5, 3, 4), lambda x: x.mean((2, 3))),
            ((2, 5, 2, 3, 4), lambda x: x.mean((2, 3, 4))),
        ],
    )
    def test_mean_by_rank(self, shape, expected):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        np.testing.assert_allclose(embed(x), expected(x), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("cells", [1, 2, 3])
    def test_average_pools(self, cells):
        expected = self.MAPS.reshape(2, 5, cells, 6 // cells, cells, 6 // cells).mean((3, 5))
        vectors = embed(self.MAPS, reshape_strategy={3: f"avg_pool_{cells}_{cells}"})
        np.testing.assert_allclose(vectors, expected.reshape(2, -1), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize(
        "strategy",
        ["flatten", lambda x: x.reshape(2, -1), (lambda x: x.flatten(1).numpy(), "mine")],
    )
    def test_all_values(self, strategy):
        vectors = embed(self.MAPS, reshape_strategy=strategy)
        np.testing.assert_array_equal(vectors, self.MAPS.reshape(2, -1).numpy())

    def test_half_precision_becomes_float32(self):
        assert embed(torch.ones(2, 3, dtype=torch.bfloat16)).dtype == np.float32

    def test_schema_tells_length_and_strategy(self):
        collector = EmbeddingsMetricsCollector([3], {3: (torch.sin, "wave")})
        collector(None, PredictorOutput(None, {3: torch.ones(2, 8)}))
        schema = collector.column_schemas["embeddings_3"]
        assert schema.shape == (8,)
        assert "wave" in schema.description
        assert collector.start_aggregates() is None

    def test_errors(self):
        with pytest.raises(CollectorError, match=r"layers=\[3\]"):
            EmbeddingsMetricsCollector([3])(None, PredictorOutput(None))
        with pytest.raises(CollectorError, match="Predictor"):
            EmbeddingsMetricsCollector([3])(None, None)
        with pytest.raises(CollectorError, match="no reshape_strategy 'nope'"):
            EmbeddingsMetricsCollector([3], "nope")
        with pytest.raises(CollectorError, match="avg_pool needs"):
            embed(torch.ones(2, 3), reshape_strategy="avg_pool_1_1")
        with pytest.raises(CollectorError, match=r"layer 3, .*shape \(2, 5, 6, 6\)"):
            embed(self.MAPS, reshape_strategy=lambda x: x)

    def test_activations_of_a_real_model(self):
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LazyLinear(2))
        net(torch.zeros(1, 3, 8, 8))
        images = torch.randn(2, 3, 8, 8)
        columns = EmbeddingsMetricsCollector([1, 2])(None, Predictor(net, layers=[1, 2])(images))
        assert columns["embeddings_1"].shape == (2, 4)
        assert columns["embeddings_2"].shape == (2, 144)


CLASSES = {0: "background", 1: "cat", 2: "dog"}


def segment(forward, batch=None, **arguments):
    collector = SegmentationMetricsCollector(label_map=CLASSES, **arguments)
    return collector(batch, PredictorOutput(forward))


class TestSegmentation:
    TRUE = torch.tensor([[[0, 1], [1, 2]], [[0, 0], [0, 255]]])
    MAPS = torch.tensor([[[0, 1], [2, 2]], [[0, 0], [0, 1]]])

    @pytest.mark.parametrize(
        "forward",
        [
            MAPS,
            list(MAPS),
            functional.one_hot(MAPS, 3).permute(0, 3, 1, 2).float(),
            {"out": functional.one_hot(MAPS, 3).permute(0, 3, 1, 2).float()},
            SimpleNamespace(logits=functional.one_hot(MAPS, 3).permute(0, 3, 1, 2).half()),
        ],
    )
    def test_masks(self, forward):
        columns = segment(forward)
        assert set(columns) == {"predicted_mask"}
        assert [image.mode for image in columns["predicted_mask"]] == ["L", "L"]
        np.testing.assert_array_equal(np.stack(columns["predicted_mask"]), self.MAPS)

    @pytest.mark.parametrize(
        "batch",
        [
            {"mask": TRUE},
            {"label": torch.tensor([1, 2]), "labels": TRUE[:, None]},
            [0, list(TRUE)],
            {"mask": [Image.fromarray(t.numpy().astype(np.uint8)) for t in TRUE]},
        ],
    )
    def test_scores(self, batch):
        columns = segment(self.MAPS, batch)
        np.testing.assert_allclose(columns["mean_iou"], [(1 + 1 / 2 + 1 / 2) / 3, 1.0])
        np.testing.assert_allclose(columns["iou_per_class"], [[1, 0.5, 0.5], [1, np.nan, np.nan]])

    def test_batches_without_maps_have_no_scores(self):
        assert set(segment(self.MAPS, {"label": torch.tensor([1, 2])})) == {"predicted_mask"}

    def test_logits_are_resized_to_labels_and_labels_to_maps(self):
        small = functional.one_hot(self.MAPS, 3).permute(0, 3, 1, 2).float()
        true = torch.zeros(2, 8, 6, dtype=torch.long)
        assert segment(small, {"mask": true})["predicted_mask"][0].size == (6, 8)
        doubled = self.MAPS.repeat_interleave(2, 1).repeat_interleave(3, 2)
        columns = segment(self.MAPS, {"mask": doubled})
        assert columns["predicted_mask"][0].size == (2, 2)
        np.testing.assert_array_equal(columns["mean_iou"], [1.0, 1.0])

    def test_one_channel_is_one_logit(self):
        columns = segment(torch.tensor([[[[1.0, -1.0]]]]))
        assert np.asarray(columns["predicted_mask"][0]).tolist() == [[1, 0]]

    def test_wide_ids_take_sixteen_bits(self):
        columns = segment(torch.tensor([[[1, 300]]]))
        assert np.asarray(columns["predicted_mask"][0]).tolist() == [[1, 300]]

    def test_preprocessed_maps_of_different_sizes(self):
        maps = [torch.zeros(2, 3, dtype=torch.long), torch.ones(4, 5, dtype=torch.long)]
        columns = segment(None, preprocess_fn=lambda batch, output: (batch, maps))
        assert [image.size for image in columns["predicted_mask"]] == [(3, 2), (5, 4)]

    @pytest.mark.parametrize(
        ("forward", "batch", "message"),
        [
            ("text", None, "found no label maps"),
            (torch.zeros(2, 3), None, "found no label maps"),
            (MAPS, {"mask": TRUE[:1]}, "2 predicted maps, but 1"),
            (torch.full((1, 2, 2), -1), None, "ids from -1"),
        ],
    )
    def test_errors(self, forward, batch, message):
        with pytest.raises(CollectorError, match=message):
            segment(forward, batch)


@given(
    st.lists(
        st.tuples(st.lists(st.floats(-30, 30), min_size=3, max_size=3), st.integers(0, 2)),
        min_size=1,
        max_size=20,
    )
)
def test_classification_agrees_with_the_definitions(rows):
    logits = torch.tensor([row for row, _ in rows])
    columns = classify(logits, torch.tensor([label for _, label in rows]))
    for i, (_, label) in enumerate(rows):
        row = logits[i].double().tolist()
        total = sum(math.exp(z - max(row)) for z in row)
        share = [math.exp(z - max(row)) / total for z in row]
        assert columns["predicted"][i] == row.index(max(row))
        assert columns["label_prob"][i] == pytest.approx(share[label], rel=1e-4)
        assert columns["confidence"][i] == pytest.approx(max(share), rel=1e-4)
        assert columns["max_other_logit"][i] == pytest.approx(max(row[:label] + row[label + 1 :]))
        assert columns["loss"][i] == pytest.approx(-math.log(share[label]), rel=1e-3, abs=1e-5)
        assert columns["label_logit"][i] == pytest.approx(row[label])
        rest = sum(part for i, part in enumerate(share) if i != label)
        errors = [rest, *share[:label], *share[label + 1 :]]
        assert columns["el2n"][i] == pytest.approx(math.hypot(*errors), rel=1e-4, abs=1e-18)
