"""Settings of trainings with Ultralytics: values, environment, and what contradicts."""

from __future__ import annotations

import sys
from dataclasses import fields

import pytest

from tlc.errors import ConfigurationError, MissingExtraError, OptionError
from tlc.integration.ultralytics import Settings
from tlc.integration.ultralytics._package import check_version


def test_defaults_are_those_that_programs_know():
    settings = Settings()
    assert (settings.conf_thres, settings.max_det) == (0.1, 300)
    assert settings.image_embeddings_dim == 0
    assert settings.image_embeddings_reducer == "pacmap"
    assert settings.collection_epoch_start is None
    assert settings.collection_epoch_interval == 1
    assert settings.collects_at_end
    assert not settings.collects_after(1)


def test_each_setting_can_come_from_the_environment_but_functions_and_schemas():
    given = {
        "conf_thres": ("0.25", 0.25),
        "max_det": ("7", 7),
        "project_name": ("flowers", "flowers"),
        "run_name": ("none", None),
        "run_description": ("a: b", "a: b"),
        "collect_loss": ("true", True),
        "image_embeddings_dim": ("3", 3),
        "image_embeddings_reducer": ("umap", "umap"),
        "image_embeddings_reducer_args": ('{"n_neighbors": 5}', {"n_neighbors": 5}),
        "sampling_weights": ("1", True),
        "exclude_zero_weight_training": ("Yes", True),
        "exclude_zero_weight_collection": ("on", True),
        "collection_val_only": ("TRUE", True),
        "collection_disable": ("false", False),
        "collection_epoch_start": ("2", 2),
        "collection_epoch_interval": ("3", 3),
        "collection_after_training": ("no", False),
        "image_column_name": ("picture", "picture"),
        "label_column_name": ("", None),
    }
    settings = Settings.from_env({f"TLC_{k.upper()}": text for k, (text, _) in given.items()})
    assert {name: getattr(settings, name) for name in given} == {
        k: v for k, (_, v) in given.items()
    }
    functions = {"metrics_collection_function", "metrics_schemas"}
    assert functions == {each.name for each in fields(Settings)} - set(given)


def test_the_environment_of_the_process_is_read(monkeypatch):
    monkeypatch.setenv("TLC_MAX_DET", "9")
    monkeypatch.setenv("TLC_CACHE_FOLDER", "/elsewhere")  # no setting of this kind
    assert Settings.from_env() == Settings(max_det=9)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("CONF_THRES", "high", "a number"),
        ("MAX_DET", "1.5", "a whole number"),
        ("COLLECT_LOSS", "maybe", "true or false"),
        ("COLLECTION_EPOCH_START", "first", "a whole number or none"),
        ("IMAGE_EMBEDDINGS_REDUCER_ARGS", "[1]", "a JSON object"),
        ("METRICS_COLLECTION_FUNCTION", "module:name", "cannot be given"),
    ],
)
def test_a_variable_of_another_type_is_named(name, text, wanted):
    with pytest.raises(OptionError, match=f"TLC_{name}.*{wanted}"):
        Settings.from_env({f"TLC_{name}": text})


@pytest.mark.parametrize(
    "given",
    [
        {"conf_thres": 1.5},
        {"max_det": 0},
        {"image_embeddings_dim": -1},
        {"image_embeddings_reducer": "tsne"},
        {"collection_epoch_start": 0},
        {"collection_epoch_interval": 0},
    ],
    ids=str,
)
def test_impossible_values_are_refused(given):
    with pytest.raises(OptionError, match=next(iter(given))):
        Settings(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"collection_val_only": True},
        {"collection_epoch_start": 1},
        {"image_embeddings_dim": 2},
        {"metrics_collection_function": print},
    ],
    ids=str,
)
def test_nothing_can_be_said_of_a_collection_that_is_disabled(given):
    with pytest.raises(OptionError, match=f"collection_disable=True.*{next(iter(given))}"):
        Settings(collection_disable=True, **given)


def test_epochs_to_collect_after_are_counted_from_one():
    settings = Settings(collection_epoch_start=2, collection_epoch_interval=3)
    assert [epoch for epoch in range(1, 10) if settings.collects_after(epoch)] == [2, 5, 8]


def test_what_cannot_be_done_is_told_before_training():
    with pytest.raises(OptionError, match="'detect', not 'pose'"):
        Settings(collect_loss=True).check_task("pose")
    wrong = {"n_neighbours": 5}
    with pytest.raises(OptionError, match="did you mean 'n_neighbors'"):
        Settings(image_embeddings_dim=2, image_embeddings_reducer_args=wrong).check_task("detect")
    Settings(image_embeddings_reducer_args=wrong).check_task("detect")  # there are none to reduce
    Settings(
        image_embeddings_dim=2, image_embeddings_reducer=None, image_embeddings_reducer_args=wrong
    ).check_task("detect")


@pytest.mark.parametrize(("reducer", "module"), [("pacmap", "pacmap.pacmap"), ("umap", "umap")])
def test_a_reducer_that_is_not_installed_is_named_before_training(reducer, module, monkeypatch):
    for name in (reducer, module):
        monkeypatch.setitem(sys.modules, name, None)
    settings = Settings(image_embeddings_dim=2, image_embeddings_reducer=reducer)
    with pytest.raises(MissingExtraError, match=rf"{reducer}.*opentlc\[reduction\]"):
        settings.check_task("detect")


@pytest.mark.parametrize("version", ["8.3.200", "8.4.139", "8.5.0", "9.0.0rc1"])
def test_a_version_that_is_not_known_is_named_with_the_range(version):
    with pytest.raises(ConfigurationError, match=rf"{version} is installed.*8.4.140.*8.5.0"):
        check_version(version)


@pytest.mark.parametrize("version", ["8.4.140", "8.4.190", "8.4.999.dev1"])
def test_versions_of_the_range_are_taken(version):
    check_version(version)
