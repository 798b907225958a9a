"""Bad input of the formats of columns, and of images without annotations."""

# ruff: noqa: RUF005 - a record of two lines, which else had as many as it has members

from __future__ import annotations

import bz2
import functools
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.core.importers.bad_input import (
    FINE,
    LEFT_OUT,
    NOTED,
    REFUSED,
    fixtures,
    hugging_face,
    image_folder,
    mask_bytes,
    masks,
    parquet,
    text_file,
    webdataset,
)
from tests.core.importers.labelled import image_bytes

from tlc import schemas

csv = functools.partial(text_file, "a.csv")
ndjson = functools.partial(text_file, "a.ndjson")
INT = {"n": schemas.Int32Schema()}
URL = {"image": schemas.ImageSchema(sample_type="url")}
LONG = "x" * 3_000_000


def parquet_bytes():
    """Return a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": range(100)}), sink)
    return sink.getvalue()


CSV = fixtures(
    *("csv", "a.csv"),
    (3, "column names", csv("a,b,a\n1,2,3\n"), "CSV_HEADER", "line 1", REFUSED, 0),
    (16, "BOM, CRLF", csv("\ufeffa,b\r\n1,x\r\n"), "", "", FINE, 1),
    (16, "UTF-16", csv("a,b\n1,x\n".encode("utf-16")), "ENCODING", "byte 0", REFUSED, 0),
    (16, "UTF-16, told", csv("a,b\n1,x\n".encode("utf-16"), encoding="utf-16"), "", "", FINE, 1),
    (16, "cp1252", csv("a\n\u00e9\n".encode("cp1252")), "ENCODING", "line 2, byte 2", REFUSED, 0),
    (16, "names like marks", csv("PAR1,BZh91\n1,2\n"), "", "", FINE, 1),
    (16, "bzip2", csv(bz2.compress(b"a\n1\n")), "NOT_TEXT", "", REFUSED, 0),
    (16, "gzip", csv(gzip.compress(b"a\n1\n", mtime=0)), "NOT_TEXT", "", REFUSED, 0),
    (17, "accents", csv("\u00e9,\u732b\n1,e\u0301\n"), "", "", FINE, 1),
    (18, "backslashes", csv("image\nC:\\x\\a.png\n", URL), "", "", FINE, 1),
    (20, "a long cell", csv(f"a\n{LONG}\n"), "", "", FINE, 1),
    (22, "quoted new line", csv('a,b\n1,"x\ny"\n'), "", "", FINE, 1),
    (22, "few cells", csv('a,b\n1,"x\ny"\n9\n2,y\n'), "CSV_RAGGED", "line 4", LEFT_OUT, 2),
    (22, "many cells", csv("a,b\n1,x\n9,x,y\n2,y\n"), "CSV_RAGGED", "line 3", LEFT_OUT, 2),
    (22, "leading zeros", csv("zip\n007\n12\n"), "", "", FINE, 2),
    (22, "no number", csv("a,n\n1,5\n9,x\n", INT), "CSV_TYPE", "line 3, column 'n'", LEFT_OUT, 1),
    (22, "NA", csv("a,n\n1,NA\n2,5\n", INT), "", "", FINE, 2),
    (22, "decimal comma", csv('a\n"1,5"\n"2,0"\n'), "CSV_DECIMAL_COMMA", "column 'a'", NOTED, 2),
    (22, "semicolons", csv("a;b\n1;2\n"), "CSV_HEADER", "line 1", REFUSED, 0),
    (22, "cut off", csv('a,b\n1,x\n2,"y\nz'), "CSV_TRUNCATED", "line 3", LEFT_OUT, 1),
    (25, "1e999", csv("a\n0.5\n1e999\n"), "NUMBER_RANGE", "line 3, column 'a'", LEFT_OUT, 1),
)
GOOD = '{"a": 1}\n'
NDJSON = fixtures(
    *("ndjson", "a.ndjson"),
    (16, "UTF-16", ndjson(GOOD.encode("utf-16")), "ENCODING", "byte 0", REFUSED, 0),
    (16, "UTF-16, told", ndjson(GOOD.encode("utf-16"), encoding="utf-16"), "", "", FINE, 1),
    (16, "CRLF", ndjson('{"a": 1}\r\n{"a": 2}\r\n'), "", "", FINE, 2),
    (20, "a long line", ndjson(f'{{"a": "{LONG}"}}'), "", "", FINE, 1),
    (23, "cut off", ndjson(f'{GOOD}{{"a": 2, "b'), "NDJSON_TRUNCATED", "line 2, byte 9")
    + (LEFT_OUT, 1),
    (
        23,
        "mixed types",
        ndjson(f'{GOOD}{{"a": "2"}}\n'),
        "JSON_TYPE",
        "line 2, byte 9",
        LEFT_OUT,
        1,
    ),
    (23, "blank lines", ndjson(f"\n{GOOD}\n \n{GOOD}"), "", "", FINE, 2),
    (23, "no dictionary", ndjson(f"{GOOD}[9]\n"), "JSON_TYPE", "line 2, byte 9", LEFT_OUT, 1),
    (23, "empty", ndjson("\n \n"), "JSON", "", REFUSED, 0),
    (25, "NaN", ndjson('{"a": NaN}\n{"a": -Infinity}\n'), "", "", FINE, 2),
    (25, "1e999", ndjson(f'{GOOD}{{"a": 1e999}}\n'), "NUMBER_RANGE", "line 2, byte 9", LEFT_OUT, 1),
    (25, "key twice", ndjson(f'{GOOD}{{"a": 2, "a": 3}}\n'), "JSON_DUP_KEY", "line 2, byte 9")
    + (LEFT_OUT, 1),
    (25, "surrogate", ndjson(f'{GOOD}{{"a": 2, "t": "\\ud800"}}\n'), "JSON_SURROGATE")
    + ("line 2, byte 9", LEFT_OUT, 1),
    (25, "long integer", ndjson(f'{GOOD}{{"a": {2**70 + 1}}}\n'), "NUMBER_RANGE", "line 2, byte 9")
    + (LEFT_OUT, 1),
    (25, "deep", ndjson(f'{GOOD}{{"a": {"[" * 9999}{"]" * 9999}}}\n'), "JSON_DEPTH")
    + ("line 2, byte 9", LEFT_OUT, 1),
)
PARQUET = fixtures(
    *("parquet", "a.parquet"),
    (14, "cut off", parquet(parquet_bytes()[:-10]), "PARQUET", "", REFUSED, 0),
    (15, "CSV", parquet(b"a,b\n1,2\n"), "PARQUET", "", REFUSED, 0),
)
SAMPLE = "sample 'c', file 'c.{}'"
WEBDATASET = fixtures(
    *("webdataset", "a.tar"),
    (3, "a file", webdataset(("c.cls", b"1"), ("c.CLS", b"2")), "TAR_DUPLICATE")
    + (SAMPLE.format("CLS"), LEFT_OUT, 1),
    (
        14,
        "cut off",
        webdataset(("c.bin", bytes(5000)), cut=5000),
        "TAR_DAMAGED",
        "sample 'c', file ''",
    )
    + (LEFT_OUT, 1),
    (15, "upper case", webdataset(("c.PNG", image_bytes()), ("c.cls", b"2")), "", "", FINE, 2),
    (
        16,
        "cp1252",
        webdataset(("c.txt", b"\xe9")),
        "TAR_CONTENT",
        SAMPLE.format("txt"),
        LEFT_OUT,
        1,
    ),
    (17, "accents", webdataset(("\u732b \u00e9.cls", b"2")), "", "", FINE, 2),
    (
        25,
        "no JSON",
        webdataset(("c.json", b"{")),
        "TAR_CONTENT",
        SAMPLE.format("json"),
        LEFT_OUT,
        1,
    ),
    (25, "no number", webdataset(("c.cls", b"1.5")), "TAR_CONTENT", SAMPLE.format("cls"))
    + (LEFT_OUT, 1),
)
IMAGES = fixtures(
    *("image folder", ""),
    (13, "broken EXIF", image_folder({"a/x.jpg": b"\xff\xd8\xff\xe1\0\x08Exif"}), "", "", FINE, 2),
    (14, "cut off", image_folder({"a/x.png": image_bytes()[:20]}), "", "", FINE, 2),
    (15, "upper case", image_folder({"b/x.PNG": None, "b/y.txt": "no image"}), "", "", FINE, 2),
    (17, "accents", image_folder({"\u00e9/\u732b.png": None}), "", "", FINE, 2),
    (19, "a loop", image_folder({"a/deep/up": Path("../..")}), "", "", FINE, 1),
    (19, "a link", image_folder({"../far/x.png": None, "b": Path("../far")}), "", "", FINE, 2),
)
MASKS = fixtures(
    *("semantic segmentation", "b_mask.png"),
    (1, "missing", masks(None, b""), "IMG_MISSING", "row 1", LEFT_OUT, 1),
    (5, "class", masks(mask_bytes(7)), "DANGLING_REF", "row 1", LEFT_OUT, 1),
    (11, "mask", masks(mask_bytes(1, (9, 9))), "SIZE_MISMATCH", "row 1", LEFT_OUT, 1),
    (12, "turned", masks(None, image_bytes("JPEG", orientation=6)), "SIZE_MISMATCH", "row 1")
    + (NOTED, 2),
    (14, "mask", masks(mask_bytes()[:60]), "MASK_UNREADABLE", "row 1", LEFT_OUT, 1),
    (14, "image", masks(None, b"no image"), "IMG_UNREADABLE", "row 1", LEFT_OUT, 1),
    (15, "none", masks(None, name="b"), "", "", FINE, 2),
    (17, "no text", masks(None, name="\udcff.png"), "NAME_NOT_TEXT", "row 1", LEFT_OUT, 1),
)
HUGGING_FACE = fixtures(
    *("hugging face", ""),
    (4, "no class", hugging_face({"y": [-1, 1]}, lambda d: {"y": d.ClassLabel(names=["a", "b"])}))
    + ("", "", FINE, 2),
    (
        14,
        "cut off",
        hugging_face({"i": [{"bytes": b"no", "path": None}]}, lambda d: {"i": d.Image()}),
    )
    + ("", "", FINE, 1),
    (17, "accents", hugging_face({"\u732b": ["e\u0301"]}, lambda d: {"\u732b": d.Value("string")}))
    + ("", "", FINE, 1),
)
COLUMNS = [*CSV, *NDJSON, *PARQUET, *WEBDATASET, *IMAGES, *MASKS, *HUGGING_FACE]
