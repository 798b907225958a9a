"""What a trainer and its validators know of tables, settings and run: also in other processes."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from tlc.constants import EPOCH
from tlc.errors import OptionError
from tlc.integration._reduction import reduce_collected
from tlc.integration._training_run import TrainingRun
from tlc.integration.ultralytics._package import framework
from tlc.integration.ultralytics.collecting import Collecting
from tlc.integration.ultralytics.datasets import ClassificationTableDataset, TableDataset
from tlc.integration.ultralytics.split import Split
from tlc.run.launch import this_rank
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tlc.integration.ultralytics.settings import Settings
    from tlc.run import Run
    from tlc.url import Url

_EVENT = "tlc"
"""No event of the framework: its list of callbacks is where a job travels with a trainer."""

_NOTE = "tlc.json"
_CHECKS = ("check_det_dataset", "check_cls_dataset")
_lock = RLock()


def noted_tables(weights: Any) -> dict[str, str] | None:
    """Return urls of the tables, by split, of the training that has left a file of weights.

    Args:
        weights: The file, in the folder ``weights`` of the training; or anything else.

    Returns:
        None if it is no such file, or the training was not on tables.
    """
    path = Path(str(weights))
    note = path.parent.parent / _NOTE
    if path.suffix != ".pt" or not note.is_file():
        return None
    found: dict[str, str] = json.loads(note.read_text())["tables"]
    return found


class Job:
    """Tables, settings and run of a training or validation.

    It travels among the callbacks of a trainer, which are what `ultralytics` hands to the processes
    that it starts. There, tables and run are opened anew.

    Args:
        tables: Tables by the name of their split.
        task: The task of the model.
        settings: What is collected, and how rows are drawn.
        run: Run, or its url; None for that of the settings, the active one, or a new one.

    Raises:
        OptionError: There are no tables, or their classes differ, or settings contradict the task.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        task: str,
        settings: Settings,
        *,
        run: Run | Url | str | None = None,
    ) -> None:
        settings.check_task(task)
        self.task = task
        self.settings = settings
        self._splits = {name: Split(name, t, task, settings) for name, t in tables.items()}
        self._check_classes()
        self.training = TrainingRun(
            run,
            name=settings.run_name,
            description=settings.run_description,
            project=settings.project_name,
        )

    @classmethod
    def of(cls, callbacks: Any) -> Job:
        """Return the job that travels among callbacks.

        Raises:
            OptionError: None does.
        """
        found = (callbacks or {}).get(_EVENT)
        if not found:
            raise OptionError(
                "This class works for tlc's YOLO only.",
                hint="from tlc.integration.ultralytics import YOLO, and call its train or val.",
            )
        job: Job = found[0]
        return job

    def among(self, callbacks: Mapping[str, list[Any]] | None = None) -> dict[str, list[Any]]:
        """Return callbacks with the job among them."""
        return defaultdict(list, {**(callbacks or {}), _EVENT: [self]})

    def __getstate__(self) -> dict[str, Any]:
        """Return urls and plain settings, which any process can take up."""
        return {
            "task": self.task,
            "settings": self.settings,
            "urls": self._urls,
            "run": self.training.url or None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open tables and run."""
        tables = {name: Table.from_url(url) for name, url in state["urls"].items()}
        settings, task = state["settings"], state["task"]
        Job.__init__(self, tables, task, settings, run=state["run"])

    def split(self, name: str) -> Split:
        """Return a split.

        Raises:
            OptionError: There is no such split.
        """
        if name not in self._splits:
            raise OptionError(
                f"There is no table for the split {name!r}.",
                hint=f"there are {', '.join(map(repr, self._splits))}.",
            )
        return self._splits[name]

    @property
    def _urls(self) -> dict[str, str]:
        return {name: split.table.url.to_str() for name, split in self._splits.items()}

    @property
    def names(self) -> list[str]:
        """Names of the splits."""
        return list(self._splits)

    @property
    def description(self) -> dict[str, Any]:
        """The data set as trainers and validators know it; each split stands for itself."""
        first = next(iter(self._splits.values()))
        classes = dict(enumerate(first.classes.values()))
        names = {name: name for name in self._splits}
        return {
            "path": Path.cwd(),
            "train": None,
            "val": None,
            "test": None,
            **names,
            "names": classes,
            "nc": len(classes),
            "channels": 3,
            **first.skeleton,
        }

    @contextmanager
    def described(self) -> Iterator[None]:
        """Let validators know the data set as tables, until the end of the block.

        A validator that works without a trainer looks for a data set on the disk, by functions that
        it takes from no place that a subclass could change.
        """
        module = framework("engine.validator")
        with _lock:
            before = {name: getattr(module, name) for name in _CHECKS}
            for name in _CHECKS:
                setattr(module, name, lambda *_, **__: self.description)
            try:
                yield
            finally:
                for name, function in before.items():
                    setattr(module, name, function)

    def dataset(
        self, name: str, args: Any, *, augment: bool, is_collected: bool = False, **options: Any
    ) -> Any:
        """Return the data set of a split.

        Args:
            name: Its name.
            args: Arguments of the training.
            augment: Whether it is to be trained on.
            is_collected: Whether it is read for nothing but collection.
            **options: Arguments of `TableDataset` that classification has not.
        """
        split = self.split(name)
        is_part = augment or is_collected
        rows = split.rows(training=augment) if is_part else range(len(split))
        if not len(rows):
            raise OptionError(f"The split {name!r} is empty: all its rows have weight zero.")
        if is_collected:
            fraction = 1.0
        else:
            fraction = framework("data.utils").get_split_fraction(args.fraction, name)
        if self.task == "classify":
            return ClassificationTableDataset(split, rows, args, augment=augment, fraction=fraction)
        return TableDataset(
            split,
            rows,
            fraction=fraction,
            imgsz=args.imgsz,
            augment=augment,
            hyp=args,
            cache=args.cache or None,
            single_cls=False,
            classes=args.classes,
            prefix=f"{name}: ",
            data=self.description,
            **options,
        )

    def begin(self, args: Mapping[str, Any], folder: Any = None, *, goes_on: bool = False) -> None:
        """Find or make the run.

        Args:
            args: The hyperparameters.
            folder: Where the training keeps its checkpoints, and so a note of its run.
            goes_on: Whether the training goes on from a checkpoint.
        """
        table = next(iter(self._splits.values())).table
        note = None if folder is None else Path(folder, _NOTE)
        if goes_on and note is not None and note.is_file():
            self.training.restore(json.loads(note.read_text())["run"])
        self.training.begin(args)
        run = self.training.run_about(table)
        if goes_on:
            self.training.go_on(table)
        if this_rank().rank:
            return
        for split in self._splits.values():
            run.add_input_table(split.table)
        if note is not None:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps({"run": run.url.to_str(), "tables": self._urls}))

    def collecting(self, name: str, epoch: int | None = None, step: int = 0) -> Collecting:
        """Return what collects a pass over a split.

        Args:
            name: The split.
            epoch: Number of the epoch, from 1; None for none.
            step: Batches trained on.
        """
        split = self.split(name)
        constants = {} if epoch is None else {EPOCH: epoch, "step": step}
        run = self.training.run_about(split.table)
        return Collecting(split, self.settings, run, constants, self.training.drop_repeated)

    def reduce(self) -> None:
        """Reduce the embeddings that were collected: as those of the split to train on, if any."""
        reducer = self.settings.reducer
        if reducer is None or not self.training.url or this_rank().rank:
            return
        names = sorted(self._splits, key=lambda name: name != "train")
        tables = [self._splits[name].table for name in names]
        reduce_collected(self.training.run, tables, *reducer)

    def log(self, epoch: int, values: Mapping[str, Any]) -> None:
        """Add what a trainer logs to the run."""
        numbers = {name: float(value) for name, value in values.items()}
        if numbers and not this_rank().rank:
            self.training.run.add_output_value({EPOCH: epoch, **numbers})

    def _check_classes(self) -> None:
        first = next(iter(self._splits.values()), None)
        if first is None:
            raise OptionError("There are no tables.", hint='tables={"train": ..., "val": ...}.')
        for split in self._splits.values():
            if split.classes != first.classes:
                raise OptionError(
                    f"The splits {first.name!r} and {split.name!r} have different classes: "
                    f"{first.classes} and {split.classes}.",
                    hint="give both tables the same value map: table.set_value_map(...).",
                )
