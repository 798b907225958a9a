"""What runs and stores notebooks: a notebook that fails, prints noise or uses the network."""

from __future__ import annotations

import base64
import io

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import v4
from notebooks.execution import FULL, execute
from notebooks.results import results
from notebooks.storing import NOTEBOOK_BYTES, PICTURE_BYTES, faults, scrub, write
from PIL import Image
from tests.notebooks.expected import is_met

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # of sockets of zmq


def notebook(*sources):
    return v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])


def with_output(**data):
    made = notebook("x")
    made.cells[0].outputs = [v4.new_output("display_data", data=data)]
    return made


def with_text(text, name="stdout"):
    made = notebook("x")
    made.cells[0].outputs = [v4.new_output("stream", text=text, name=name)]
    return made


def test_a_notebook_runs_where_it_is_told(tmp_path):
    made = notebook(
        "import os, tlc\nprint(os.getcwd())",
        "table = tlc.Table.from_dict({'x': [1]}, project_name='p')\nprint(table.url)\ntable",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
    )
    execute(made, tmp_path)
    assert (tmp_path / "projects" / "p" / "datasets").is_dir()
    assert made.cells[0].outputs[0].text == f"{tmp_path}\n"
    assert "image/png" in made.cells[2].outputs[0].data
    assert any("machine" in fault for fault in faults(made))
    scrub(made, tmp_path)
    assert made.cells[1].outputs[0].text.startswith("projects/p/datasets/")
    assert str(tmp_path) not in nbformat.writes(made).replace(f"{tmp_path}\\n", "")
    write(made, tmp_path / "kept.ipynb")
    assert nbformat.read(tmp_path / "kept.ipynb", 4) == made


@pytest.mark.parametrize(
    "call", ["getaddrinfo('example.org', 443)", "socket().connect(('192.0.2.1', 80))"]
)
def test_the_network_is_off(tmp_path, call):
    with pytest.raises(CellExecutionError, match="The network is off here"):
        execute(notebook(f"import socket\nsocket.{call}"), tmp_path)


@pytest.mark.parametrize(("value", "is_off"), [("1", "False"), ("0", "True"), (None, "True")])
def test_the_network_is_on_for_the_full_data_only(tmp_path, monkeypatch, value, is_off):
    if value is not None:
        monkeypatch.setenv(FULL, value)
    made = notebook("import sys\n'notebooks.offline' in sys.modules")
    execute(made, tmp_path)
    assert made.cells[0].outputs[0].data["text/plain"] == is_off


def test_a_claim_that_does_not_hold_fails(tmp_path):
    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(notebook("assert 1 == 2"), tmp_path)


def test_a_cell_that_takes_too_long_fails(tmp_path):
    with pytest.raises(CellTimeoutError):
        execute(notebook("while True: pass"), tmp_path, cell_timeout=1)


@pytest.mark.parametrize(
    "text",
    [
        "/tmp/abc/projects",
        "see /home/me/x",
        "C:\\Data\\x",
        "FutureWarning: no",
        "Traceback (most recent call last)",
        " 50%|#####     | 1/2",
        "10/10 [00:01<00:00, 9.3it/s]",
        "a\rb",
        "<object at 0x7f0011223344>",
    ],
)
def test_noise_is_noticed(text):
    assert len(faults(with_text(text))) >= 1
    assert len(faults(with_output(**{"text/html": text}))) >= 1


@pytest.mark.parametrize(
    "text",
    ["accuracy 50%", "projects/p/datasets/x", "https://host/tmp/x", "1/2 and 3/4\n", "train/home"],
)
def test_plain_text_is_no_noise(text):
    assert faults(with_text(text)) == []


def test_what_goes_to_the_error_stream_is_noise():
    assert faults(with_text("well", "stderr")) == ["cell 0: an error or a warning"]


def test_an_error_that_a_cell_was_allowed_is_noise():
    made = notebook("1 / 0")
    made.cells[0].outputs = [v4.new_output("error", ename="E", evalue="e", traceback=["1 / 0"])]
    assert faults(made) == ["cell 0: an error or a warning"]


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_pictures_are_made_small_and_stay_the_same_to_the_eye(tmp_path):
    smooth = np.linspace(0, 240, 300 * 300).astype("uint8").reshape(300, 300)
    grain = np.random.default_rng(0).integers(0, 8, (300, 300, 3)).astype("uint8")
    pixels = np.stack([smooth, smooth.T, np.full_like(smooth, 90)], axis=2) + grain
    made = with_output(**{"image/png": png(pixels)})
    before = len(made.cells[0].outputs[0].data["image/png"])
    scrub(made, tmp_path)
    kept = made.cells[0].outputs[0].data["image/png"]
    assert len(kept) < before / 2
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(kept))).convert("RGB"), int)
    assert np.abs(shown - pixels).mean() < 8


def test_a_notebook_that_is_large_is_noticed():
    (fault,) = faults(with_text("x" * NOTEBOOK_BYTES))
    assert f"at most {NOTEBOOK_BYTES} wanted" in fault


def test_of_metadata_tags_are_kept_only(tmp_path):
    made = with_text("well")
    made.cells[0].metadata.update(tags=["results"], execution={"iopub.status.busy": "2026"})
    scrub(made, tmp_path)
    assert made.cells[0].metadata == {"tags": ["results"]}


def test_a_picture_is_kept_once(tmp_path):
    made = with_output(**{"image/png": png(np.zeros((2, 2, 3), "uint8")), "image/jpeg": "same"})
    scrub(made, tmp_path)
    assert list(made.cells[0].outputs[0].data) == ["image/png"]


def test_a_picture_that_is_large_is_noticed():
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype("uint8")
    (fault,) = faults(with_output(**{"image/png": png(noise)}))
    assert f"{PICTURE_BYTES} wanted" in fault


def test_results_are_the_dict_of_the_tagged_cell():
    made = with_output(**{"text/plain": "{'rows': 5,\n 'share': 0.5}"})
    with pytest.raises(ValueError, match="One cell"):
        results(made)
    made.cells[0].metadata.tags = ["results"]
    assert results(made) == {"rows": 5, "share": 0.5}
    made.cells[0].outputs[0].data["text/plain"] = "5"
    with pytest.raises(ValueError, match="no dict"):
        results(made)


def test_a_result_is_met_by_its_value_or_within_its_range():
    assert is_met(5, 5)
    assert is_met(0.5, (0.4, 0.5))
    assert not is_met(0.6, (0.4, 0.5))
    assert not is_met(4, 5)
    assert is_met({"a": 0.5, "b": 1}, {"a": (0.4, 0.6), "b": 1})
    assert not is_met({"a": 0.7, "b": 1}, {"a": (0.4, 0.6), "b": 1})
    assert not is_met({"a": 0.5}, {"a": (0.4, 0.6), "b": 1})
