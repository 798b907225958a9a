"""What lines of YOLO labels must have, whatever their task: a length, and a class that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tlc._wording import some
from tlc.importers.report import Problem, Problems, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy.typing as npt

    from tlc.importers.yolo_lines import Floats, Integers, Lines

    Flags = npt.NDArray[np.bool_]

TASKS = ("detect", "segment", "pose", "obb")
BEFORE_POINTS = 5
"""How many numbers of a pose come before its points: class and box."""

TOLERANCE = 1e-3
"""How far outside of its image a value may lie, as a fraction of the image; or one pixel."""

NOISE = 1e-6
"""What six decimals cannot tell from the border."""

_SHAPES = {
    "detect": "5 numbers: class, x and y of the centre, width and height",
    "obb": "9 numbers: class, then x and y of the four corners",
    "segment": "7 numbers or more: class, then x and y of three vertices or more",
}


def reject(
    lines: Lines,
    wrong: Flags,
    problems: Problems,
    code: str,
    message: str,
    hint: str = "",
    show: Callable[[Floats], str] | None = None,
) -> Lines:
    """Report the lines where `wrong` is true, and return the others.

    Args:
        lines: The lines.
        wrong: Which are wrong, shape `(lines,)`.
        problems: Gets them.
        code: The rule that they break.
        message: What is wrong with them.
        hint: What to do about it.
        show: Text of a line's numbers; all of them by default.
    """
    if not wrong.any():
        return lines
    found = np.flatnonzero(wrong)

    def problem(number: int) -> Problem:
        line = int(found[number])
        file, record = lines.record(line)
        values = lines.values[lines.start[line] : lines.start[line + 1]]
        text = show(values) if show else " ".join(f"{value:g}" for value in values)
        return Problem(
            code=code,
            file=file,
            record=record,
            value=shortened(text),
            message=message,
            hint=hint,
        )

    problems.add_all(code, len(found), problem)
    return lines.kept(~wrong)


def with_shape(lines: Lines, task: str, problems: Problems, columns: int | None = None) -> Lines:
    """Return the lines that have as many numbers as the task wants; the others are reported.

    Args:
        lines: The lines.
        task: One of `TASKS`.
        problems: Gets the others, as ``LABEL_FORMAT``.
        columns: How many numbers a line of a pose has.
    """
    counts = lines.counts
    if task == "segment":
        wrong = (counts < 7) | (counts % 2 == 0)
        wanted = _SHAPES[task]
    else:
        columns = {"detect": 5, "obb": 9}.get(task, columns)
        wrong = counts != columns
        wanted = _SHAPES.get(task, f"{columns} numbers: class, box, and the points")
    return reject(
        lines,
        wrong,
        problems,
        "LABEL_FORMAT",
        f"a line of task {task!r} has {wanted}",
        _other_task(counts[wrong], task),
        lambda values: f"{len(values)} numbers: {' '.join(f'{value:g}' for value in values)}",
    )


def _other_task(counts: Integers, task: str) -> str:
    if not counts.size:
        return ""
    alike = [t for t, n in (("detect", 5), ("obb", 9)) if t != task and (counts == n).all()]
    return f"lines of this length belong to task={alike[0]!r}." if alike else ""


def with_class(lines: Lines, known: Collection[int], problems: Problems) -> Lines:
    """Return the lines whose class is known; the others are reported as ``DANGLING_REF``."""
    classes = lines.values[lines.start[:-1]]
    ids = np.fromiter(known, np.float64, len(known))
    listed = some(sorted(known), 10)
    return reject(
        lines,
        ~np.isin(classes, ids),
        problems,
        "DANGLING_REF",
        "its class is none of the categories",
        f"the categories are {listed}." if known else "there are no categories.",
        lambda values: f"class {values[0]:g}",
    )


def columns_of(lines: Lines, count: int) -> Floats:
    """Return lines of one length as an array, without the class: shape `(lines, count - 1)`."""
    return lines.values.reshape(-1, count)[:, 1:]


def tolerance(sizes: Floats) -> Floats:
    """Return how far outside values may lie, for widths and heights of images."""
    return np.maximum(TOLERANCE, 1.0 / sizes)


def range_hint(values: Floats) -> str:
    """Return what to do about values that are no fractions of their image."""
    if values.size and np.abs(values).max() > 2:
        return "they look like pixels; YOLO has fractions of the image's width and height."
    return "values are fractions of the image's width and height, from 0 to 1."
