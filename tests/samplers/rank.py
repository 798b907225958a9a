"""One process of several: writes the rows that torch.distributed gives to its rank."""

from __future__ import annotations

import gc
import json
import sys
import warnings
from itertools import islice
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from tlc.samplers import create_sampler
from tlc.testing.sampler_contract import TableStandIn


def main(rank: int, world: int, meeting: str, sizes: list[int]) -> dict[str, list[list[int]]]:
    kinds = {"draw": {}, "repeat": {"repeat_by_weight": True}, "once": {"weighted": False}}
    samplers = {
        (name, size, even): create_sampler(table(size), **kind, seed=5, even=even)
        for name, kind in kinds.items()
        for size in sizes
        for even in (True, False)
    }
    # After the samplers: they must not need the process group before their first use.
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world)
    rows = {str(key): [list(sampler) for _ in range(2)] for key, sampler in samplers.items()}
    rows |= {str((name, "resumed")): resumed(kind) for name, kind in kinds.items()}
    train()
    # A process that ends while the other still talks to it, or with a model that still has the
    # group's threads, is ended by gloo with an abort.
    gc.collect()
    dist.barrier()
    dist.destroy_process_group()
    return rows


def table(size: int) -> TableStandIn:
    return TableStandIn([1.0 + row % 3 / 4 for row in range(size)])


def resumed(kind: dict[str, bool]) -> list[list[int]]:
    """Stop after five rows, go on with a new sampler, and return what each has given."""
    old, new = create_sampler(table(97), **kind, seed=5), create_sampler(table(97), **kind)
    seen = list(islice(old, 5))
    new.load_state_dict(old.state_dict())
    return [seen, list(new), list(new)]


def train() -> None:
    """Train on 5 rows in batches of 2: with shares of 3 and 2 one rank would wait for ever."""
    model = DistributedDataParallel(torch.nn.Linear(1, 1))
    loader = DataLoader(range(5), batch_size=2, sampler=create_sampler(table(5), weighted=False))
    for _ in range(2):
        for batch in loader:
            model(batch[:, None].float()).sum().backward()


if __name__ == "__main__":
    warnings.simplefilter("error")
    _, rank, world, folder, *sizes = sys.argv
    found = main(int(rank), int(world), f"file://{folder}/meeting", [int(size) for size in sizes])
    Path(folder, f"{rank}.json").write_text(json.dumps(found))
