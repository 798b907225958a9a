"""Disks that misbehave, to see what a program that writes by `tlc` makes of it.

Each stands in for `tlc.url.disk.Disk` inside ``with use_disk(...)``: one fails, one kills its own
process, one records what it is asked for and shows what a power cut would leave of it.
"""

from tlc.testing.disks.crash_state import CrashState
from tlc.testing.disks.faulty_disk import FaultyDisk
from tlc.testing.disks.intercepted_disk import InterceptedDisk
from tlc.testing.disks.killing_disk import KillingDisk
from tlc.testing.disks.lying_disk import LyingDisk
from tlc.testing.disks.simulated_disk import SimulatedDisk
from tlc.url.disk import OPERATIONS, Disk, current_disk, use_disk

__all__ = [
    "OPERATIONS",
    "CrashState",
    "Disk",
    "FaultyDisk",
    "InterceptedDisk",
    "KillingDisk",
    "LyingDisk",
    "SimulatedDisk",
    "current_disk",
    "use_disk",
]
