"""Opening a long table: its first row, a row in the middle, a hundred anywhere."""

from __future__ import annotations

import random
from glob import glob
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import Case, Fact
from benchmarks.processes import Measured, fresh
from tlc.table import Table
from tlc.writers import TableWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENVIRONMENT = {"TLC_DURABILITY": "os"}

ROWS, STEP = 10_000_000, 131_072
READS = 100_000

_ARROW = "import pyarrow.parquet as pq\n"
_TLC = "import tlc, tlc.table, pyarrow.parquet\n"


def cases() -> Iterator[Case | Fact]:
    url, file = _written()
    table = f"table = tlc.Table.from_url({url!r})\n"
    files = sorted(glob(f"{url}/data/*"))
    floor = f"group = lambda number: pq.ParquetFile({files!r}[number]).read_row_group(0)\n"
    first = floor + "group(0).slice(0, 1).to_pylist()"
    forget = _forget([file, *glob(f"{url}/**/*.*", recursive=True)])
    for state, before in (("warm", ""), ("cold", forget)):
        yield Case(
            f"open a table of {ROWS:,} rows, first sample, {state}",
            {
                "pyarrow, one row group": _side(_ARROW + before, first),
                "tlc": _side(_TLC + before, table + "table[0]"),
                **_peers(file, before),
            },
            goal=2,
            rounds=7,
        )
    memory = fresh(table + "table[0]", setup=_TLC).added_mb
    yield Fact(f"open a table of {ROWS:,} rows, first sample, memory", memory, 50, "MB")
    yield from _further_rows(table, floor)
    yield _after_a_pass(url)


def _further_rows(table: str, floor: str) -> Iterator[Case]:
    middle = ROWS // 2
    yield Case(
        "a row in the middle, after the first",
        {
            "pyarrow, one row group": _side(
                _ARROW + floor + "group(0)",
                f"group({middle // STEP}).slice(9, 1).to_pylist()",
            ),
            "tlc": _side(_TLC + table + "table[0]", f"table[{middle}]"),
        },
        goal=1.5,
        rounds=9,
    )
    rows = random.Random(0).sample(range(ROWS), 100)
    by_hand = (
        f"rows, groups = {rows}, {{}}\n"
        "for row in rows:\n"
        f"    number = row // {STEP}\n"
        "    if number not in groups:\n"
        "        groups[number] = group(number)\n"
        f"    groups[number].slice(row % {STEP}, 1).to_pylist()\n"
    )
    yield Case(
        "100 random rows, after the first",
        {
            "pyarrow, each row group once": _side(_ARROW + floor + "group(0)", by_hand),
            "tlc": _side(_TLC + table + "table[0]", f"for row in {rows}: table[row]"),
        },
        goal=1.2,
    )


def _after_a_pass(url: str) -> Case:
    getters = [(name, column.item) for name, column in _in_memory(Table.from_url(url)).items()]
    table = Table.from_url(url)
    for row in range(0, ROWS, STEP):
        table[row]
    rows = np.random.default_rng(0).integers(0, ROWS, READS).tolist()

    def floor() -> None:
        for i in rows:
            {name: get(i) for name, get in getters}

    def tlc() -> None:
        for i in rows:
            table[i]

    name = f"table[i] of {ROWS:,} rows once each row group was read, {READS:,} random rows"
    return Case(name, {"NumPy .item": floor, "tlc": tlc}, unit=READS, goal=1.5)


def _in_memory(table: Table) -> dict[str, np.ndarray]:
    """Return columns as NumPy has them, texts all of one length."""
    columns = {}
    for name in table.columns:
        cells = table.column(name)
        if str(cells.type) == "string":
            columns[name] = np.empty(ROWS, "U30")
            for first in range(0, ROWS, STEP):
                columns[name][first : first + STEP] = cells[first : first + STEP].to_pylist()
        else:
            columns[name] = cells.to_numpy(zero_copy_only=False)
    return columns


def _peers(file: str, before: str) -> dict[str, Callable[[], Measured]]:
    codes = {
        "polars": ("import polars\n", f"polars.scan_parquet({file!r}).head(1).collect().rows()"),
        "pandas": ("import pandas\n", f"pandas.read_parquet({file!r}).iloc[0].to_dict()"),
    }
    return {name: _side(imports + before, code) for name, (imports, code) in codes.items()}


def _side(setup: str, code: str) -> Callable[[], Measured]:
    return lambda: fresh(code, setup=setup)


def _forget(files: list[str]) -> str:
    """Return code that takes files out of the memory of the system."""
    return (
        "import os\n"
        f"for name in {files!r}:\n"
        "    if os.path.isfile(name):\n"
        "        descriptor = os.open(name, os.O_RDONLY)\n"
        "        os.fsync(descriptor)\n"
        "        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)\n"
        "        os.close(descriptor)\n"
    )


def _written() -> tuple[str, str]:
    """Write the rows twice: as a table, and as a Parquet file for the floor and the peers."""
    file = str(Path(mkdtemp(), "floor.parquet"))
    writer, floor = TableWriter("long", if_exists="overwrite"), None
    for part in (_part(first) for first in range(0, ROWS, STEP)):
        writer.add_batch({name: part[name] for name in part.column_names})
        floor = floor or pq.ParquetWriter(file, part.schema, compression="zstd")
        floor.write_table(part, row_group_size=STEP)
    assert floor is not None
    floor.close()
    return str(writer.finalize().url), file


def _part(first: int) -> pa.Table:
    rng, count = np.random.default_rng(first), min(STEP, ROWS - first)
    ids = np.arange(first, first + count)
    columns = {"id": pa.array(ids)}
    columns |= {f"x{i}": pa.array(rng.random(count)) for i in range(3)}
    columns["score"] = pa.array(rng.random(count).astype(np.float32))
    columns["label"] = pa.array(rng.integers(0, 100, count).astype(np.int32))
    columns["flag"] = pa.array(rng.random(count) < 0.5)
    columns["url"] = pa.array([f"/data/images/{number:010d}.jpg" for number in ids])
    columns["name"] = pa.array([f"sample {number}" for number in ids % 1000])
    return pa.table(columns)
