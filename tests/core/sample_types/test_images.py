import contextlib
import gc
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

import tlc.url
from tlc.errors import ImageReadError, SchemaError
from tlc.sample_types import EncodedSample, JpegImageSampleType, PilJpegSampleType
from tlc.schemas import ImageSchema
from tlc.testing.sample_type_contract import FolderContext
from tlc.url import Url

FORMATS = {"pil_png": "PNG", "pil_jpeg": "JPEG", "pil_webp": "WEBP"}


@pytest.fixture
def context(tmp_path):
    return FolderContext(tmp_path / "bulk_data")


def write(image, context, sample_type="pil_png"):
    return ImageSchema(sample_type).to_row(image, context)


def read(row, sample_type="pil_png"):
    return ImageSchema(sample_type).from_row(row)


def saved(folder, name="a.png", size=(4, 3)):
    path = folder / name
    Image.new("RGB", size, (1, 2, 3)).save(path)
    return path


@pytest.mark.parametrize(("sample_type", "format"), FORMATS.items())
def test_an_image_without_file_is_encoded(context, sample_type, format):
    row = write(Image.new("RGB", (4, 3)), context, sample_type)
    assert Path(row).parent == Path(context.folder.to_str())
    with Image.open(row) as image:
        assert (image.format, image.size) == (format, (4, 3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), size=st.tuples(st.integers(1, 9), st.integers(1, 9)))
@pytest.mark.parametrize("sample_type", ["pil_png", "pil_webp"])
def test_pixels_come_back(context, sample_type, data, size):
    modes = ["RGB", "RGBA"] + (["1", "L", "LA", "P", "I;16"] if sample_type == "pil_png" else [])
    mode = data.draw(st.sampled_from(modes))
    length = len(Image.new(mode, size).tobytes())
    image = Image.frombytes(mode, size, data.draw(st.binary(min_size=length, max_size=length)))
    if mode == "P":
        image.putpalette(list(range(256)) * 3)
    back = read(write(image, context, sample_type), sample_type)
    if sample_type == "pil_webp" and back.mode != mode:
        assert image.getchannel("A").getextrema() == (255, 255)
        back = back.convert(mode)
    assert (back.mode, back.tobytes()) == (image.mode, image.tobytes())


@pytest.mark.parametrize("sample_type", FORMATS)
def test_an_image_with_a_file_is_referenced(tmp_path, context, sample_type):
    path = saved(tmp_path, "a.bmp")
    with Image.open(path) as image:
        assert write(image, context, sample_type) == str(path)
        image.load()
        assert write(image, context, sample_type) == str(path)
    assert not Path(context.folder.to_str()).exists()


def test_a_relative_file_name_becomes_absolute(tmp_path, context, monkeypatch):
    saved(tmp_path)
    monkeypatch.chdir(tmp_path)
    with Image.open("a.png") as image:
        assert write(image, context) == str(tmp_path / "a.png")


def test_what_was_read_is_referenced_again(tmp_path, context):
    row = str(saved(tmp_path))
    image = read(row)
    assert image.filename == image._tlc_url == row
    assert write(image, context) == row


def test_an_alias_in_the_row_is_kept(tmp_path, context, monkeypatch):
    saved(tmp_path)
    tlc.url.register_url_alias("IMAGES_OF_TEST", str(tmp_path))
    try:
        image = read("<IMAGES_OF_TEST>/a.png")
        assert image.filename == str(tmp_path / "a.png")
        assert write(image, context) == "<IMAGES_OF_TEST>/a.png"
        assert write(tmp_path / "a.png", context) == "<IMAGES_OF_TEST>/a.png"
        assert write(str(tmp_path / "a.png"), context) == str(tmp_path / "a.png")
    finally:
        tlc.url.unregister_url_alias("IMAGES_OF_TEST")


@pytest.mark.parametrize(
    "change",
    [Image.Image.copy, lambda i: i.resize((2, 2)), lambda i: i.convert("L"), lambda i: i.rotate(9)],
)
def test_a_computed_image_is_written(tmp_path, context, change):
    row = str(saved(tmp_path))
    for image in (read(row), Image.open(row)):
        changed = change(image)
        again = write(changed, context)
        assert again != row
        assert read(again).tobytes() == changed.tobytes()
        image.close()


def test_a_later_frame_is_written(tmp_path, context):
    path = tmp_path / "a.gif"
    frames = [Image.new("L", (4, 4), grey) for grey in (0, 255)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with Image.open(path) as image:
        assert write(image, context) == str(path)
        image.seek(1)
        row = write(image, context)
        assert row != str(path)
        assert read(row).convert("L").getpixel((0, 0)) == 255
    animation = read(str(path))
    animation.seek(1)
    assert animation.convert("L").getpixel((0, 0)) == 255


def test_an_image_whose_file_is_gone_is_written(tmp_path, context):
    path = saved(tmp_path)
    with Image.open(path) as image:
        image.load()
    path.unlink()
    assert Path(write(image, context)).exists()


def test_an_image_opened_from_bytes_is_written(tmp_path, context):
    with saved(tmp_path).open("rb") as file:
        image = Image.open(file)
        image.load()
    image.filename = ""
    assert Path(write(image, context)).parent.name == "bulk_data"


@pytest.mark.parametrize("kind", [str, Path, Url])
def test_references_are_kept(tmp_path, context, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write(kind("/data/missing.png"), context) == "/data/missing.png"
    assert write(kind("missing.png"), context) == str(tmp_path / "missing.png")


def test_encoded_samples_are_written_as_they_are(context):
    row = write(EncodedSample(b"not an image", ".tiff"), context)
    assert (Path(row).suffix, Path(row).read_bytes()) == (".tiff", b"not an image")
    row = write(bytearray(b"raw"), context, "pil_jpeg")
    assert (Path(row).suffix, Path(row).read_bytes()) == (".jpg", b"raw")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
@pytest.mark.parametrize("orientation", range(10))
def test_images_are_upright(tmp_path, context, orientation):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5)
    stored.save(path, exif=exif)
    with Image.open(path) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image))
    found = read(str(path))
    np.testing.assert_array_equal(np.asarray(found), wanted)
    np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(found)), wanted)
    assert write(found, context) == str(path)


@pytest.mark.filterwarnings("ignore")
def test_damaged_exif_data_do_not_stand_in_the_way(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 6)).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read(str(path)).size == (8, 6)


def test_no_file_stays_open(tmp_path):
    rows = [str(saved(tmp_path, f"{i}.{end}")) for i in range(20) for end in ("png", "bmp", "tif")]
    before = len(os.listdir("/proc/self/fd"))
    images = [read(row) for row in rows]
    assert len(os.listdir("/proc/self/fd")) == before
    del images
    gc.collect()  # a file left open would warn here, and warnings are errors


def test_pixels_are_loaded(tmp_path):
    path = saved(tmp_path)
    image = read(str(path))
    path.unlink()
    assert image.getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kept", [0, 1, 8, 40, 60])
@pytest.mark.parametrize("end", ["png", "jpg", "webp", "gif", "bmp", "tif"])
def test_a_damaged_image_is_named(tmp_path, end, kept):
    path = saved(tmp_path, f"a.{end}", (40, 40))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ImageReadError, match=str(path)):
        read(str(path))


@pytest.mark.filterwarnings("ignore")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), end=st.sampled_from(["png", "jpg", "webp", "gif", "bmp", "tif"]))
def test_noise_in_a_file_is_an_image_or_a_named_error(tmp_path, data, end):
    content = bytearray(saved(tmp_path, f"a.{end}", (9, 9)).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / f"a.{end}").write_bytes(content)
    with contextlib.suppress(ImageReadError):
        assert read(str(tmp_path / f"a.{end}")).tobytes()


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(ImageReadError, match="Hint"):
        read(str(tmp_path / "missing.png"))


@pytest.mark.parametrize(("sample_type", "mode"), [("pil_jpeg", "RGBA"), ("pil_png", "F")])
def test_a_mode_that_the_format_lacks_is_refused(context, sample_type, mode):
    with pytest.raises(SchemaError, match=f"mode {mode}.*convert"):
        write(Image.new(mode, (2, 2)), context, sample_type)
    assert not Path(context.folder.to_str()).exists()


def test_names_of_the_jpeg_type():
    assert JpegImageSampleType is PilJpegSampleType
