"""Threads that take turns in an order that a seed decides, so that a race can be run again."""

from __future__ import annotations

import random
from threading import Condition, Thread, get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Turns"]


class Turns:
    """Runs functions in threads of which one runs at a time, until its next call of `switch`.

    Args:
        seed: Decides who goes on at each switch.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._changed = Condition()
        self._waiting: set[int] = set()
        self._numbers: dict[int, int] = {}
        self._active: int | None = None

    def run(self, functions: Sequence[Callable[[], object]]) -> None:
        """Run all of them to their end.

        Raises:
            BaseException: What a function has raised; of several the one that comes first.
        """
        failures: dict[int, BaseException] = {}
        self._waiting = set(range(len(functions)))
        threads = [
            Thread(target=self._work, args=(number, function, failures), daemon=True)
            for number, function in enumerate(functions)
        ]
        for thread in threads:
            thread.start()
        with self._changed:
            self._choose()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[min(failures)]

    def switch(self) -> None:
        """Let another function go on, or this one; does nothing outside of `run`."""
        number = self._numbers.get(get_ident())
        if number is None:
            return
        with self._changed:
            self._waiting.add(number)
            self._choose()
            self._wait_for(number)

    def _work(
        self, number: int, function: Callable[[], object], failures: dict[int, BaseException]
    ) -> None:
        self._numbers[get_ident()] = number
        with self._changed:
            self._wait_for(number)
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            failures[number] = error
        finally:
            with self._changed:
                del self._numbers[get_ident()]
                self._choose()

    def _choose(self) -> None:
        self._active = self._random.choice(sorted(self._waiting)) if self._waiting else None
        self._changed.notify_all()

    def _wait_for(self, number: int) -> None:
        self._changed.wait_for(lambda: self._active == number)
        self._waiting.discard(number)
