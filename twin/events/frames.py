"""Read from an event log when each stored frame was exposed and sent, and which pass and granule it is in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twin.constants import FRAME_US
from twin.events.downlink import X_BAND
from twin.events.log import EventLog, Rows, spread
from twin.mission.resources import IMAGE_BITS

FRAMES_A_GRANULE = 4  # as in twin.chain: 12 soundings; boots begin with a granule of their own
NEVER = -1  # us or pass, of what has not happened


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames stored on board, in order of their ids; passes acknowledged, in order of time."""

    id: np.ndarray  # (frame,) boot count * 1e10 + frame counter
    sensed_us: np.ndarray  # (frame,) middle of the exposure, GPS us
    sent_us: np.ndarray  # (frame,) end of its transmission in a pass that was heard, or NEVER
    pass_index: np.ndarray  # (frame,) that pass, or NEVER
    pass_delivered_us: np.ndarray  # (pass,) at the mission centre, or NEVER
    pass_bits: np.ndarray  # (pass,) packets of all channels

    @cached_property
    def granule(self) -> np.ndarray:
        """(frame,) index of the granule."""
        number = self.id // FRAMES_A_GRANULE
        return np.cumsum(np.diff(number, prepend=number[:1]) != 0, dtype=np.int32)

    @cached_property
    def first_of_granule(self) -> np.ndarray:
        """(granule,) index of its first frame."""
        return np.flatnonzero(np.diff(self.granule, prepend=-1))

    @property
    def granule_id(self) -> np.ndarray:
        return self.id[self.first_of_granule] // FRAMES_A_GRANULE * FRAMES_A_GRANULE

    @property
    def frames_of_granule(self) -> np.ndarray:
        return np.bincount(self.granule, minlength=len(self.first_of_granule))

    @cached_property
    def complete(self) -> np.ndarray:
        """(granule,) all of its stored frames are on the ground: a refused frame is not waited for."""
        arrived = np.bincount(self.granule, self.pass_index >= 0, minlength=len(self.first_of_granule))
        return arrived == self.frames_of_granule

    def granules_of_passes(self) -> np.ndarray:
        """Return pairs (pass, granule), sorted, of the complete granules and the passes they came in."""
        kept = self.complete[self.granule]
        pairs = np.stack([self.pass_index[kept], self.granule[kept]], axis=1)
        change = np.any(np.diff(pairs, axis=0, prepend=NEVER), axis=1)  # most of a pass comes in order
        return np.unique(pairs[change], axis=0)


def of(log: EventLog) -> Frames:
    exposures = log.rows("instrument", "exposure")
    # The battery's safe mode ends a batch early: ids of frames never begun are used again
    begun = np.minimum(exposures.value, np.diff(exposures.id, append=np.iinfo(np.int64).max))
    exposed_id, exposed_us = spread(exposures.id, begun, 1), spread(exposures.time_us, begun, FRAME_US)
    stored = log.rows("memory", "frame_stored")
    id = spread(stored.id, stored.value // IMAGE_BITS, 1)
    sensed_us = exposed_us[np.searchsorted(exposed_id, id)] + FRAME_US // 2
    sent_us, pass_index = np.full(len(id), NEVER), np.full(len(id), NEVER)
    sent, passes, heard_in = log.heard()
    count = sent.value // IMAGE_BITS
    each_us = X_BAND.send_us(IMAGE_BITS)
    place = np.searchsorted(id, spread(sent.id, count, 1))
    sent_us[place] = spread(sent.time_us - (count - 1) * each_us, count, each_us)
    pass_index[place] = np.repeat(heard_in, count)
    return Frames(id, sensed_us, sent_us, pass_index, _delivered_us(log, passes), passes.value)


def _delivered_us(log: EventLog, passes: Rows) -> np.ndarray:
    """Return the time at the mission centre (pass,), NEVER for a pass without data."""
    delivered = log.rows("ground", "file_delivered")
    order = np.argsort(delivered.id)
    place = np.minimum(np.searchsorted(delivered.id[order], passes.id), max(len(order) - 1, 0))
    if not len(order):
        return np.full(len(passes.id), NEVER)
    found = delivered.id[order][place] == passes.id
    return np.where(found, delivered.time_us[order][place], NEVER)
