"""Files of cells whose names tell their content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tlc
from tlc.errors import CellError, ImageReadError, SchemaError
from tlc.sample_types.content import damage, name_end
from tlc.schemas import ExternalNumpyArraySchema, ImageSchema
from tlc.url import Url

COLUMNS = {
    "png": (ImageSchema(sample_type="pil_png"), Image.new("RGB", (8, 8), (9, 8, 7))),
    "jpeg": (ImageSchema(sample_type="pil_jpeg"), Image.new("RGB", (8, 8), (9, 8, 7))),
    "webp": (ImageSchema(sample_type="pil_webp"), Image.new("RGB", (8, 8), (9, 8, 7))),
    "array": (ExternalNumpyArraySchema(), np.arange(64.0)),
    "bytes": (ImageSchema(), b"not an image, but written as it is"),
}


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "bytes"])
def test_a_changed_byte_is_noticed(name):
    schema, value = COLUMNS[name]
    table = tlc.Table.from_dict({name: [value]}, {name: schema})
    path = Path(table.table_rows[0][name])
    good = path.read_bytes()
    for position in range(0, len(good), 7):
        path.write_bytes(good[:position] + bytes([good[position] ^ 16]) + good[position + 1 :])
        with pytest.raises((ImageReadError, CellError), match="checksum in its name") as caught:
            table[0]
        assert str(path) in str(caught.value)
    path.write_bytes(good)
    assert np.array_equal(np.asarray(table[0][name]).shape, np.asarray(value).shape)


def test_what_is_encoded_already_has_a_checksum_too():
    schema, value = COLUMNS["bytes"]
    table = tlc.Table.from_dict({"bytes": [value]}, {"bytes": schema})
    url = Url(table.table_rows[0]["bytes"])
    assert url.name.endswith(name_end(value, ".png"))
    assert damage(url, value) == ""
    assert "does not fit its 3 bytes" in damage(url, b"abc")


def test_files_of_others_may_have_any_name(tmp_path):
    path = tmp_path / "photo-0000001-00000000.png"
    Image.new("L", (2, 2)).save(path)
    assert tlc.Table.from_dict({"i": [str(path)]}, {"i": ImageSchema()})[0]["i"].size == (2, 2)


def test_what_cannot_be_encoded_leaves_no_file(tmp_path):
    with pytest.raises((CellError, SchemaError)):
        tlc.Table.from_dict(
            {"array": [np.array([object()])]}, {"array": ExternalNumpyArraySchema()}
        )
    assert list(tmp_path.rglob("*.npy")) == []
