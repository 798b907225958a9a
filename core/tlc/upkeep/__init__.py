"""Keeping projects in order: what is damaged, and what nobody needs."""

from __future__ import annotations

from tlc.upkeep.doctor import examine
from tlc.upkeep.findings import Finding, Report
from tlc.upkeep.gc import Garbage, collect_garbage

__all__ = ["Finding", "Garbage", "Report", "collect_garbage", "examine"]
