"""New interpreters: what an import and a first row cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import Case, Fact, Timed, unsynced
from benchmarks.processes import fresh, whole
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENVIRONMENT = {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1"}
ARROW = "import pyarrow.parquet"
NOUNS = (
    "import tlc; tlc.Table, tlc.TableView, tlc.Run, tlc.TableWriter, tlc.MetricsTableWriter, "
    "tlc.schemas.CategoricalLabelSchema, tlc.init, tlc.log, tlc.Url"
)
HEAVY = (
    "torch", "torchvision", "pandas", "polars", "duckdb", "datasets", "PIL", "obstore", "fsspec",
    "requests", "httpx", "aiohttp", "scipy", "sklearn", "typer", "rich", "asyncio", "ssl",
)  # fmt: skip
ROWS = 1_000_000


def cases() -> Iterator[Case | Fact]:
    yield Case(
        "import tlc",
        {
            "import pyarrow": lambda: fresh("import pyarrow"),
            "tlc": lambda: fresh("import tlc"),
            "pandas": lambda: fresh("import pandas"),
            "polars": lambda: fresh("import polars"),
            "datasets": lambda: fresh("import datasets"),
            "torch": lambda: fresh("import torch"),
        },
        goal=0.5,
    )
    yield Case(
        "import tlc, then Table, Run, writers, schemas",
        {"import pyarrow.parquet": lambda: fresh(ARROW), "tlc": lambda: fresh(NOUNS)},
        goal=1.3,
        rounds=9,
    )
    yield from _facts()
    yield from _first_row()


def _facts() -> Iterator[Fact]:
    floor, nouns = fresh(ARROW), fresh(NOUNS)
    touched = "import tlc and its nouns"
    yield Fact(f"{touched}, memory over pyarrow.parquet", nouns.added_mb / floor.added_mb, 1.3, "x")
    yield Fact(f"{touched}, memory", nouns.added_mb, 65, "MB")
    heavy = [name for name in HEAVY if name in {*nouns.modules} - {*floor.modules}]
    yield Fact(f"the same, heavy modules beyond pyarrow's{_list(heavy)}", len(heavy), 0, "modules")
    yield Fact("the same, threads beyond pyarrow's", nouns.threads - floor.threads, 0, "threads")


def _first_row() -> Iterator[Case | Fact]:
    table, floor, peers = _a_million()
    script = f"import tlc; print(tlc.Table.from_url({table!r})[0])"
    yield Case(
        f"whole process: the first row of a table of {ROWS:,}",
        {
            "pyarrow, one row group": lambda: whole(floor),
            "tlc": lambda: whole(script),
            **{name: _process(code) for name, code in peers.items()},
        },
        goal=1.3,
        rounds=7,
    )
    measured, by_hand = fresh(script), fresh(floor)
    heavy = [name for name in HEAVY if name in {*measured.modules} - {*by_hand.modules}]
    yield Fact(f"the same, heavy modules beyond pyarrow's{_list(heavy)}", len(heavy), 0, "modules")
    yield Fact("the same, memory over pyarrow", measured.peak_mb / by_hand.peak_mb, 1.3, "x")


def _a_million() -> tuple[str, str, dict[str, str]]:
    """Write numbers, a url and a text; return the url, the floor, and what peers run."""
    rng = np.random.default_rng(0)
    columns = {f"c{i}": pa.array(rng.random(ROWS)) for i in range(5)}
    columns |= {f"n{i}": pa.array(rng.integers(0, 1000, ROWS)) for i in range(5)}
    columns["url"] = pa.array([f"/data/images/{i:08d}.jpg" for i in range(ROWS)])
    columns["name"] = pa.array([f"name {i % 1000}" for i in range(ROWS)])
    create = unsynced(lambda: Table.from_dict(columns, table_name="million"))
    table = create()
    assert isinstance(table, Table)
    file = f"{table.url}/floor.parquet"
    pq.write_table(pa.table(columns), file, row_group_size=131_072, compression="zstd")
    floor = (
        "import pyarrow.parquet as pq\n"
        f"file = pq.ParquetFile({file!r})\n"
        "print(file.read_row_group(0).slice(0, 1).to_pylist()[0])"
    )
    return (
        str(table.url),
        floor,
        {
            "pandas": f"import pandas; print(pandas.read_parquet({file!r}).iloc[0].to_dict())",
            "polars": f"import polars; print(polars.scan_parquet({file!r}).head(1).collect())",
            "datasets": "from datasets import Dataset\n"
            f"print(Dataset.from_parquet({file!r}, keep_in_memory=False)[0])",
        },
    )


def _process(code: str) -> Callable[[], Timed]:
    return lambda: whole(code)


def _list(names: list[str]) -> str:
    return f" ({', '.join(names)})" if names else ""
