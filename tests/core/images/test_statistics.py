import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from sklearn.datasets import load_digits

import tlc
from tlc.errors import ColumnError, ColumnNotFoundError, ImageReadError, OptionError, TlcWarning
from tlc.images import image_statistics, pixel_statistics
from tlc.schemas import ImageSchema

NAMES = ["brightness", "contrast", "sharpness", "colourfulness"]


def table_of(paths):
    return tlc.Table.from_dict(
        {"image": [path if path is None else str(path) for path in paths]},
        schema={"image": ImageSchema()},
    )


def laplacian(grey):
    """Return the Laplacian pixel by pixel."""
    height, width = grey.shape
    return [
        grey[y - 1, x] + grey[y + 1, x] + grey[y, x - 1] + grey[y, x + 1] - 4 * grey[y, x]
        for y in range(1, height - 1)
        for x in range(1, width - 1)
    ]


def colourfulness(color):
    red, green, blue = np.moveaxis(color.astype(np.float64), 2, 0)
    first, second = red - green, (red + green) / 2 - blue
    spread = math.hypot(first.std(), second.std())
    return spread + 0.3 * math.hypot(first.mean(), second.mean())


def check_grey(found, grey):
    wide = np.asarray(grey, np.float64)
    assert math.isclose(found.brightness, wide.mean(), rel_tol=1e-6, abs_tol=1e-9)
    assert math.isclose(found.contrast, wide.std(), rel_tol=1e-6, abs_tol=1e-4)
    edges = laplacian(wide)
    if edges:
        assert math.isclose(found.sharpness, np.var(edges), rel_tol=1e-5, abs_tol=1e-3)
    else:
        assert math.isnan(found.sharpness)


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_grey_images(pixels):
    found = pixel_statistics(Image.fromarray(pixels))
    check_grey(found, pixels)
    assert found.colourfulness == 0


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_colour_images(pixels):
    found = pixel_statistics(Image.fromarray(pixels))
    exact = pixels @ np.array([0.299, 0.587, 0.114])
    assert abs(found.brightness - exact.mean()) <= 0.51  # Pillow rounds the luma
    check_grey(found, np.asarray(Image.fromarray(pixels).convert("L")))
    assert math.isclose(found.colourfulness, colourfulness(pixels), rel_tol=1e-5, abs_tol=1e-3)


@pytest.mark.parametrize("shape", [(700, 300), (3, 90000), (90000, 3)])
def test_images_of_many_strips(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    found = pixel_statistics(Image.fromarray(pixels))
    grey = np.asarray(Image.fromarray(pixels).convert("L")).astype(np.float64)
    edges = (
        grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    )
    assert math.isclose(found.sharpness, edges.var(), rel_tol=1e-6)
    assert math.isclose(found.contrast, grey.std(), rel_tol=1e-9)
    assert math.isclose(found.colourfulness, colourfulness(pixels), rel_tol=1e-6)


PIXELS = np.random.default_rng(1).integers(0, 256, (12, 17, 3)).astype(np.uint8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_modes_of_8_bits_are_what_pillow_shows(mode):
    image = Image.fromarray(PIXELS).convert(mode)
    found = pixel_statistics(image)
    grey = image.convert("L") if mode in ("1", "L", "LA") else image.convert("RGB").convert("L")
    check_grey(found, grey)
    if mode in ("1", "L", "LA"):
        assert found.colourfulness == 0
    else:
        wanted = colourfulness(np.asarray(image.convert("RGB")))
        assert math.isclose(found.colourfulness, wanted, rel_tol=1e-5)


def test_palettes_with_transparency_and_premultiplied_grey():
    palette = Image.fromarray(PIXELS).convert("P")
    palette.info["transparency"] = bytes(range(256))
    wanted = pixel_statistics(Image.fromarray(PIXELS).convert("P"))
    assert pixel_statistics(palette) == wanted
    grey = Image.fromarray(PIXELS).convert("LA")
    assert pixel_statistics(grey.convert("La")).brightness == pixel_statistics(grey).brightness


@pytest.mark.parametrize("mode", ["I;16", "I"])
def test_16_bits_are_scaled_to_8(mode):
    grey = np.asarray(Image.fromarray(PIXELS).convert("L"))
    wide = Image.fromarray(grey.astype(np.uint16) * 257)
    check_grey(pixel_statistics(wide if mode == "I;16" else wide.convert("I")), grey)


def test_floats_are_taken_as_they_are():
    grey = PIXELS[:, :, 0].astype(np.float32)
    check_grey(pixel_statistics(Image.fromarray(grey)), grey)
    grey[0, 0] = np.nan
    found = pixel_statistics(Image.fromarray(grey))
    assert np.isnan([found.brightness, found.contrast]).all()
    assert math.isfinite(found.sharpness)  # a corner has no Laplacian
    grey[1, 1] = np.nan
    assert math.isnan(pixel_statistics(Image.fromarray(grey)).sharpness)


# Tables


@pytest.fixture
def digits(tmp_path):
    images = (load_digits().images[:20] * 15).astype(np.uint8)
    paths = [tmp_path / f"{number}.png" for number in range(20)]
    for path, pixels in zip(paths, images, strict=True):
        Image.fromarray(pixels).resize((32, 24)).save(path)
    return paths


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_each_row_has_the_statistics_of_its_image(digits, threads):
    scores = image_statistics(table_of(digits), threads=threads)
    for row, path in enumerate(digits):
        wanted = pixel_statistics(Image.open(path))
        assert tuple(scores[name][row] for name in NAMES) == wanted
        assert scores["file_size"][row] == path.stat().st_size
    assert set(scores["width"]) == {32}
    assert set(scores["height"]) == {24}
    assert np.allclose(scores["aspect_ratio"], 4 / 3)
    revision = scores.add_to_table()
    assert revision.table_rows[3]["sharpness"] == scores["sharpness"][3]


def test_a_blurred_image_is_less_sharp_and_a_dark_one_less_bright(tmp_path):
    sharp = Image.fromarray(PIXELS).resize((170, 120), Image.Resampling.NEAREST)
    blurred = sharp.resize((17, 12)).resize((170, 120), Image.Resampling.BICUBIC)
    dark = sharp.point(lambda value: value // 4)
    for name, image in {"sharp": sharp, "blurred": blurred, "dark": dark}.items():
        image.save(tmp_path / f"{name}.png")
    table = table_of([tmp_path / f"{name}.png" for name in ("sharp", "blurred", "dark")])
    scores = image_statistics(table)
    assert scores["sharpness"][0] > 10 * scores["sharpness"][1]
    assert np.isclose(scores["brightness"][2], scores["brightness"][0] / 4, atol=1)


def test_images_are_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(tmp_path / "turned.jpg", exif=exif)
    scores = image_statistics(table_of([tmp_path / "turned.jpg"]))
    assert (scores["width"][0], scores["height"][0]) == (12, 17)


def test_images_of_other_stores(digits):
    urls = [tlc.Url(f"memory://bucket/{path.name}") for path in digits[:3]]
    for url, path in zip(urls, digits, strict=False):
        url.write_bytes(path.read_bytes())
    there = image_statistics(table_of(urls))
    here = image_statistics(table_of(digits[:3]))
    for name in there:
        assert (there[name] == here[name]).all()


def test_broken_and_missing_images_have_nan_and_are_counted(digits, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(digits[0].read_bytes()[:60])
    table = table_of([digits[0], broken, None, tmp_path / "none.png", digits[1], tmp_path / "x"])
    told = r"4 of 6 images .* rows 1, 2, 3, \.\.\.\. The first: .*broken\.png"
    with pytest.warns(TlcWarning, match=told):
        scores = image_statistics(table)
    for name in scores:
        assert np.isnan(scores[name]).tolist() == [False, True, True, True, False, True]
    with pytest.raises(ImageReadError, match=r"broken\.png") as caught:
        image_statistics(table, on_error="raise")
    assert "row 1" in caught.value.__notes__[0]


def test_the_column_can_be_named(digits):
    table = tlc.Table.from_dict({"path": [str(path) for path in digits], "n": range(20)})
    with pytest.raises(ColumnNotFoundError, match="no column of images"):
        image_statistics(table)
    assert image_statistics(table, "path")["width"][0] == 32
    with pytest.raises(ColumnNotFoundError, match="'picture'"):
        image_statistics(table, "picture")
    with pytest.raises(ColumnError, match=r"'n' .* no urls"):
        image_statistics(table, "n")


def test_options_are_checked(digits):
    with pytest.raises(OptionError, match="on_error is 'skip'"):
        image_statistics(table_of(digits), on_error="skip")
    with pytest.raises(OptionError, match="threads is 0"):
        image_statistics(table_of(digits), threads=0)
