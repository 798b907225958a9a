"""The part of `Table` that makes tables from YOLO data sets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self, Unpack

from tlc.table.importing import Importing
from tlc.table.options import TableOptions, factory
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from tlc.schemas.value_maps import Classes

    Location: TypeAlias = Url | str | os.PathLike[str]


class YoloFactories(Importing):
    """Importers of YOLO data sets. They share the keywords of `tlc.table.options.TableOptions`."""

    @classmethod
    @factory()
    def from_yolo_url(
        cls,
        images_url: Location | Sequence[Location],
        categories: Classes | None = None,
        *,
        task: str = "detect",
        num_keypoints: int | None = None,
        values_per_keypoint: int | None = None,
        points: Any = None,
        point_attributes: Any = None,
        lines: Sequence[int] | None = None,
        line_attributes: Any = None,
        triangles: Sequence[int] | None = None,
        triangle_attributes: Any = None,
        flip_indices: Sequence[int] | None = None,
        oks_sigmas: Sequence[float] | None = None,
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from images that have YOLO label files.

        Images are referenced, not copied; only their headers are read, for their size. An EXIF
        orientation is applied to it: labels are about the image as a viewer shows it. The label
        file of ``a/images/b/c.jpg`` is ``a/labels/b/c.txt``: the last folder named ``images`` is
        replaced. An image without one has no instances. Ids of classes are kept.

        Columns are ``image`` and, by task, ``bbs``, ``segmentations``, ``keypoints_2d`` or
        ``obbs``, all in pixels. Values up to a pixel or a thousandth outside of the image are moved
        to its border. A box that reaches over the border is cut there. Polygons keep their
        vertices. Four corners become the rectangle of least area around them, with an angle from 0
        to below pi / 2.

        Args:
            images_url: A folder, with sub-folders; a text file that lists images; or a list of
                these and of images.
            categories: Ids and names of the classes; a list is numbered from 0. None for the ids
                that there are, with their numbers for names.
            task: ``"detect"``, ``"segment"``, ``"pose"`` or ``"obb"``.
            num_keypoints: How many points an instance of a pose has; None to find out.
            values_per_keypoint: 2, or 3 if each point has a visibility; None to find out.
            points: Default pose; this and what follows is as of `Keypoints2D.schema`.
            point_attributes: Names of the points.
            lines: Points at both ends of each line.
            line_attributes: Names of the lines.
            triangles: Points of each triangle.
            triangle_attributes: Names of the triangles.
            flip_indices: For each point, the one that it becomes in a mirror.
            oks_sigmas: For each point, how far apart two people place it.
            on_error: ``"raise"`` to fail if anything is wrong, telling the first problems with
                their rule, file and line; ``"skip"`` to leave out lines and images that are wrong.
                `Table.import_report` counts them.
            options: See below.

        Raises:
            UrlNotFoundError: A place does not exist, or there is no image.
            AnnotationFileError: Labels or images are wrong, and `on_error` is ``"raise"``.
        """
        from tlc.importers.yolo import YoloOptions, from_yolo_url

        given = {
            "points": points,
            "point_attributes": point_attributes,
            "lines": lines,
            "line_attributes": line_attributes,
            "triangles": triangles,
            "triangle_attributes": triangle_attributes,
            "flip_indices": flip_indices,
            "oks_sigmas": oks_sigmas,
        }
        pose = {name: value for name, value in given.items() if value is not None}
        what = YoloOptions(categories, task, on_error, num_keypoints, values_per_keypoint, pose)
        return cls._import(from_yolo_url(_urls(images_url), what), options)

    @classmethod
    @factory()
    def from_yolo(
        cls,
        dataset_yaml_file: Location,
        split: str,
        *,
        datasets_dir: Location | None = None,
        override_split_path: Location | Sequence[Location] | None = None,
        task: str = "detect",
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from one split of a YOLO data set that has a YAML file.

        The file has ``names``, a list or a dictionary; the split, a folder, a text file that lists
        images, or a list of these; and ``path``, which is looked for in the folder of the file, the
        folder above, and the working directory. ``kpt_shape`` and ``flip_idx`` are used for poses.
        Images and labels are read as by `from_yolo_url`.

        Args:
            dataset_yaml_file: The YAML file.
            split: Name of the split, such as ``"train"``.
            datasets_dir: Folder to look for ``path`` in before all others.
            override_split_path: Where the split is, whatever the file says.
            task: ``"detect"``, ``"segment"``, ``"pose"`` or ``"obb"``.
            on_error: See `from_yolo_url`.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file, or no image where the split should be.
            OptionError: The file has no such split.
            AnnotationFileError: The file is wrong; or labels or images are, and `on_error` is
                ``"raise"``.
        """
        from tlc.importers.yolo_yaml import from_yolo

        source = from_yolo(
            Url(dataset_yaml_file),
            split,
            task=task,
            datasets_dir=None if datasets_dir is None else Url(datasets_dir),
            override_split_path=None if override_split_path is None else _urls(override_split_path),
            on_error=on_error,
        )
        return cls._import(source, options)

    @classmethod
    @factory()
    def from_yolo_ndjson(
        cls,
        ndjson_file: Location,
        image_folder_url: Location | None = None,
        split: str | None = None,
        *,
        task: str | None = None,
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a YOLO data set in one NDJSON file.

        The first line is about the data set, with ``class_names``; each other line about an image,
        with its annotations. Sizes of images are those that the file tells; images that lack one
        are opened. See `from_yolo_url` for columns and for what is done with values outside of the
        image.

        Args:
            ndjson_file: The file.
            image_folder_url: Folder with the images, directly or in one folder per split; without
                it they are at the urls that the file has, or beside the file.
            split: Images of other splits are left out; None for all images.
            task: None for what the file says.
            on_error: See `from_yolo_url`.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file.
            OptionError: The file has no such split.
            AnnotationFileError: The file does not begin with a record of a data set; or records or
                images are wrong, and `on_error` is ``"raise"``.
        """
        from tlc.importers.yolo_ndjson import from_yolo_ndjson

        folder = None if image_folder_url is None else Url(image_folder_url)
        source = from_yolo_ndjson(Url(ndjson_file), folder, split, task=task, on_error=on_error)
        return cls._import(source, options)


def _urls(places: Location | Sequence[Location]) -> list[Url]:
    if isinstance(places, str | Url | os.PathLike):
        return [Url(places)]
    return [Url(place) for place in places]
