"""`YOLO`: that of `ultralytics`, for tables."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tlc.errors import OptionError
from tlc.integration.ultralytics._package import framework
from tlc.integration.ultralytics.job import Job, noted_tables
from tlc.integration.ultralytics.results import Results
from tlc.integration.ultralytics.settings import Settings
from tlc.integration.ultralytics.split import TASKS
from tlc.integration.ultralytics.tables import tables_of
from tlc.integration.ultralytics.trainers import TRAINERS
from tlc.integration.ultralytics.validators import VALIDATORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tlc.run import Run
    from tlc.table import Table
    from tlc.url import Url

__all__ = ["YOLO"]

_ultralytics: Any = framework()


class YOLO(_ultralytics.YOLO):  # type: ignore[misc]
    """An ``ultralytics.YOLO`` that works on tables, and collects metrics of each row.

    Tasks are detection, segmentation, classification, poses and turned boxes. Data are tables by
    the name of their split, or a data set as `ultralytics` reads it, of which tables are made once;
    later their newest revisions are used.

    Of each image there are the predicted instances, each with its IoU and whether it is right, and
    numbers of right, wrong and missed ones; or of a classifier the predicted class, its confidence
    and the loss.

    Arguments are those of ``ultralytics.YOLO``.
    """

    def __init__(
        self, model: Any = "yolo26n.pt", task: str | None = None, verbose: bool = False
    ) -> None:
        super().__init__(model, task, verbose)
        if not isinstance(self, YOLO):  # what it has become has other trainers
            raise OptionError(
                f"Models of the kind {type(self).__name__} cannot be used with tables.",
                hint=f"import {type(self).__name__} from ultralytics to use it without.",
            )

    def train(
        self,
        trainer: Any = None,
        *,
        tables: Mapping[str, Table | Url | str] | None = None,
        settings: Settings | None = None,
        run: Run | Url | str | None = None,
        image_column_name: str | None = None,
        label_column_name: str | None = None,
        **options: Any,
    ) -> Any:
        """Train, and collect metrics of the rows of all splits.

        Args:
            trainer: None: the trainer is tlc's own.
            tables: Tables, or their urls, by the name of their split: ``"train"`` and ``"val"``
                or ``"test"``.
            settings: What is collected, and how rows are drawn.
            run: Run, or its url; None for that of the settings, or the active one, or a new one
                that is closed at the end.
            image_column_name: In place of that of the settings.
            label_column_name: In place of that of the settings.
            **options: Arguments of ``ultralytics.YOLO.train``; among them ``data``, in place of
                tables: a YAML file or, for classification, a folder; or ``"3LC://my.yaml"``, a
                file with the url of the table of each split.

        Returns:
            What ``ultralytics.YOLO.train`` returns, with the url of the run as ``run_url``.

        Raises:
            OptionError: Options contradict each other, or a split is missing or empty.
        """
        if trainer is not None:
            raise OptionError(
                "A trainer of your own cannot read tables.", hint="leave trainer= out."
            )
        options.setdefault("task", self.task)
        known = _settings(settings, image_column_name, label_column_name)
        wanted = "train", options.get("split") or "val"
        job = self._job(options, tables, known, run, wanted)
        if options.get("split") is None and "val" not in job.names and "test" in job.names:
            options["split"] = "test"
        make = partial(_make, TRAINERS[job.task], job)
        return self._done(job, lambda: super(YOLO, self).train(trainer=make, **options))

    def val(
        self,
        validator: Any = None,
        *,
        table: Table | Url | str | None = None,
        tables: Mapping[str, Table | Url | str] | None = None,
        settings: Settings | None = None,
        run: Run | Url | str | None = None,
        image_column_name: str | None = None,
        label_column_name: str | None = None,
        **options: Any,
    ) -> Any:
        """Validate on one split, and collect metrics of its rows.

        Args:
            validator: None: the validator is tlc's own.
            table: The table of the split.
            tables: Tables by the name of their split, in place of `table`.
            settings: What is collected.
            run: As of `train`.
            image_column_name: In place of that of the settings.
            label_column_name: In place of that of the settings.
            **options: Arguments of ``ultralytics.YOLO.val``; among them ``split``, ``"val"`` if
                it is not given, and ``data``, in place of tables.

        Returns:
            What ``ultralytics.YOLO.val`` returns, with the url of the run as ``run_url``.

        Raises:
            OptionError: Options contradict each other, or a split is missing or empty.
        """
        if validator is not None:
            raise OptionError(
                "A validator of your own cannot read tables.", hint="leave validator= out."
            )
        split = options.setdefault("split", "val")
        if table is not None:
            if tables is not None:
                raise OptionError("table and tables exclude each other.")
            tables = {split: table}
        known = _settings(settings, image_column_name, label_column_name)
        job = self._job(options, tables, known, run, [split])
        return self._done(job, lambda: self._validated(job, split, options))

    def collect(
        self,
        data: str | None = None,
        splits: Sequence[str] | None = None,
        *,
        tables: Mapping[str, Table | Url | str] | None = None,
        settings: Settings | None = None,
        run: Run | Url | str | None = None,
        image_column_name: str | None = None,
        label_column_name: str | None = None,
        **options: Any,
    ) -> Results:
        """Collect metrics of the rows of some splits, in one run.

        Args:
            data: A data set as `ultralytics` reads it, in place of tables.
            splits: Names of splits; all tables, or ``("train", "val")`` of `data`, if None.
            tables: Tables by the name of their split.
            settings: What is collected.
            run: As of `train`.
            image_column_name: In place of that of the settings.
            label_column_name: In place of that of the settings.
            **options: Arguments of ``ultralytics.YOLO.val``.

        Returns:
            What ``ultralytics.YOLO.val`` returns, by split, with the url of the run as ``run_url``.

        Raises:
            OptionError: Options contradict each other, or a split is missing or empty.
        """
        if data is not None:
            options["data"] = data
        wanted = tuple(splits or tables or ("train", "val"))
        known = _settings(settings, image_column_name, label_column_name)
        if known.collection_disable:
            raise OptionError("collect(...) with collection_disable=True does nothing.")
        job = self._job(options, tables, known, run, wanted)
        names = [name for name in wanted if splits or name in job.names]

        def over_all() -> Results:
            return Results(
                {name: self._validated(job, name, {**options, "split": name}) for name in names}
            )

        found: Results = self._done(job, over_all)
        return found

    def _job(
        self, options: dict[str, Any], tables: Any, settings: Settings, run: Any, wanted: Any
    ) -> Job:
        """Return the job of a training or validation; its ``data`` is put among the options."""
        if self.task not in TASKS or options.get("task", self.task) != self.task:
            raise OptionError(
                f"The model is for the task {self.task!r}, and cannot be used with tables for "
                f"{options.get('task', self.task)!r}.",
                hint=f"tasks are {', '.join(TASKS)}; each has models of its own.",
            )
        data = options.get("data")
        if tables is not None and data is not None:
            raise OptionError("data and tables exclude each other.", hint="give one of them.")
        if data is None and tables is None:
            resumed = options.get("resume")
            weights = self.overrides.get("model") if resumed in (None, True, False) else resumed
            tables = noted_tables(weights)
            data = None if tables else self.overrides.get("data")
        found = tables_of(tables, data, self.task, settings, wanted)
        options["data"] = data or next(iter(found.values())).url.to_str()
        return Job(found, self.task, settings, run=run)

    def _validated(self, job: Job, split: str, options: dict[str, Any]) -> Any:
        def make(args: Any, _callbacks: Any) -> Any:
            validator = VALIDATORS[job.task](args=args, _callbacks=job.among(_callbacks))
            job.begin(vars(validator.args))
            if not job.settings.collection_disable:
                validator.collecting = job.collecting(split)
            return validator

        return super().val(validator=make, **options)

    def _done(self, job: Job, work: Callable[[], Any]) -> Any:
        try:
            result = work()
            job.reduce()
        except BaseException as error:
            job.training.fail(error)
            raise
        url = job.training.url
        job.training.complete()
        if isinstance(result, dict) and not isinstance(result, Results):
            result = Results(result)
        if result is not None:
            result.run_url = url
        return result


def _settings(
    given: Settings | None, image_column_name: str | None, label_column_name: str | None
) -> Settings:
    """Return settings with the columns that were named beside them."""
    known = given or Settings()
    return replace(
        known,
        image_column_name=image_column_name or known.image_column_name,
        label_column_name=label_column_name or known.label_column_name,
    )


def _make(trainer: Any, job: Job, overrides: Any, _callbacks: Any) -> Any:
    return trainer(overrides=overrides, _callbacks=job.among(_callbacks))
