"""All formats of annotation files: good ones, damage to them, and what must be so of what is read.

Each format is a class. Its objects write damaged files into a folder, and read them once.
"""

from __future__ import annotations

import io
import json

import numpy as np
from PIL import Image
from tests.core.importers.coco_cases import GOOD as COCO
from tests.core.importers.labelled import HEIGHT, WIDTH, image_bytes
from tests.reliability import mutations
from tests.reliability.fitting_rows import check_boxes, check_labels
from tests.reliability.good_files import (
    CLASSES,
    COLUMNS,
    CSV,
    LINES,
    RECORDS,
    TEXTS,
    XML,
    YAML,
    YOLO_RECORDS,
    lines_of,
    tar_of,
)
from tests.reliability.mutated_text import TOKENS, mutated, mutated_json

from tlc.importers import json_stream, text_pieces
from tlc.importers.coco import from_coco
from tlc.importers.coco_schemas import Options
from tlc.importers.files import from_csv, from_ndjson, from_parquet
from tlc.importers.hugging_face import from_hugging_face_dataset, load
from tlc.importers.semantic_segmentation import from_semantic_segmentation
from tlc.importers.voc import from_voc
from tlc.importers.webdataset import from_webdataset
from tlc.importers.yolo import YoloOptions, from_yolo_url
from tlc.importers.yolo_ndjson import from_yolo_ndjson
from tlc.importers.yolo_yaml import from_yolo
from tlc.table import Table
from tlc.url import Url

IMAGES = 25
PIECES = (64, 500, 1 << 20)
"""How much of a file an importer reads at once: little shows what it does at the seams."""
XML_TEXTS = [token for token in TOKENS if not set(token) & set(b"<>&\0\xff\xc3\xed\xef\xfe")]


def piece(random, file):
    """Return how much of a file to read at once: of large ones not little, which takes minutes."""
    return random.choice(PIECES) if file.stat().st_size < 1 << 16 else PIECES[-1]


class Format:
    """Files of one format.

    Args:
        folder: An empty folder.
    """

    together = 1
    """How many damaged files one import reads."""

    def __init__(self, folder):
        self.folder = folder
        self.images = folder / "images" / "train"
        self.images.mkdir(parents=True)
        for number in range(IMAGES):
            (self.images / f"{number}.png").write_bytes(image_bytes())

    def write(self, random):
        """Write damaged files."""
        raise NotImplementedError

    def source(self, random, on_error):
        """Return what an import of them reads."""
        raise NotImplementedError

    def check(self, row):
        """Check a row that was read."""


class Coco(Format):
    task = "detect"

    def __init__(self, folder):
        super().__init__(folder)
        self.file = folder / "annotations.json"
        for image in COCO["images"]:
            (self.images / image["file_name"]).parent.mkdir(exist_ok=True)
            (self.images / image["file_name"]).write_bytes(image_bytes())

    def write(self, random):
        if random.random() < 0.5:
            self.file.write_bytes(mutated_json(random, COCO))
            return
        text = json.dumps(COCO, indent=random.choice((None, 1))).encode()
        self.file.write_bytes(mutated(random, text, TEXTS))

    def source(self, random, on_error):
        json_stream.PIECE = piece(random, self.file)
        options = Options(self.task, random.choice(("polygons", "masks")), True, True, {})
        return from_coco(Url(self.file), Url(self.images), options, on_error=on_error)


class CocoSegment(Coco):
    task = "segment"


class CocoPose(Coco):
    task = "pose"


class Yolo(Format):
    task = "detect"
    together = IMAGES

    def __init__(self, folder):
        super().__init__(folder)
        self.labels = folder / "labels" / "train"
        self.labels.mkdir(parents=True)

    def write(self, random):
        for number in range(IMAGES):
            content = mutated(random, LINES[self.task], list(LINES.values()))
            (self.labels / f"{number}.txt").write_bytes(content)

    def source(self, random, on_error):
        return from_yolo_url([Url(self.images)], YoloOptions(CLASSES, self.task, on_error, 2, 3))

    def check(self, row):
        check_labels(row, self.task)


class YoloSegment(Yolo):
    task = "segment"


class YoloPose(Yolo):
    task = "pose"


class YoloTurned(Yolo):
    task = "obb"


class YoloYaml(Format):
    def __init__(self, folder):
        super().__init__(folder)
        self.file = folder / "data.yaml"
        self.list = folder / "list.txt"
        labels = folder / "labels" / "train"
        labels.mkdir(parents=True)
        (labels / "0.txt").write_bytes(LINES["pose"])

    def write(self, random):
        content, listed = YAML, b"./images/train/0.png\nimages/train/1.png\n"
        if random.random() < 0.2:
            listed = mutated(random, listed, TEXTS)
        else:
            content = mutated(random, YAML, TEXTS)
        self.file.write_bytes(content)
        self.list.write_bytes(listed)

    def source(self, random, on_error):
        split = random.choice(("train", "val"))
        arguments = {"datasets_dir": None, "override_split_path": None}
        return from_yolo(Url(self.file), split, task="pose", on_error=on_error, **arguments)


class YoloNdjson(Format):
    def __init__(self, folder):
        super().__init__(folder)
        self.file = folder / "data.ndjson"

    def write(self, random):
        if random.random() < 0.5:
            self.file.write_bytes(mutated(random, lines_of(YOLO_RECORDS), TEXTS))
        else:
            lines = [mutated_json(random, each) for each in YOLO_RECORDS]
            self.file.write_bytes(b"\n".join(line.replace(b"\n", b"") for line in lines))

    def source(self, random, on_error):
        return from_yolo_ndjson(
            Url(self.file), Url(self.images), None, task=None, on_error=on_error
        )

    def check(self, row):
        if "bbs" in row:
            cell = row["bbs"]
            check_boxes(cell["instances"], cell["x_max"], cell["y_max"])


class Voc(Format):
    together = IMAGES

    def __init__(self, folder):
        super().__init__(folder)
        self.files = folder / "Annotations"
        self.files.mkdir()

    def write(self, random):
        for number in range(IMAGES):
            content = XML.replace(b">0.png<", b">%d.png<" % number)
            if number % 2:  # what is in a tag; else most files are no XML any more
                old = random.choice((b"64", b"48", b"33.5", b"4.8e1", b">1<", b">2<", b">a<"))
                value = random.choice(XML_TEXTS)
                content = content.replace(old, b">%b<" % value if old[:1] == b">" else value)
            else:
                content = mutated(random, content, TEXTS)
            (self.files / f"{number}.xml").write_bytes(content)

    def source(self, random, on_error):
        classes = random.choice((CLASSES, None))
        return from_voc(
            Url(self.files), Url(self.images), classes, image_set=None, on_error=on_error
        )

    def check(self, row):
        check_labels(row, may_reach_out=True, any_class=True)


class Csv(Format):
    def __init__(self, folder):
        super().__init__(folder)
        self.file = folder / "rows.csv"

    def write(self, random):
        self.file.write_bytes(mutated(random, CSV, TEXTS))

    def source(self, random, on_error):
        names = random.sample(sorted(COLUMNS), random.choice((0, 0, 1, 3)))
        text_pieces.PIECE = piece(random, self.file)
        delimiter = random.choice((None, None, ",", ";"))
        schema = {name: COLUMNS[name]() for name in names}
        return from_csv(Url(self.file), schema, delimiter=delimiter, on_error=on_error)


class Ndjson(Csv):
    def write(self, random):
        if random.random() < 0.5:
            self.file.write_bytes(mutated(random, lines_of(RECORDS), TEXTS))
        else:
            lines = [mutated_json(random, each) for each in RECORDS]
            self.file.write_bytes(b"\n".join(line.replace(b"\n", b"") for line in lines))

    def source(self, random, on_error):
        names = random.sample(sorted(COLUMNS), random.choice((0, 0, 1, 3)))
        text_pieces.PIECE = piece(random, self.file)
        schema = {name: COLUMNS[name]() for name in names}
        return from_ndjson(Url(self.file), schema, on_error=on_error)


class Parquet(Csv):
    def __init__(self, folder):
        super().__init__(folder)
        columns = {
            "a": [1, 2, 3],
            "b": ["x", None, "z"],
            "c": [[1.5], [], None],
            "d": [{"e": 1}] * 3,
        }
        table = Table.from_dict(columns, table_name="t", root_url=folder / "root")
        self.good = table.export(folder / "good.parquet").read_bytes()

    def write(self, random):
        self.file.write_bytes(mutations.parquet(self.good, random))

    def source(self, random, on_error):
        return from_parquet(Url(self.file), None)


class WebDataset(Format):
    def __init__(self, folder):
        super().__init__(folder)
        self.file = folder / "shard.tar"
        array = io.BytesIO()
        np.save(array, np.arange(6).reshape(2, 3))
        self.members = {
            **{f"{number}.png": image_bytes() for number in range(2)},
            **{f"{number}.npy": array.getvalue() for number in range(2)},
            "0.cls": b"1",
            "1.cls": b" 12\n",
            "0.json": json.dumps(RECORDS[0]).encode(),
            "1.json": b"[1, null]",
            "0.txt": "hühn".encode(),
            "1.txt": b"",
        }

    def write(self, random):
        names, kind = sorted(self.members), random.randrange(3)
        members = dict(self.members)
        if kind == 0:
            changed = random.choice([name for name in names if not name.endswith("png")])
            members[changed] = mutated(random, members[changed], TEXTS)
        content = tar_of(members, random.choice(("", "gz", "xz")) if kind == 1 else "")
        self.file.write_bytes(content if kind == 0 else mutated(random, content, TEXTS))

    def source(self, random, on_error):
        return from_webdataset(Url(self.file), None, on_error=on_error)


class LabelImages(Format):
    def __init__(self, folder):
        super().__init__(folder)
        self.mask = folder / "mask.png"
        buffer = io.BytesIO()
        Image.fromarray(np.eye(HEIGHT, WIDTH, dtype=np.uint8)).save(buffer, "PNG")
        self.good = buffer.getvalue()

    def write(self, random):
        self.mask.write_bytes(mutated(random, self.good, [self.good]))

    def source(self, random, on_error):
        options = {"background": None, "void": random.choice((None, 255)), "on_error": on_error}
        return from_semantic_segmentation([self.images / "0.png"], [self.mask], CLASSES, **options)


class HuggingFace(Format):
    """The JSON files of a data set that was saved; what is in its Arrow file, Arrow trusts."""

    def __init__(self, folder):
        super().__init__(folder)
        import datasets  # late: it takes a second

        datasets.disable_progress_bars()
        classes = datasets.ClassLabel(names=["p", "q"])
        columns = {"a": [1, 2], "b": ["x", None], "label": [0, 1]}
        self.place = folder / "saved"
        found = datasets.Dataset.from_dict(columns).cast_column("label", classes)
        found.save_to_disk(str(self.place))
        names = ("state.json", "dataset_info.json")
        self.good = {name: (self.place / name).read_bytes() for name in names}

    def write(self, random):
        for name, content in self.good.items():
            (self.place / name).write_bytes(content)
        name = random.choice(list(self.good))
        if random.random() < 0.5:
            content = mutated_json(random, json.loads(self.good[name]))
        else:
            content = mutated(random, self.good[name], [*self.good.values(), *TEXTS])
        (self.place / name).write_bytes(content)

    def source(self, random, on_error):
        return from_hugging_face_dataset(load(str(self.place), None, None, None), None)


FORMATS = {
    "coco-detect": Coco,
    "coco-segment": CocoSegment,
    "coco-pose": CocoPose,
    "yolo-detect": Yolo,
    "yolo-segment": YoloSegment,
    "yolo-pose": YoloPose,
    "yolo-obb": YoloTurned,
    "yolo-yaml": YoloYaml,
    "yolo-ndjson": YoloNdjson,
    "voc": Voc,
    "csv": Csv,
    "ndjson": Ndjson,
    "parquet": Parquet,
    "webdataset": WebDataset,
    "label-images": LabelImages,
    "hugging-face": HuggingFace,
}
