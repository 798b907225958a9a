"""The main loop on real data: train, find wrong labels in the metrics, repair them, train again.

It is the longest example there is, so it reads from top to bottom: `digits` makes the data,
`training` has the model and the loop, `tlc.dynamics.suggest` finds the labels, `report` prints.
"""

from __future__ import annotations

import time

from tlc import _optional
from tlc.format.layout import project_root
from tlc.run import init
from tlc.table import Table

PROJECT = "tlc-demo"
EPOCHS = 8


def main(root: str | None = None) -> None:
    """Run the demo and print what it found.

    Args:
        root: Folder that holds the projects; the configured one if None.

    Raises:
        MissingExtraError: torch or scikit-learn is not installed.
    """
    for module in ("torch", "sklearn"):
        _optional.require(module, extra="demo", purpose="to run the demo")
    from tlc.demo import digits, report, training
    from tlc.dynamics import suggest

    started = time.monotonic()
    projects = project_root(root)
    folder = projects.parent / "demo-data" / "digits"
    flipped = digits.write(folder)

    train, val = (
        Table.from_image_folder(
            folder / split,
            table_name="initial",
            dataset_name=f"digits-{split}",
            project_name=PROJECT,
            root_url=projects,
            if_exists="rename",
        )
        for split in ("train", "val")
    )
    print(f"{len(train)} training images, {len(flipped)} of them with a wrong label.")

    before = init(PROJECT, "as-labelled", parameters={"epochs": EPOCHS}, root_url=projects)
    training.fit(train, val, EPOCHS)
    before.set_status_completed()

    found = suggest(before, train, split="train")
    repaired = found.commit()

    after = init(PROJECT, "repaired", parameters={"epochs": EPOCHS}, root_url=projects)
    training.fit(repaired, val, EPOCHS)
    after.set_status_completed()

    sheet = report.contact_sheet(train, found, folder / "suspicious-labels.png")
    outcome = report.Outcome(train, repaired, val, before, after, found, flipped, sheet)
    print(report.table(outcome, time.monotonic() - started))
