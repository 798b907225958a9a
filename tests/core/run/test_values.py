"""Parameters, inputs and logged values: what goes in comes out, also after reopening."""

from __future__ import annotations

import argparse
import enum
import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tlc
from tlc.errors import MetricsError, RunStateError


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class MyInt(int):
    pass


class MyStr(str):
    __slots__ = ()


class MyFloat(float):
    pass


class Unspeakable:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.fixture
def reopened(run):
    """Returns the run as another process would see it."""
    return lambda: tlc.Run.from_url(run.url)


def same(left, right):
    """Whether two values are equal, NaN and the types of numbers included."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and list(left) == list(right)
            and all(same(left[k], right[k]) for k in left)
        )
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(same(a, b) for a, b in zip(left, right, strict=True))
        )
    if isinstance(left, float) and math.isnan(left):
        return isinstance(right, float) and math.isnan(right)
    return type(left) is type(right) and repr(left) == repr(right)


def test_parameters_merge(run, reopened):
    run.set_parameters({"lr": 0.1, "layers": [1, 2]})
    run.set_parameters({"lr": 0.2, "new": None})
    assert run.parameters == {"lr": 0.2, "layers": [1, 2], "new": None}
    assert reopened().parameters == run.parameters
    assert reopened().constants["parameters"] == run.parameters


def test_a_nested_parameter_is_replaced_as_a_whole(run):
    run.set_parameters({"optimizer": {"name": "sgd", "momentum": 0.9}})
    run.set_parameters({"optimizer": {"name": "adam"}})
    assert run.parameters == {"optimizer": {"name": "adam"}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.float64("nan"), math.nan),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([1.0, np.nan, -np.inf]), [1.0, math.nan, -math.inf]),
        (torch.tensor(1.5), 1.5),
        (torch.tensor(1.5, dtype=torch.bfloat16, requires_grad=True), 1.5),
        (torch.tensor([1, 2]), [1, 2]),
        ((1, 2), [1, 2]),
        ({3}, [3]),
        (Path("/data/x.txt"), "/data/x.txt"),
        (tlc.Url("/data/x.txt"), "/data/x.txt"),
        (MyInt(3), 3),
        (MyStr("text"), "text"),
        (MyFloat(0.5), 0.5),
        (Level.HIGH, 3),
        (Color.RED, "<Color.RED: 1>"),
        (2**70, 2**70),
        (-(2**63), -(2**63)),
        (2**64 - 1, 2**64 - 1),
        (5e-324, 5e-324),
        (1e22, 1e22),
        (-0.0, -0.0),
        (1.0, 1.0),
        ("\ud800", "\\ud800"),
        (Path("a\udcff"), "a\\udcff"),
        (b"bytes", "b'bytes'"),
        (1 + 2j, "(1+2j)"),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        ({"\ud800": 1}, {"\\ud800": 1}),
        ({"$float": "abc"}, {"$float": "abc"}),
        ({"$float": "nan"}, {"$float": "nan"}),
        ({"$$float": math.inf}, {"$$float": math.inf}),
        ({"$": {"$float": math.nan}}, {"$": {"$float": math.nan}}),
        (np.float32, "<class 'numpy.float32'>"),
        (torch.Tensor, "<class 'torch.Tensor'>"),
        (torch.float16, "torch.float16"),
        (math.sqrt, "<built-in function sqrt>"),
    ],
    ids=repr,
)
def test_each_kind_of_value(run, reopened, value, expected):
    run.set_parameters({"value": value, "nested": {"in": [value]}})
    wanted = {"value": expected, "nested": {"in": [expected]}}
    assert same(run.parameters, wanted)
    assert same(reopened().parameters, wanted)


@pytest.mark.parametrize(
    "value",
    [
        lambda x: x,
        object(),
        tlc.schemas.ImageSchema(),
        tlc.Schema(values={"a": tlc.schemas.Float32Schema()}),
        Unspeakable(),
        torch.nn.Linear(1, 1),
        torch.tensor(1.0, device="meta"),
        np.array([object(), 1]),
        np.datetime64("2020-01-01"),
        argparse.Namespace(a=1),
        10**5000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_settings_object_holds_is_kept_in_some_form(run, reopened, value):
    run.set_parameters({"value": value, "other": 1})
    assert reopened().parameters["other"] == 1
    assert "value" in reopened().parameters
    json.dumps(reopened().parameters)


def test_values_that_hold_themselves(run, reopened):
    loop = {"name": "loop"}
    loop["self"] = loop
    loop["list"] = [loop, [loop]]
    shared = [1]
    run.set_parameters({"loop": loop, "twice": [shared, shared]})
    assert reopened().parameters["loop"]["name"] == "loop"
    assert isinstance(reopened().parameters["loop"]["self"], str)
    assert reopened().parameters["twice"] == [[1], [1]]


def test_deep_values(run, reopened):
    deep = bottom = []
    for _ in range(5000):
        bottom.append([])
        bottom = bottom[0]
    run.set_parameters({"deep": deep, "other": 1})
    assert reopened().parameters["other"] == 1


@pytest.mark.parametrize("value", [None, 3, "text", [1], [("a", 1)], argparse.Namespace(a=1)])
@pytest.mark.parametrize("method", ["set_parameters", "log", "add_output_value", "add_input_value"])
def test_what_is_no_dict_is_refused_and_does_no_harm(run, reopened, method, value):
    with pytest.raises(MetricsError, match=type(value).__name__):
        getattr(run, method)(value)
    run.set_parameters({"a": 1})
    assert reopened().parameters == {"a": 1}
    assert reopened().constants["outputs"] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.dictionaries(PLAIN_TEXT | st.just("$float"), JSON, max_size=5),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_json_values_are_equal_after_reopening(tmp_path, parameters):
    run = tlc.init(run_url=tmp_path / "run", if_exists="overwrite")
    run.set_parameters(parameters)
    run.log(parameters)
    again = tlc.Run.from_url(run.url)
    assert same(again.parameters, parameters)
    assert same(again.constants["outputs"], [parameters])


def test_changing_what_was_returned_changes_nothing(run):
    run.set_parameters({"nested": {"list": [1]}})
    run.log({"values": [1]})
    run.add_metrics({"loss": [1.0]})
    run.parameters["nested"]["list"].append(2)
    run.constants["outputs"][0]["values"].append(2)
    run.metrics[0]["url"] = "elsewhere"
    assert run.parameters == {"nested": {"list": [1]}}
    assert run.constants["outputs"] == [{"values": [1]}]
    assert run.metrics[0]["url"] == "metrics/metrics_0000"


def test_changing_what_was_given_changes_nothing(run):
    values = {"list": [1]}
    run.set_parameters(values)
    values["list"].append(2)
    assert run.parameters == {"list": [1]}


class TestLog:
    def test_in_order_with_and_without_an_axis(self, run, reopened):
        logged = [
            {"epoch": 0, "loss": 1.0},
            {"step": 10, "lr": 0.1},
            {"iteration": 3, "lr": 0.1},
            {"accuracy": 0.5},
            {},
            {"epoch": 1, "loss": math.nan},
            {"epoch": 0, "loss": 1.0},
        ]
        for values in logged:
            tlc.log(values)
        assert same(run.constants["outputs"], logged)
        assert same(reopened().constants["outputs"], logged)

    def test_the_older_name(self, run):
        run.add_output_value({"a": 1})
        assert run.constants["outputs"] == [{"a": 1}]

    def test_to_a_given_run(self, run):
        active = tlc.init("project", "active")
        tlc.log({"a": 1}, run=run)
        tlc.log({"b": 1}, run)
        assert run.constants["outputs"] == [{"a": 1}, {"b": 1}]
        assert active.constants["outputs"] == []

    def test_without_a_run(self):
        with pytest.raises(RunStateError, match=r"no active run.*Hint: .*tlc\.init"):
            tlc.log({"a": 1})

    def test_from_threads(self, run, reopened):
        start = threading.Barrier(8)

        def work(writer):
            start.wait()
            for number in range(25):
                tlc.log({"writer": writer, "number": number})

        threads = [threading.Thread(target=work, args=(writer,)) for writer in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outputs = reopened().constants["outputs"]
        assert len(outputs) == 200
        for writer in range(8):
            numbers = [o["number"] for o in outputs if o["writer"] == writer]
            assert numbers == list(range(25))


class TestDescription:
    def test_change(self, run, reopened):
        run.description = "new"
        assert run.description == "new"
        assert reopened().description == "new"
        run.description = ""
        assert reopened().description == ""


class TestInputs:
    def test_tables(self, run, table, reopened):
        run.add_input_table(table)
        run.add_input_table(table.url)
        run.add_input_table(table.url.to_str())
        run.add_input_table(table.with_transform(len))
        other = table.add_column("x", [1] * 5)
        run.add_input_table(other)
        assert run.input_tables == [table.url, other.url]
        assert reopened().input_tables == [table.url, other.url]
        entry = run.constants["inputs"][0]
        assert tlc.Url(entry["input_table_url"]).to_absolute(run.url) == table.url
        assert entry["input_table_url"].startswith("../")

    def test_values(self, run, table):
        run.add_input_value({"file": Path("/x")})
        run.add_input_table(table)
        assert run.constants["inputs"][0] == {"file": "/x"}
        assert run.input_tables == [table.url]

    def test_no_table(self, run, tmp_path):
        with pytest.raises(FileNotFoundError):
            run.add_input_table(tmp_path / "nothing")
        with pytest.raises(ValueError, match="is a run, not a table"):
            run.add_input_table(run.url)
        assert run.input_tables == []
