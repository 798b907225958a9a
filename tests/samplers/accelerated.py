"""One process of several of `accelerate`: writes the rows that its prepared loaders give."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path

import torch
from accelerate import Accelerator, DataLoaderConfiguration
from torch.utils.data import DataLoader

from tlc.samplers import create_sampler
from tlc.testing.sampler_contract import TableStandIn

WEIGHTS = [float(row % 4) for row in range(45)]
BATCH = 4
KINDS = {
    "draw": {},
    "repeat": {"repeat_by_weight": True},
    "once": {"weighted": False},
    "given": {"num_replicas": 1, "rank": 0},
}
CONFIGURATIONS = {
    "default": {},
    "seedable": {"use_seedable_sampler": True},
    "split": {"split_batches": True},
    "dispatched": {"dispatch_batches": True},
    "uneven": {"even_batches": False},
}


def prepared(accelerator, sampler):
    loader = DataLoader(TableStandIn(WEIGHTS), batch_size=BATCH, sampler=sampler)
    assert len(loader) == -(-len(sampler.epoch_rows()) // BATCH)  # as a program plans its steps
    return accelerator.prepare(loader)


def epochs(accelerator):
    found = {}
    for kind, arguments in KINDS.items():
        loader = prepared(accelerator, create_sampler(TableStandIn(WEIGHTS), **arguments))
        found[kind] = [[row for batch in loader for row in batch.tolist()] for _ in range(2)]
    return found


def resumed(accelerator):
    """Stop after two batches of the second epoch, and go on with a new sampler."""
    sampler = create_sampler(TableStandIn(WEIGHTS))
    loader = prepared(accelerator, sampler)
    list(loader)
    taken = [batch.tolist() for batch in islice(loader, 2)]
    state = sampler.state_dict(position=2 * loader.total_batch_size)
    sampler = create_sampler(TableStandIn(WEIGHTS))
    sampler.load_state_dict(state)
    loader = prepared(accelerator, sampler)
    loader.set_epoch(state["epoch"])
    return {"state": state, "taken": taken, "rest": [batch.tolist() for batch in loader]}


def main(folder):
    found = {}
    for name, options in CONFIGURATIONS.items():
        configuration = DataLoaderConfiguration(**options)
        accelerator = Accelerator(cpu=True, dataloader_config=configuration)
        # As programs may do that want other noise on each rank.
        torch.manual_seed(accelerator.process_index)
        found[name] = epochs(accelerator)
    found["resumed"] = resumed(Accelerator(cpu=True))
    Path(folder, f"{accelerator.process_index}.json").write_text(json.dumps(found))
    accelerator.end_training()


if __name__ == "__main__":
    main(sys.argv[1])
