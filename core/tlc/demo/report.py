"""What the demo found, as text and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tlc.dynamics import Suggestions
    from tlc.run import Run
    from tlc.table import Table
    from tlc.url import Url

_TILE, _CAPTION, _COLUMNS, _SHOWN = 72, 30, 8, 40


@dataclass(frozen=True)
class Outcome:
    """All that the report tells."""

    train: Table
    repaired: Table
    val: Table
    before: Run
    after: Run
    suspects: Suggestions
    flipped: set[str]
    sheet: Url

    @property
    def hits(self) -> int:
        """Number of suspects whose label is wrong indeed."""
        rows = self.train.table_rows
        names = [rows[int(row)]["image"].rpartition("/")[2] for row in self.suspects.rows]
        return sum(name in self.flipped for name in names)

    @property
    def precision(self) -> float:
        """Share of the suspects whose label is wrong indeed."""
        return self.hits / max(1, len(self.suspects))

    @property
    def recall(self) -> float:
        """Share of the wrong labels that are among the suspects."""
        return self.hits / len(self.flipped)


def accuracy(run: Run, val: Table) -> float:
    """Return the accuracy in the last epoch, from the stored metrics of each sample."""
    metrics = run.metrics(table=val, split="val", columns=["epoch", "correct"])
    epoch, correct = np.asarray(metrics["epoch"]), np.asarray(metrics["correct"])
    return float(correct[epoch == epoch.max()].mean())


def table(outcome: Outcome, seconds: float) -> str:
    """Return the report as text."""
    o = outcome
    sure = int(o.suspects.is_sure.sum())
    rows = [
        ("wrong labels in the training set", f"{len(o.flipped)} of {len(o.train)}"),
        ("suspicious labels", f"{len(o.suspects)}, of which {o.hits} are wrong"),
        ("  precision", f"{o.precision:.1%}"),
        ("  recall", f"{o.recall:.1%}"),
        ("  set to the predicted class", f"{sure}"),
        ("  given weight 0", f"{len(o.suspects) - sure}"),
        ("validation accuracy before", f"{accuracy(o.before, o.val):.2%}"),
        ("validation accuracy after", f"{accuracy(o.after, o.val):.2%}"),
        ("table", f"{o.train.url}"),
        ("its latest revision", f"{o.repaired.url}"),
        ("run before", f"{o.before.url}"),
        ("run after", f"{o.after.url}"),
        ("the most suspicious samples", f"{o.sheet}"),
        ("time", f"{seconds:.0f} s"),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name.ljust(width)}  {value}" for name, value in rows]
    return "\n".join(["", *lines, "", f"Look closer: tlc show {o.repaired.url}"])


def contact_sheet(train: Table, suspects: Suggestions, url: Url) -> Url:
    """Draw the most suspicious samples with their given and predicted label, and return `url`."""
    from PIL import Image, ImageDraw

    count = min(_SHOWN, len(suspects))
    size = (_COLUMNS * (_TILE + 8), -(-count // _COLUMNS) * (_TILE + _CAPTION) + 8)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for number in range(count):
        sample = train[int(suspects.rows[number])]
        x = number % _COLUMNS * (_TILE + 8) + 4
        y = number // _COLUMNS * (_TILE + _CAPTION) + 4
        tile = sample["image"].resize((_TILE, _TILE), Image.Resampling.NEAREST)
        sheet.paste(tile.convert("RGB"), (x, y))
        caption = f"given {sample['label']}\npredicted {suspects.proposed[number]}"
        draw.multiline_text((x, y + _TILE), caption, fill="black", spacing=0, font_size=11)
    sheet.save(url.to_local_path())
    return url
