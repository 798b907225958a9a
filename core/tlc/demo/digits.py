"""The 1,797 handwritten digits of scikit-learn as PNG files, some of them in the wrong folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.url import Url

if TYPE_CHECKING:
    import numpy as np

SEED = 7
WRONG = 0.05
VALIDATION = 0.2


def write(folder: Url | str) -> set[str]:
    """Write ``train/<digit>/`` and ``val/<digit>/`` below `folder`, once.

    Returns:
        Names of the training images that lie in the folder of another digit: 5 % of them.
    """
    import numpy as np
    from sklearn.datasets import load_digits

    data: Any = load_digits()
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(data.target))
    val, train = np.split(order, [int(len(order) * VALIDATION)])
    labels = data.target.copy()
    flipped = rng.choice(train, size=round(len(train) * WRONG), replace=False)
    labels[flipped] = (labels[flipped] + rng.integers(1, 10, size=len(flipped))) % 10
    for split, rows in (("train", train), ("val", val)):
        for row in rows:
            _write_image(Url(folder) / split / str(labels[row]) / _name(row), data.images[row])
    return {_name(row) for row in flipped}


def _name(row: Any) -> str:
    return f"digit-{int(row):04d}.png"


def _write_image(url: Url, pixels: np.ndarray) -> None:
    """Write 8 x 8 pixels with values from 0 (white) to 16 (black) as a grey image."""
    from PIL import Image

    path = url.to_local_path()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((255 - pixels * 15.9375).astype("uint8")).save(path)
