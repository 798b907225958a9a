"""Tables as datasets of Detectron2: registered under a name, with what it wants to know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.constants import IMAGE, STRING_ROLE_IMAGE_URL
from tlc.errors import OptionError, SchemaError
from tlc.helpers import AnnotationHelper, AnnotationType, KeypointHelper
from tlc.integration.detectron2._package import detectron2
from tlc.integration.detectron2.records import TableRecords
from tlc.integration.detectron2.shapes import cell_types
from tlc.table import Table

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from tlc.helpers import AnnotationColumn
    from tlc.url import Url

__all__ = ["records_of", "register_coco_instances", "register_table", "registered_table"]

_data: Any = detectron2("data")

_kinds = cell_types("polygon")  # in the order in which they are looked for

MASK_FORMATS = ("polygon", "bitmask")
TABLE_URL = "latest_tlc_table_url"


def register_coco_instances(
    name: str,
    metadata: Mapping[str, Any],
    json_file: str | os.PathLike[str],
    image_root: str | os.PathLike[str],
    revision_url: Url | str = "",
    project_name: str = "",
    task: str = "detect",
    mask_format: str = "polygon",
    keep_crowd_annotations: bool = True,
) -> None:
    """Register a COCO file as a dataset, as the function of Detectron2 does, by way of a table.

    The table is made from the file once, in the dataset `name`. Later its newest revision is what
    is trained on, so edits count. To register a name again replaces what this has registered.

    Beside the members that Detectron2 knows, the metadata have ``latest_tlc_table_url``. They have
    ``json_file`` only as long as the table has no edits, so that evaluators read the table then.

    Args:
        name: Name of the dataset, for Detectron2 and for the table.
        metadata: Members for the dataset's metadata.
        json_file: The COCO file.
        image_root: The folder that file names begin at.
        revision_url: The revision to use in place of the newest.
        project_name: Project of the table; empty for the usual one, see `Table.from_coco`.
        task: ``"detect"`` for boxes, ``"segment"`` for masks, ``"pose"`` for keypoints.
        mask_format: What masks are: ``"polygon"`` or ``"bitmask"``, as ``INPUT.MASK_FORMAT`` of the
            config. Give both the same.
        keep_crowd_annotations: Whether the table has annotations of crowds.

    Raises:
        OptionError: One of the words is none that it can be, or the name is taken by others.
        AnnotationFileError: It is no COCO file, or records of it are wrong.
    """
    _check(name, mask_format)
    first = Table.from_coco(
        json_file,
        image_root or None,
        task=task,
        segmentation_format="masks" if mask_format == "bitmask" else "polygons",
        keep_crowd_annotations=keep_crowd_annotations,
        dataset_name=name,
        project_name=project_name or None,
    )
    table = Table.from_url(revision_url) if revision_url else first.latest()
    known = {"image_root": str(image_root), "evaluator_type": "coco"}
    if table.url == first.url:
        known["json_file"] = str(json_file)
    register_table(name, table, {**known, **metadata}, mask_format=mask_format)


def register_table(
    name: str,
    table: Table | Url | str,
    metadata: Mapping[str, Any] | None = None,
    *,
    column: str | None = None,
    image_column: str | None = None,
    mask_format: str = "polygon",
) -> None:
    """Register a table as a dataset.

    Rows are read when the dataset is asked for. To register a name again replaces what this has
    registered.

    Args:
        name: Name of the dataset.
        table: The table, or its url. This revision is used: give ``table.latest()`` for the newest.
        metadata: Members for the dataset's metadata, beside those that the table tells: names of
            classes and of keypoints, what these become in a mirror, ``latest_tlc_table_url``.
        column: Its column of boxes, masks or keypoints; None for the first of masks, else of
            keypoints, else of boxes. A table without any has images only.
        image_column: Its column of images; None for the first.
        mask_format: What masks are handed out as: ``"polygon"`` or ``"bitmask"``.

    Raises:
        OptionError: There is no such format of masks, or the name is taken by others.
        SchemaError: There are no images, the column is of another kind, or has classes without
            names.
    """
    _check(name, mask_format)
    table = table if isinstance(table, Table) else Table.from_url(table)
    annotations = _annotations(table, column)
    classes = _classes(table, annotations)
    records = TableRecords(
        table.url.to_str(),
        image_column or _image_column(table),
        None if annotations is None else annotations.name,
        tuple(classes),
        mask_format,
    )
    _data.DatasetCatalog.pop(name, None)
    _data.MetadataCatalog.pop(name, None)
    _data.DatasetCatalog.register(name, records)
    given = {**_keypoints(table, annotations), **(metadata or {})}
    _data.MetadataCatalog.get(name).set(**given).set(
        thing_classes=list(classes.values()),
        thing_dataset_id_to_contiguous_id={each: place for place, each in enumerate(classes)},
        **{TABLE_URL: table.url.to_str()},
    )


def records_of(name: str) -> TableRecords:
    """Return what was registered under a name.

    Raises:
        OptionError: It is not registered, or not from a table.
    """
    found = _data.DatasetCatalog.data.get(name)
    if not isinstance(found, TableRecords):
        raise OptionError(
            f"The dataset {name!r} is not one of a table.",
            hint="register it with tlc.integration.detectron2: register_coco_instances, or "
            "register_table.",
        )
    return found


def registered_table(name: str) -> Table | None:
    """Return the table that was registered under a name; None if none was."""
    found = _data.DatasetCatalog.data.get(name)
    return found.table if isinstance(found, TableRecords) else None


def _check(name: str, mask_format: str) -> None:
    if mask_format not in MASK_FORMATS:
        names = " or ".join(map(repr, MASK_FORMATS))
        raise OptionError(f"mask_format is {mask_format!r}.", hint=f"it is {names}.")
    if name in _data.DatasetCatalog and not isinstance(
        _data.DatasetCatalog.data[name], TableRecords
    ):
        raise OptionError(
            f"A dataset {name!r} is registered already, by something else.",
            hint="choose another name, or call DatasetCatalog.remove(name) and "
            "MetadataCatalog.remove(name) first.",
        )


def _annotations(table: Table, column: str | None) -> AnnotationColumn | None:
    if column is None:
        found = AnnotationHelper.find(table)
        return next((each for kind in _kinds for each in found if each.type is kind), None)
    chosen = AnnotationHelper.get(table, column)
    if chosen.type not in _kinds:
        raise SchemaError(
            f"Column {column!r} of {table.url} has {chosen.type.value}.",
            hint="Detectron2 is given boxes, masks or keypoints.",
        )
    return chosen


def _image_column(table: Table) -> str:
    columns = table.rows_schema.values
    roles = {name: getattr(each.value, "string_role", "") for name, each in columns.items()}
    images = [name for name, role in roles.items() if role == STRING_ROLE_IMAGE_URL]
    if not images and IMAGE not in columns:
        raise SchemaError(f"{table.url} has no column of images.", hint="name it: image_column=.")
    return images[0] if images else IMAGE


def _classes(table: Table, annotations: AnnotationColumn | None) -> dict[int, str]:
    """Return id to name, in the order of ids, as Detectron2 counts categories of COCO files."""
    if annotations is None:
        return {}
    if annotations.label_path is None:
        return {0: "object"}
    names = table.get_simple_value_map(annotations.label_path)
    if not names:
        raise SchemaError(
            f"The classes of column {annotations.name!r} of {table.url} have no names.",
            hint=f"give them: table.set_value_map({annotations.label_path!r}, ...).",
        )
    return {int(each): names[each] for each in sorted(names)}


def _keypoints(table: Table, annotations: AnnotationColumn | None) -> dict[str, Any]:
    if annotations is None or annotations.type is not AnnotationType.KEYPOINTS:
        return {}
    at = table, annotations.name
    elements = KeypointHelper.get_keypoint_attributes_from_table(*at) or []
    names = [getattr(each, "internal_name", each) for each in elements]
    is_person = names == KeypointHelper.COCO_KEYPOINT_NAMES
    flips = KeypointHelper.get_flip_indices_from_table(*at)
    sigmas = KeypointHelper.get_oks_sigmas_from_table(*at)
    if is_person:  # files of COCO do not say these, but everybody knows them
        flips = flips or KeypointHelper.COCO_FLIP_INDICES
        sigmas = sigmas or KeypointHelper.COCO_OKS_SIGMAS
    found: dict[str, Any] = {"keypoint_names": names} if names else {}
    if names and flips:
        pairs = [(names[a], names[b]) for a, b in enumerate(flips) if a < b]
        found["keypoint_flip_map"] = pairs
    lines = KeypointHelper.get_lines_from_table(*at)
    if names and lines:
        ends = zip(lines[::2], lines[1::2], strict=True)
        color = (102, 204, 255)
        found["keypoint_connection_rules"] = [(names[a], names[b], color) for a, b in ends]
    return found | ({"keypoint_oks_sigmas": list(sigmas)} if sigmas else {})
