"""Processes that were launched together: which of them this one is, and the run that they share."""

from __future__ import annotations

import os
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tlc._optional import loaded, require
from tlc._session import INHERITED_RUN
from tlc.errors import RunStateError, TlcWarning
from tlc.format.ranks import Ranks

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inherited_run", "shared_run", "this_rank"]

_SECONDS = 1800
_turns = 0


def this_rank() -> Ranks:
    """Return which of the processes of a distributed training this one is, the only one if none.

    That is what ``torch.distributed`` says, or before it is initialised what ``torchrun`` has said
    in the environment.
    """
    distributed = _distributed()
    if distributed is not None:
        return Ranks(distributed.get_rank(), distributed.get_world_size())
    try:
        return Ranks(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    except (KeyError, ValueError):
        return Ranks(0, 1)


def shared_run(make: Callable[[], str]) -> str:
    """Return the url of a run that all ranks share, which the first of them makes.

    No rank waits for another but for this url, and nothing is asked for outside of a launch.

    Args:
        make: Makes the run, and returns its url.

    Raises:
        RunStateError: The first rank did not make a run within half an hour.
    """
    global _turns
    key = f"tlc/run/{_turns}"
    _turns += 1
    ranks = this_rank()
    if ranks.count == 1 and not _is_child_of_first():
        return make()
    store = _store()
    if store is not None:
        return _from_store(store, key, ranks, make)
    if _is_child_of_first() and (url := os.environ.get(INHERITED_RUN)):
        return url
    if ranks.count > 1:
        warnings.warn(
            f"Rank {ranks.rank} of {ranks.count} cannot ask the first one for its run, and starts "
            "one of its own. Call tlc.init after torch.distributed.init_process_group, or name "
            'the run and pass if_exists="reuse".',
            TlcWarning,
            stacklevel=3,
        )
    return make()


def inherited_run() -> str | None:
    """Return the url of the run that was active in the process that started this one, or None."""
    from multiprocessing import parent_process  # late: most programs need it not

    is_child = _is_child_of_first() or parent_process() is not None
    return os.environ.get(INHERITED_RUN) if is_child else None


def _is_child_of_first() -> bool:
    """Whether the first rank has started this process as another rank, as Lightning does."""
    number = os.environ.get("LOCAL_RANK", "")  # some say -1 where there are no others
    return "RANK" not in os.environ and number.isdecimal() and number != "0"


def _from_store(store: Any, key: str, ranks: Ranks, make: Callable[[], str]) -> str:
    if ranks.rank:
        try:
            found: str = store.get(key).decode()
        except RuntimeError as error:
            raise RunStateError(
                f"Rank {ranks.rank} waits for the run of the first one, which has started none: "
                f"{error}",
                hint='call tlc.init in all ranks, or name the run and pass if_exists="reuse".',
            ) from error
        return found
    if int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) and store.check([key]):
        return str(store.get(key).decode())  # what was begun before the restart goes on
    url = make()
    store.set(key, url)
    return url


def _distributed() -> Any | None:
    found = loaded("torch.distributed")
    return found if found is not None and found.is_available() and found.is_initialized() else None


def _store() -> Any | None:
    """Return what ranks can leave notes in for each other; None if there is nothing yet."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":  # there from the first line on
        torch = require("torch.distributed", extra="torch", purpose="to find the run of the others")
        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        return torch.TCPStore(host, port, is_master=False, timeout=timedelta(seconds=_SECONDS))
    distributed = _distributed()
    return None if distributed is None else distributed.distributed_c10d._get_default_store()
