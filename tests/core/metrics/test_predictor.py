from __future__ import annotations

from collections import UserDict

import pytest
import torch
from torch import nn

from tlc.errors import MetricsError
from tlc.metrics import Predictor, PredictorOutput

IMAGES = torch.arange(6.0).reshape(2, 3)
LABELS = torch.tensor([0, 1])
WORDS = ["a", "b"]


class Echo(nn.Module):
    """Returns the arguments it was called with."""

    def forward(self, x):
        return {"x": x}


class Lightning(nn.Module):
    def forward(self, images, masks=None):
        return {"images": images, "masks": masks}


class Text(nn.Module):
    def forward(self, input_ids=None, attention_mask=None, labels=None, **kwargs):
        return {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "labels": labels,
            **kwargs,
        }


class Pair(nn.Module):
    def forward(self, left, right):
        return {"left": left, "right": right}


class Whole(nn.Module):
    def forward(self, batched_inputs):
        return {"batched_inputs": batched_inputs}


class AnyName(nn.Module):
    def forward(self, **inputs):
        return inputs


class Wrapper(nn.Module):
    """Names no parameter, as data-parallel wrappers do not."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)


def called_with(predictor, batch):
    return {k: v for k, v in predictor(batch).forward.items() if v is not None}


def same(found, expected):
    assert found.keys() == expected.keys()
    assert all(found[key] is expected[key] for key in found)


@pytest.mark.parametrize(
    ("model", "batch", "expected"),
    [
        (Echo(), IMAGES, {"x": IMAGES}),
        (Echo(), (IMAGES, LABELS), {"x": IMAGES}),
        (Echo(), [IMAGES, LABELS], {"x": IMAGES}),
        (Echo(), ({"image": IMAGES}, LABELS), {"x": IMAGES}),
        (Echo(), {"label": LABELS, "image": IMAGES}, {"x": IMAGES}),
        (Echo(), {"label": LABELS, "pixels": IMAGES}, {"x": IMAGES}),
        (Echo(), {"label": LABELS}, {"x": LABELS}),
        (Echo(), UserDict(image=IMAGES), {"x": IMAGES}),
        (Lightning(), {"pixel_values": IMAGES, "labels": LABELS}, {"images": IMAGES}),
        (
            Lightning(),
            {"masks": LABELS, "original_size": LABELS, "pixel_values": IMAGES},
            {"images": IMAGES, "masks": LABELS},
        ),
        (
            Text(),
            {"input_ids": IMAGES, "labels": LABELS, "mask_size": LABELS, "text": ["a", "b"]},
            {"input_ids": IMAGES, "labels": LABELS},
        ),
        (Text(), {"attention_mask": LABELS, "extra": IMAGES}, {"attention_mask": LABELS}),
        (Pair(), {"left": IMAGES, "right": LABELS}, {"left": IMAGES, "right": LABELS}),
        (AnyName(), {"a": IMAGES, "b": LABELS}, {"a": IMAGES, "b": LABELS}),
        (Wrapper(Lightning()), {"pixel_values": IMAGES, "labels": LABELS}, {"images": IMAGES}),
    ],
)
def test_batch_goes_in(model, batch, expected):
    same(called_with(Predictor(model), batch), expected)


@pytest.mark.parametrize(
    ("model", "batch", "expected"),
    [
        (Echo(), {"image": IMAGES}, {"x": IMAGES}),
        (Echo(), {"image": IMAGES, "label": LABELS}, {"x": IMAGES}),
        (Echo(), {"label": LABELS, "image": IMAGES}, {"x": IMAGES}),
        (Echo(), {"id": LABELS, "image": IMAGES}, {"x": IMAGES}),
        (Echo(), {"label": LABELS, "id": 1, "pixels": IMAGES}, {"x": IMAGES}),
        (Echo(), {"label": LABELS, "text": WORDS}, {"x": WORDS}),
        (Echo(), {"label": LABELS}, {"x": LABELS}),
        (Pair(), {"a": IMAGES, "b": LABELS}, {"left": IMAGES, "right": LABELS}),
        (Pair(), {"a": IMAGES, "left": LABELS}, {"left": LABELS, "right": IMAGES}),
    ],
)
def test_unpacked_dicts_go_in_by_name_then_in_order(model, batch, expected):
    same(called_with(Predictor(model, unpack_dicts=True), batch), expected)


def test_unpacked_lists_go_in_in_order():
    same(
        called_with(Predictor(Pair(), unpack_lists=True), [IMAGES, LABELS]),
        {"left": IMAGES, "right": LABELS},
    )


def test_lists_of_samples_and_whole_batches_go_in_as_they_are():
    samples = [{"image": IMAGES[0]}, {"image": IMAGES[1]}]
    assert len(Predictor(Echo())(samples).forward["x"]) == 2
    batch = {"image": IMAGES, "height": 3}
    assert Predictor(Whole())(batch).forward["batched_inputs"] == batch


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (IMAGES, {"left": IMAGES, "right": None}),
        ((IMAGES, LABELS), {"left": IMAGES, "right": LABELS}),
        ({"right": IMAGES, "left": LABELS}, {"left": LABELS, "right": IMAGES}),
    ],
)
def test_preprocess_says_what_the_model_gets(given, expected):
    class Optional(nn.Module):
        def forward(self, left, right=None):
            return {"left": left, "right": right}

    same(Predictor(Optional(), preprocess=lambda _: given)(None).forward, expected)


@pytest.mark.parametrize(
    ("model", "batch", "message"),
    [
        (Pair(), {"left": IMAGES}, "also needs 'right'"),
        (Echo(), {"name": "a"}, "no tensor among them"),
        (Echo(), {}, "no values"),
        (Echo(), [], "empty list"),
    ],
)
def test_batches_that_do_not_fit(model, batch, message):
    with pytest.raises(MetricsError, match=message):
        Predictor(model)(batch)


def small_net():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def test_hidden_layers_are_captured_detached_and_hooks_removed():
    net = small_net()
    output = Predictor(net, layers=[0, 2])(IMAGES)
    hidden = output.hidden_layers
    assert set(hidden) == {0, 2}
    assert torch.equal(hidden[0], output.forward)
    assert torch.equal(hidden[2], net[1](net[0](IMAGES)))
    assert not any(tensor.requires_grad for tensor in hidden.values())
    assert output.forward.requires_grad
    assert not any(module._forward_hooks for module in net.modules())


def test_hooks_are_removed_after_an_error():
    net = small_net()
    with pytest.raises(RuntimeError):
        Predictor(net, layers=[1])(torch.zeros(2, 99))
    assert not any(module._forward_hooks for module in net.modules())


def test_first_tensor_of_other_outputs_is_kept():
    class Layers(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Echo()

        def forward(self, x):
            return (None, [self.inner(x)["x"]])

    hidden = Predictor(Layers(), layers=[0, 1])(IMAGES).hidden_layers
    assert torch.equal(hidden[0], IMAGES)
    assert torch.equal(hidden[1], IMAGES)


@pytest.mark.parametrize("layer", [4, -1])
def test_unknown_layers_are_refused(layer):
    with pytest.raises(MetricsError, match=f"Layer {layer} does not exist.*0 to 3"):
        Predictor(small_net(), layers=[layer])


def test_layers_that_do_not_run_are_named():
    net = small_net()
    net.spare = nn.Identity()
    net.forward = lambda x: net[0](x)
    with pytest.raises(MetricsError, match=r"Layer 4 \('spare', Identity\)"):
        Predictor(net, layers=[4])(IMAGES)


def test_batches_move_to_the_device_of_the_model():
    class Where(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("place", torch.zeros(1, device="meta"))

        def forward(self, x, more):
            return x, more

    x, more = Predictor(Where())({"x": IMAGES, "more": [(LABELS, "text")]}).forward
    assert x.device.type == more[0][0].device.type == "meta"
    assert more[0][1] == "text"


def test_device_moves_the_model():
    net = small_net()
    predictor = Predictor(net, device="meta")
    assert {p.device.type for p in net.parameters()} == {"meta"}
    assert predictor(IMAGES).forward.device.type == "meta"


def test_other_callables_get_the_batch_as_it_is():
    batch = {"a": [1, 2]}
    assert Predictor(lambda given: given)(batch).forward is batch
    output = PredictorOutput(1)
    assert Predictor(lambda _: output)(batch) is output
    with pytest.raises(MetricsError, match="needs a torch module"):
        Predictor(lambda given: given, layers=[0])


def test_module_of_a_bound_method_is_known():
    net = small_net()
    assert Predictor(net).module is net
    assert Predictor(net.forward).module is net
    assert Predictor(len).module is None


def test_mode_and_gradients_are_left_alone():
    net = small_net().train()
    assert Predictor(net)(IMAGES).forward.requires_grad
    assert net.training
