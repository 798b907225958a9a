"""Runs: experiments with their parameters, logged values and metrics tables."""

from tlc.run.active import active_run, close, init, log, set_active_run
from tlc.run.run import Run
from tlc.run.state import RunStatus

__all__ = ["Run", "RunStatus", "active_run", "close", "init", "log", "set_active_run"]
