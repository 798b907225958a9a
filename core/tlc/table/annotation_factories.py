"""The part of `Table` that makes tables from images and files of annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from tlc.table.importing import Importing
from tlc.table.options import TableOptions, factory
from tlc.url import Url

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from tlc.data_types.skeletons import Attributes
    from tlc.schemas import MapElement

    Location: TypeAlias = Url | str | os.PathLike[str]


class AnnotationFactories(Importing):
    """Importers of images. They share the keywords of `tlc.table.options.TableOptions`."""

    @classmethod
    @factory()
    def from_coco(
        cls,
        annotations_file: Location,
        image_folder: Location | None,
        *,
        task: str = "detect",
        segmentation_format: str = "polygons",
        include_iscrowd: bool = True,
        keep_crowd_annotations: bool = True,
        points: Any = None,
        point_attributes: Attributes | None = None,
        lines: Sequence[int] | None = None,
        line_attributes: Attributes | None = None,
        triangles: Sequence[int] | None = None,
        triangle_attributes: Attributes | None = None,
        flip_indices: Sequence[int] | None = None,
        oks_sigmas: Sequence[float] | None = None,
        check_images: bool = False,
        encoding: str | None = None,
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a COCO annotation file, with a row for each image.

        Images are referenced, not copied, and opened only where the file does not tell their size,
        or `check_images` is true.
        Category ids stay as they are. Ids, areas and other members of annotations become values per
        instance; those of images become columns that samples do not have.

        Args:
            annotations_file: The file: JSON of any size.
            image_folder: The folder that file names begin at; that of the file if None.
            task: ``"detect"`` for boxes in a column ``bbs``, ``"segment"`` for masks in
                ``segmentations``, ``"pose"`` for keypoints in ``keypoints_2d``.
            segmentation_format: What samples of masks are: ``"polygons"`` or ``"masks"``.
            include_iscrowd: Whether instances have a value ``iscrowd``.
            keep_crowd_annotations: Whether annotations of crowds are instances.
            points: Default pose: x, y of each keypoint, from 0 to 1.
            point_attributes: Name or `MapElement` of each keypoint; those of the file if None.
            lines: Numbers of the keypoints at both ends of each line; those of the file if None.
            line_attributes: Name or `MapElement` of each line.
            triangles: Numbers of the three keypoints of each triangle.
            triangle_attributes: Name or `MapElement` of each triangle.
            flip_indices: For each keypoint, the one that it becomes in a mirror.
            oks_sigmas: For each keypoint, how far apart two people place it.
            check_images: Whether to read the sizes of all images, from their first bytes, and to
                refuse those that are not as large as the file says.
            encoding: Encoding of the file, such as ``"utf-16"``; UTF-8 if None.
            on_error: ``"raise"`` refuses a file in which a record is wrong, and names the first of
                them; ``"skip"`` leaves such records out and counts them in `import_report`.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such file.
            OptionError: One of the words is none that it can be, or the encoding is not known.
            AnnotationFileError: It is no COCO file, or records of it are wrong.
        """
        from tlc.importers.coco import from_coco
        from tlc.importers.coco_schemas import Options

        skeleton = {
            "points": points,
            "point_attributes": point_attributes,
            "lines": lines,
            "line_attributes": line_attributes,
            "triangles": triangles,
            "triangle_attributes": triangle_attributes,
            "flip_indices": flip_indices,
            "oks_sigmas": oks_sigmas,
        }
        wanted = Options(
            task,
            segmentation_format,
            include_iscrowd,
            keep_crowd_annotations,
            skeleton,
            check_images,
            encoding,
        )
        folder = Url(image_folder) if image_folder else None
        return cls._import(
            from_coco(Url(annotations_file), folder, wanted, on_error=on_error), options
        )

    @classmethod
    @factory()
    def from_image_folder(
        cls,
        root: Location,
        *,
        include_label_column: bool = True,
        image_column_name: str = "image",
        label_column_name: str = "label",
        extensions: Sequence[str] | None = None,
        label_overrides: Mapping[str, MapElement | str] | None = None,
        mask_folder: Location | None = None,
        mask_column_name: str = "mask",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a folder of images with one sub-folder per class.

        Images are referenced, not copied, and not opened. Classes are the names of the sub-folders
        in sorted order, with ids from 0.

        Args:
            root: The folder.
            include_label_column: False for images without labels, anywhere below `root`.
            image_column_name: Name of the column with the images.
            label_column_name: Name of the column with the class ids.
            extensions: File name endings that count as images; the usual ones if None.
            label_overrides: Class name to the name or `MapElement` to show instead.
            mask_folder: Folder with masks that are images: that of ``cat/1.jpg`` is ``cat/1.png``
                there, or has any other ending of images. Images without one have None.
            mask_column_name: Name of the column with the masks.
            options: See below.

        Raises:
            UrlNotFoundError: There is no such folder, or no image in it.
            ColumnError: Images lie in `root` itself, where they belong to no class; or no image has
                a mask, or one has two.
        """
        from tlc.importers.image_folder import from_image_folder

        source = from_image_folder(
            Url(root),
            include_label_column=include_label_column,
            image_column_name=image_column_name,
            label_column_name=label_column_name,
            extensions=extensions,
            label_overrides=label_overrides,
            mask_folder=None if mask_folder is None else Url(mask_folder),
            mask_column_name=mask_column_name,
        )
        return cls._import(source, options)
