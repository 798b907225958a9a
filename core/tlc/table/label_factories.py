"""The part of `Table` that makes tables from Pascal VOC, and from images with label maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from tlc.table.importing import Importing
from tlc.table.options import TableOptions, factory
from tlc.url import Url

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import TypeAlias

    from tlc.schemas.value_maps import Classes

    Location: TypeAlias = Url | str | os.PathLike[str]


class LabelFactories(Importing):
    """Further importers. They share the keywords of `tlc.table.options.TableOptions`."""

    @classmethod
    @factory()
    def from_voc(
        cls,
        annotations_folder: Location,
        image_folder: Location | None = None,
        categories: Classes | None = None,
        *,
        image_set: Location | None = None,
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from a folder of Pascal VOC annotations: an XML file for each image.

        Columns are ``image`` and ``bbs``, whose instances have ``difficult``, ``truncated``,
        ``occluded`` and ``pose`` where the files have them. Coordinates are kept as they are
        written, in pixels, which Pascal VOC counts from 1. Boxes up to a pixel or a thousandth
        outside of the image are cut at its border; others that reach out of it are left as they
        are, and counted. Images are referenced, not copied; only their
        headers are read. Where a file tells another size than its image has, the file counts.

        Args:
            annotations_folder: Folder with the XML files, also in sub-folders.
            image_folder: Folder of the images; None for ``JPEGImages`` beside the annotations, or
                else the folder of the annotations.
            categories: Ids and names of the classes; None for all names in the files, in sorted
                order, with ids from 0.
            image_set: Text file with the names of the XML files to read, without their ending, such
                as ``ImageSets/Main/train.txt``; None for all.
            on_error: ``"raise"`` to fail if anything is wrong, telling the first problems with
                their rule, file and line; ``"skip"`` to leave out objects and images that are
                wrong. `Table.import_report` counts them.
            options: See below.

        Raises:
            UrlNotFoundError: A folder or the file of names does not exist.
            AnnotationFileError: Annotations or images are wrong, and `on_error` is ``"raise"``.
        """
        from tlc.importers.voc import from_voc

        source = from_voc(
            Url(annotations_folder),
            None if image_folder is None else Url(image_folder),
            categories,
            image_set=None if image_set is None else Url(image_set),
            on_error=on_error,
        )
        return cls._import(source, options)

    @classmethod
    @factory()
    def from_semantic_segmentation(
        cls,
        images: Sequence[Location],
        masks: Sequence[Any],
        classes: Classes,
        background: int | None = None,
        void: int | None = None,
        *,
        on_error: str = "raise",
        **options: Unpack[TableOptions],
    ) -> Self:
        """Make a table from images with a class for each pixel.

        Columns are ``image`` and ``mask``. Images are referenced, not copied; masks are stored in
        the table, as the run lengths of each class.

        Args:
            images: Paths or urls of the images.
            masks: For each image the path of an image with one channel, such as a PNG with a
                palette; or an array of shape (H, W) with the numbers of classes. It is indexed row
                by row, so it may read or compute each when it is asked for.
            classes: Ids and names of the classes; ids need not follow each other.
            background: Id of pixels that belong to no class, and are not stored; None if there are
                none.
            void: Id of pixels that are not to be looked at, such as borders; None if there are
                none.
            on_error: ``"raise"`` to fail if anything is wrong, telling the first problems with
                their rule, file and row; ``"skip"`` to leave out rows that are wrong.
                `Table.import_report` counts them.
            options: See below.

        Raises:
            ColumnError: Images and masks are no lists of one length.
            AnnotationFileError: Masks or images are wrong, and `on_error` is ``"raise"``.
        """
        from tlc.importers.semantic_segmentation import from_semantic_segmentation

        source = from_semantic_segmentation(
            images, masks, classes, background=background, void=void, on_error=on_error
        )
        return cls._import(source, options)
