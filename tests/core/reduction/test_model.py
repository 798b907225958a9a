"""Fitted reducers on disk: read without executing anything, and only if undamaged."""

from __future__ import annotations

import io
import json
import os
import pickle

import numpy as np
import pytest

from tlc.errors import (
    ColumnNotFoundError,
    CorruptObjectError,
    ReducerVersionWarning,
    UnsupportedFormatError,
    UrlNotFoundError,
)
from tlc.format.manifest import digest
from tlc.reduction import (
    create_reducer,
    load_reducer,
    reduce_embeddings,
    reduce_embeddings_multiple_parameters,
)


@pytest.fixture
def folder(table):
    """Return the folder of a model."""
    return reduce_embeddings(table, "pca", seed=5).model_url.to_local_path()


def change(folder, **members):
    """Change members of the one column that the model made."""
    path = folder / "model.json"
    model = json.loads(path.read_text())
    (stored,) = model["columns"].values()
    stored.update(members)
    path.write_text(json.dumps(model))


@pytest.mark.parametrize("method", ["pacmap", "umap", "pca"])
@pytest.mark.parametrize("normalize", [False, True])
def test_a_reducer_comes_back_as_it_was_fitted(table, vectors, method, normalize):
    arguments = {} if method == "pca" else {"n_neighbors": 6}
    reduced = reduce_embeddings(
        table, method, standard_scaler_normalize=normalize, seed=3, **arguments
    )
    (schema,) = (part for name, part in reduced.rows_schema.values.items() if name != "label")
    loaded = load_reducer(reduced.model_url)
    assert loaded.method == method
    assert loaded.settings.seed == 3
    assert loaded.settings.arguments == arguments
    assert loaded.packages == schema.metadata["reduction"]["packages"]
    again = load_reducer(str(reduced.model_url), f"embedding_{method}")
    later = vectors[:9] + np.float32(0.2)
    found = loaded.transform(later)
    np.testing.assert_array_equal(again.transform(later), found)
    fresh = create_reducer(
        method, {"standard_scaler_normalize": normalize, "seed": 3, **arguments}
    ).fit(vectors)
    np.testing.assert_array_equal(fresh.transform(later), found)


def test_there_are_only_json_and_plain_arrays(folder):
    assert {path.suffix for path in folder.iterdir()} == {".json", ".npy"}
    for path in folder.glob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype.kind == "f"
    model = json.loads((folder / "model.json").read_text())
    assert model["fit_table"]["url"] == "../../../table"
    assert model["columns"]["embedding_pca"]["seed"] == 5


class Trap:
    """Something whose pickle makes a folder when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["array", "archive", "pickle", "nothing"])
def test_a_pickle_in_the_place_of_an_array_is_not_executed(folder, tmp_path, kind):
    trap, file = tmp_path / "trap", io.BytesIO()
    if kind == "array":
        np.save(file, np.array([Trap(trap)], dtype=object), allow_pickle=True)
    elif kind == "archive":
        np.savez(file, np.array([Trap(trap)], dtype=object), allow_pickle=True)
    elif kind == "pickle":
        pickle.dump(Trap(trap), file)
    (folder / "0-mean.npy").write_bytes(file.getvalue())
    arrays = json.loads((folder / "model.json").read_text())["columns"]["embedding_pca"]["arrays"]
    arrays["mean"]["digest"] = digest(file.getvalue())
    change(folder, arrays=arrays)
    with pytest.raises(CorruptObjectError, match="holds no array"):
        load_reducer(folder)
    assert not trap.exists()


def test_a_file_outside_of_the_model_is_not_read(folder):
    arrays = json.loads((folder / "model.json").read_text())["columns"]["embedding_pca"]["arrays"]
    arrays["mean"]["path"] = "../../manifest.json"
    change(folder, arrays=arrays)
    with pytest.raises(CorruptObjectError, match="a file that no model has"):
        load_reducer(folder)


def test_damage_is_noticed(folder):
    content = (folder / "0-mean.npy").read_bytes()
    (folder / "0-mean.npy").write_bytes(content[:-1] + b"x")
    with pytest.raises(CorruptObjectError, match=r"0-mean\.npy is damaged"):
        load_reducer(folder)
    (folder / "0-mean.npy").write_bytes(content)
    change(folder, seed="many")
    with pytest.raises(CorruptObjectError, match="cannot be read"):
        load_reducer(folder)


def test_an_array_of_another_shape_is_refused(folder):
    arrays = json.loads((folder / "model.json").read_text())["columns"]["embedding_pca"]["arrays"]
    arrays["mean"]["shape"] = [9]
    change(folder, arrays=arrays)
    with pytest.raises(CorruptObjectError, match="another array"):
        load_reducer(folder)


def test_what_a_newer_version_wrote_is_said_to_be_newer(folder):
    change(folder, method="hyperbolic")
    with pytest.raises(UnsupportedFormatError, match="'hyperbolic', which is not known"):
        load_reducer(folder)
    path = folder / "model.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(UnsupportedFormatError, match="version 2"):
        load_reducer(folder)


def test_another_version_of_the_package_is_warned_of(table, vectors):
    folder = reduce_embeddings(table, "pacmap").model_url.to_local_path()
    change(folder, packages={"pacmap": "0.7.3"})
    with pytest.warns(ReducerVersionWarning, match=r"fitted with pacmap 0\.7\.3, but .* install"):
        reducer = load_reducer(folder)
    assert reducer.transform(vectors).shape == (60, 2)


def test_there_must_be_a_model_and_the_column_be_clear(table, folder):
    with pytest.raises(UrlNotFoundError):
        load_reducer(folder.parent)
    with pytest.raises(ColumnNotFoundError, match="made 'embedding_pca', and it did not make 'a'"):
        load_reducer(folder, "a")
    both = reduce_embeddings_multiple_parameters(table, [{}, {"n_components": 1}], "pca")
    with pytest.raises(ColumnNotFoundError, match=r"'embedding_pca', 'embedding_pca_1'.*no column"):
        load_reducer(both.model_url)
    assert load_reducer(both.model_url, "embedding_pca_1").n_components == 1
