"""Activity: who writes to a save directory, and the past and present work of its slots."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.storage.directory_lock import holder_of
from pyshac.core.storage.layout import Layout, Stamp, stamp_of
from pyshac.looking.snapshot import Snapshot

# Slots that the last evaluations of a batch have not used are no longer there.
MIN_RECENT = 32
# Clocks of file systems are coarse, and those of processes start at the boot.
CLOCK_SECONDS = 5.0


@dataclass(frozen=True)
class SlotUse:
    """The past work of one slot.

    Attributes:
        slot: Its number.
        count: Number of its evaluations that have ended.
        last: Number of the sample that ended last.
        ended: When that sample ended, in seconds since 1970.
        seconds: The median duration of its evaluations, in seconds.
    """

    slot: int
    count: int
    last: int
    ended: float
    seconds: float


def stamps_of(path: Path) -> tuple[Stamp, ...]:
    """Returns the stamps of a save directory, which change whenever a file in it changes."""
    layout = Layout(path)
    parts = (layout.journal, layout.state, layout.csv, layout.parameters, layout.marker)
    try:
        return tuple(map(stamp_of, parts))
    except OSError:
        # Not a directory, or not to be read: whoever reads it is told why.
        return ()


def last_change(path: Path) -> float | None:
    """Returns the time of the last write to a save directory, in seconds since 1970, or None."""
    times = [stamp[2] for stamp in stamps_of(path) if stamp is not None]
    return max(times) / 1e9 if times else None


def writer_runs(path: Path) -> bool | None:
    """Returns whether the process that last wrote to a save directory is still running.

    Returns:
        None if unknown: the process is on another host, or has left no name.
    """
    import psutil

    layout = Layout(path)
    try:
        holder, stamp = holder_of(layout), stamp_of(layout.holder)
    except OSError:
        return None
    if holder is None or stamp is None or holder[1] != socket.gethostname():
        return None
    try:
        # The number may belong to a later process by now.
        began = psutil.Process(holder[0]).create_time()
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False
    except psutil.Error:
        return None
    return bool(began < stamp[2] / 1e9 + CLOCK_SECONDS)


def times_in_slots(snapshot: Snapshot) -> FloatArray:
    """Returns the slot, the start and the seconds of each sample, shape (n, 3); NaN if unknown."""
    details = snapshot.dataset.details
    columns = [details.column(name) for name in ("slot", "started", "seconds")]
    return np.array(columns, dtype=np.float64).T.reshape(-1, 3)


def slots_of(snapshot: Snapshot) -> list[SlotUse]:
    """Returns the work of each slot, by number. Samples from `ask` have no slot."""
    slots, started, seconds = times_in_slots(snapshot).T
    ends, found = started + seconds, []
    for slot in np.unique(slots[~np.isnan(slots + ends)]):
        places = np.flatnonzero((slots == slot) & ~np.isnan(ends))
        last = places[np.argmax(ends[places])]
        median = float(np.median(seconds[places]))
        number = snapshot.dataset.ids[last]
        found.append(SlotUse(int(slot), len(places), number, float(ends[last]), median))
    return found


def num_slots_in_use(snapshot: Snapshot) -> int | None:
    """Returns the number of slots in the latest evaluations; None if unknown."""
    recent = MIN_RECENT if snapshot.schedule is None else snapshot.schedule.batch_size
    slots = snapshot.dataset.details.column("slot")[-max(recent, MIN_RECENT) :]
    return len({slot for slot in slots if slot is not None}) or None
